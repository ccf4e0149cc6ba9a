import { checkPart, type RequestPart } from '../execute/schema.ts'
import { jsonSchemaOf } from './json-schema.ts'
import { coerce } from './values.ts'

/** What came as text, or as files: `{ page: '2', tag: ['a', 'b'] }`. */
export type Fields = Record<string, unknown>

/**
 * A part of a request as its handler gets it.
 *
 * - `given`: as text.
 * - `onUntold`: the schema does not tell its JSON Schema, so that text is all it gets.
 * - throws `BAD_INPUT`.
 */
export async function readFields(
  part: RequestPart,
  given: Fields,
  schema: unknown,
  onUntold: (part: RequestPart) => void,
): Promise<unknown> {
  return checkPart(schema, coerceFields(part, given, schema, onUntold), part)
}

function coerceFields(
  part: RequestPart,
  given: Fields,
  schema: unknown,
  onUntold: (part: RequestPart) => void,
): unknown {
  const told = jsonSchemaOf(schema)
  if (told) return coerce(given, told)
  if (Object.keys(given).length > 0) onUntold(part)
  return given
}

/** Repeated names are lists, in the order in which they came. */
export function toFields(entries: Iterable<[name: string, value: unknown]>): Fields {
  const fields = new Map<string, unknown>()
  for (const [name, value] of entries) {
    if (!fields.has(name)) fields.set(name, value)
    else fields.set(name, [fields.get(name), value].flat())
  }
  // An own field whatever its name is.
  return Object.fromEntries(fields)
}
