import { isUnknown } from './known-schemas.ts'
import type { JsonSchema } from './types.ts'

/** What any of the schemas allows, said as shortly as it can be. */
export function toUnion(schemas: JsonSchema[]): JsonSchema {
  const flat = schemas.flatMap((schema) => (isAnyOf(schema) ? schema.anyOf : [schema]))
  const unknown = flat.find(isUnknown)
  if (unknown) return unknown
  const literals = flat.filter((schema) => 'const' in schema || isEnum(schema))
  const others = flat.filter((schema) => !literals.includes(schema))
  const values = literals.flatMap((schema) =>
    'const' in schema ? [schema.const] : (schema.enum as unknown[]),
  )
  const all = unique([...toEnum([...new Set(values)]), ...others])
  if (all.length === 0) return { not: {} }
  return all.length === 1 ? all[0]! : (mergeTypes(all) ?? { anyOf: all })
}

function isAnyOf(schema: JsonSchema): schema is JsonSchema & { anyOf: JsonSchema[] } {
  return Object.keys(schema).length === 1 && Array.isArray(schema.anyOf)
}

function isEnum(schema: JsonSchema): boolean {
  return Array.isArray(schema.enum) && Object.keys(schema).every((key) => key === 'enum' || key === 'type')
}

function toEnum(values: unknown[]): JsonSchema[] {
  const isBoth = values.includes(true) && values.includes(false)
  const rest = isBoth ? values.filter((value) => typeof value !== 'boolean') : values
  const booleans: JsonSchema[] = isBoth ? [{ type: 'boolean' }] : []
  if (rest.length === 0) return booleans
  return [...booleans, rest.length === 1 ? { const: rest[0] } : withType(rest)]
}

function withType(values: unknown[]): JsonSchema {
  const [first] = values
  const type = typeof first
  const isUniform = first !== null && values.every((value) => typeof value === type)
  return isUniform ? { type, enum: values } : { enum: values }
}

function unique(schemas: JsonSchema[]): JsonSchema[] {
  return [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()]
}

/** `string | null` is one schema with two types. */
function mergeTypes(schemas: JsonSchema[]): JsonSchema | null {
  const isPlain = schemas.every(
    (schema) => typeof schema.type === 'string' && Object.keys(schema).length === 1,
  )
  return isPlain ? { type: schemas.map(({ type }) => type) } : null
}
