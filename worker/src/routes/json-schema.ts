import type { StandardJSONSchemaV1 } from '@standard-schema/spec'

const known = new WeakMap<object, Record<string, unknown> | null>()

/** What a Standard Schema takes, as JSON Schema; `null` when it does not tell. */
export function jsonSchemaOf(schema: unknown): Record<string, unknown> | null {
  if ((typeof schema !== 'object' && typeof schema !== 'function') || schema === null) return null
  const found = known.get(schema)
  if (found !== undefined) return found
  const told = ask(schema)
  known.set(schema, told)
  return told
}

const target = 'draft-2020-12'

/** Parts that JSON Schema has no word for are left open where the library can do that. */
const tries = [{ target, libraryOptions: { unrepresentable: 'any' } }, { target }]

function ask(schema: object): Record<string, unknown> | null {
  const { jsonSchema } = (schema as Partial<StandardJSONSchemaV1>)['~standard'] ?? {}
  for (const options of tries) {
    try {
      return jsonSchema?.input(options) ?? null
    } catch {
      // The next one, or none.
    }
  }
  return null
}
