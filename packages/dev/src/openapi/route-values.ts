import type { JsonSchema } from '@flash/compiler'
import type { RouteSegment } from '@flash/protocol'
import type { Parameter } from './types.ts'
import { isRecord } from './rewrite-schema.ts'
import type { Values } from './values.ts'

export type RoutePart = 'params' | 'query' | 'body'

/** What a route takes as this part: its schema's word, else what the handler's parameter is said to be. */
export function partOf(values: Values, part: RoutePart, resolve: Resolve): JsonSchema | null {
  const told = values.told(part)
  if (told) return told
  const [param] = values.callable('handler')?.params ?? []
  const given = param && resolve(values.ofSource(param.schema))
  const found =
    isRecord(given?.properties) && Object.hasOwn(given.properties, part) ? given.properties[part] : null
  return isRecord(found) && Object.keys(found).some((key) => key !== 'description') ? found : null
}

/** The component that a reference names. */
export type Resolve = (schema: JsonSchema) => JsonSchema

/** - `names`: of the parameters in the path, as the document calls them. */
export function toPathParameters(
  segments: readonly RouteSegment[],
  names: readonly string[],
  schema: JsonSchema | null,
): Parameter[] {
  const params = segments.filter((segment) => segment.kind !== 'text')
  return params.map((segment, index) => {
    const isRest = segment.kind === 'rest'
    const own = propertyOf(schema, segment.name ?? '')
    return {
      name: names[index]!,
      in: 'path',
      required: true,
      schema: own ?? { type: 'string' },
      ...(isRest && { description: 'The rest of the path, of any number of parts.' }),
    }
  })
}

/** A parameter for each property; a query that is not told has none, although the handler may read some. */
export function toQueryParameters(schema: JsonSchema | null): Parameter[] {
  if (!schema) return []
  // A union has no properties of its own: it is told whole, and still travels as one parameter for each field.
  if (!isRecord(schema.properties))
    return [{ name: 'query', in: 'query', required: false, style: 'form', explode: true, schema }]
  const required = Array.isArray(schema.required) ? schema.required : []
  return Object.entries(schema.properties).map(([name, property]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    schema: property as JsonSchema,
  }))
}

function propertyOf(schema: JsonSchema | null, name: string): JsonSchema | null {
  const properties = schema?.properties
  return isRecord(properties) && Object.hasOwn(properties, name) ? (properties[name] as JsonSchema) : null
}
