import type { Node } from 'oxc-parser'
import { unknownSchema } from './known-schemas.ts'
import { mapOf } from './shapes.ts'
import {
  objectSchema,
  type ObjectSchema,
  readType,
  resolveSchema,
  type Step,
  toKeys,
  toObject,
} from './step.ts'
import type { JsonSchema } from './types.ts'
import { toUnion } from './unions.ts'

type Utility = (step: Step, given: Node[]) => Promise<JsonSchema>

const same: Utility = (step, [type]) => (type ? readType(step, type) : Promise.resolve(unknownSchema()))

/** Types of the language that make a type out of another one. */
export const utilityTypes: ReadonlyMap<string, Utility> = new Map<string, Utility>([
  ['Array', readArray],
  ['ReadonlyArray', readArray],
  ['Promise', same],
  ['PromiseLike', same],
  ['Awaited', same],
  ['Readonly', same],
  ['NoInfer', same],
  ['Record', readRecord],
  ['Partial', (step, given) => change(step, given, () => [])],
  ['Required', (step, given) => change(step, given, ({ properties }) => Object.keys(properties))],
  ['Pick', (step, given) => choose(step, given, true)],
  ['Omit', (step, given) => choose(step, given, false)],
  ['NonNullable', (step, given) => without(step, given, (schema) => schema.type === 'null')],
  ['Exclude', (step, given) => filter(step, given, false)],
  ['Extract', (step, given) => filter(step, given, true)],
])

async function readArray(step: Step, [item]: Node[]): Promise<JsonSchema> {
  return { type: 'array', items: item ? await readType(step, item) : unknownSchema() }
}

async function readRecord(step: Step, [key, value]: Node[]): Promise<JsonSchema> {
  if (!key || !value) return unknownSchema()
  const keys = await readType(step, key)
  const values = await readType(step, value)
  const names = toKeys(step.reading, keys)
  return names
    ? objectSchema(
        names.map((name) => [name, values]),
        names,
      )
    : mapOf(keys, values)
}

async function change(
  step: Step,
  [type]: Node[],
  toRequired: (object: ObjectSchema) => string[],
): Promise<JsonSchema> {
  const object = type ? toObject(step.reading, await readType(step, type)) : null
  if (!object) return unknownSchema()
  const { properties, additionalProperties } = object
  return objectSchema(
    Object.entries(properties),
    toRequired(object),
    additionalProperties as JsonSchema | undefined,
  )
}

async function choose(step: Step, [type, key]: Node[], isKept: boolean): Promise<JsonSchema> {
  const object = type ? toObject(step.reading, await readType(step, type)) : null
  const names = key ? toKeys(step.reading, await readType(step, key)) : null
  if (!object || !names) return unknownSchema()
  const stays = (name: string) => names.includes(name) === isKept
  const properties = Object.entries(object.properties).filter(([name]) => stays(name))
  return objectSchema(properties, (object.required ?? []).filter(stays))
}

/** The members of a union that a test does not take out. */
async function without(
  step: Step,
  [type]: Node[],
  isOut: (schema: JsonSchema) => boolean,
): Promise<JsonSchema> {
  if (!type) return unknownSchema()
  const schema = await readType(step, type)
  return toUnion(membersOf(resolveSchema(step.reading, schema) ?? schema).filter((one) => !isOut(one)))
}

async function filter(step: Step, [type, other]: Node[], isKept: boolean): Promise<JsonSchema> {
  if (!type || !other) return unknownSchema()
  const names = new Set(membersOf(await readType(step, other)).map((schema) => JSON.stringify(schema)))
  return without(step, [type], (schema) => names.has(JSON.stringify(schema)) !== isKept)
}

function membersOf(schema: JsonSchema): JsonSchema[] {
  if (Array.isArray(schema.anyOf)) return schema.anyOf as JsonSchema[]
  if (Array.isArray(schema.enum)) return schema.enum.map((value) => ({ const: value }))
  return Array.isArray(schema.type) ? schema.type.map((type) => ({ type })) : [schema]
}
