import type { JsonSchema } from '@flash/compiler'
import { isRecord } from './rewrite-schema.ts'
import type { Resolve } from './route-values.ts'
import type { RequestBody } from './types.ts'
import type { Values } from './values.ts'

const withBody = new Set(['POST', 'PUT', 'PATCH'])

/** Files travel in forms; a body without a schema may be of any type. */
export function toRequestBody(
  method: string,
  schema: JsonSchema | null,
  given: { values: Values; resolve: Resolve },
): RequestBody | undefined {
  if (!schema) {
    const isOptional = given.values.isOptional('body')
    if (isOptional === null && !withBody.has(method)) return undefined
    const unknown = { description: 'the source does not tell what the handler takes' }
    return { required: isOptional === false, content: { 'application/json': { schema: unknown } } }
  }
  const resolved = given.resolve(schema)
  const required = !isBodyOptional(given)
  if (hasFile(resolved))
    return { required, content: { 'multipart/form-data': { schema: toForm(resolved) as JsonSchema } } }
  // What the types alone say is for JSON: nothing turns the fields of a form into it.
  const types = given.values.isOptional('body') === null ? [] : otherTypes(resolved)
  const content = ['application/json', ...types].map((type) => [type, { schema }])
  return { required, content: Object.fromEntries(content) }
}

/** The schema says it, else the type of the handler's parameter. */
function isBodyOptional({ values, resolve }: { values: Values; resolve: Resolve }): boolean {
  const isOptional = values.isOptional('body')
  if (isOptional !== null) return isOptional
  const [param] = values.callable('handler')?.params ?? []
  const { required } = param ? resolve(values.ofSource(param.schema)) : {}
  return !(Array.isArray(required) && required.includes('body'))
}

const asText = new Set(['string', 'number', 'integer', 'boolean'])

/** Types other than JSON that a worker reads for the schema: text for text, forms for what has no more than fields. */
function otherTypes({ type, properties }: JsonSchema): string[] {
  if (type === 'string') return ['text/plain']
  const fields = isRecord(properties) ? Object.values(properties) : []
  const isForm = fields.length > 0 && fields.every((field) => isField(field) || isField(itemsOf(field)))
  return isForm ? ['application/x-www-form-urlencoded'] : []
}

function isField(schema: unknown): boolean {
  return isRecord(schema) && asText.has(String(schema.type ?? typeof schema.const))
}

function itemsOf(schema: unknown): unknown {
  return isRecord(schema) && schema.type === 'array' ? schema.items : null
}

function hasFile(schema: unknown): boolean {
  if (Array.isArray(schema)) return schema.some(hasFile)
  return isRecord(schema) && (schema.format === 'binary' || Object.values(schema).some(hasFile))
}

/** Files as OpenAPI 3.1 has them in forms: bytes of a type, in no encoding. */
function toForm(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(toForm)
  if (!isRecord(schema)) return schema
  const made = Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, toForm(value)]))
  if (schema.format !== 'binary') return made
  const { contentEncoding: _, ...file } = made
  return 'anyOf' in file ? file : { contentMediaType: 'application/octet-stream', ...file }
}
