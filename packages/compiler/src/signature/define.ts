import { unknownSchema } from './known-schemas.ts'
import { type Definition, referTo, type Step } from './step.ts'
import type { JsonSchema } from './types.ts'

/** Deeper than any written type is one that makes itself bigger and bigger. */
const MAX_DEPTH = 40
const MAX_KEY = 10_000
const MAX_DEFINITIONS = 300

/**
 * A named type, read once: a reference to it, or its schema where that is short.
 *
 * - `key`: the same for the same type with the same arguments.
 */
export async function define(
  step: Step,
  key: string,
  name: string,
  read: () => Promise<JsonSchema>,
): Promise<JsonSchema> {
  const { definitions } = step.reading
  const before = definitions.get(key)
  if (before) return before.schema && !before.isReferred ? before.schema : referTo(before)
  if (step.depth > MAX_DEPTH || key.length > MAX_KEY || definitions.size > MAX_DEFINITIONS)
    return unknownSchema('a type without an end')
  const definition: Definition = { name: freeName(step, name), schema: null, isReferred: false }
  definitions.set(key, definition)
  definition.schema = withoutItself(definition, await read())
  // Small ones are said where they are used, unless they contain themselves.
  if (isBig(definition.schema)) definition.isReferred = true
  return definition.isReferred ? referTo(definition) : definition.schema
}

/** `type A = B`, where `B` is `A`, is nothing. */
function withoutItself(definition: Definition, schema: JsonSchema): JsonSchema {
  return schema.$ref === referTo({ ...definition }).$ref ? unknownSchema() : schema
}

function isBig({ properties }: JsonSchema): boolean {
  return properties !== undefined && Object.keys(properties as object).length > 0
}

function freeName({ reading: { definitions } }: Step, name: string): string {
  const taken = new Set([...definitions.values()].map((definition) => definition.name))
  const base = name.replaceAll(/[^\w.-]/g, '_')
  for (let number = 1; ; number++) {
    const free = number === 1 ? base : `${base}${number}`
    if (!taken.has(free)) return free
  }
}
