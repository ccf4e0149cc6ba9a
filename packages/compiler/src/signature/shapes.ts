import type { Node, TSMappedType, TSTupleType } from 'oxc-parser'
import { unknownSchema } from './known-schemas.ts'
import { objectSchema, readType, resolveSchema, type Step, toKeys, toObject } from './step.ts'
import type { JsonSchema } from './types.ts'
import { toUnion } from './unions.ts'

export async function readTuple(step: Step, { elementTypes }: TSTupleType): Promise<JsonSchema> {
  const prefixItems: JsonSchema[] = []
  let minItems = 0
  let rest: JsonSchema | null = null
  for (const element of elementTypes) {
    const { type, optional, isRest } = toElement(element)
    const schema = await readType(step, type)
    if (isRest) rest = itemsOf(step, schema) ?? unknownSchema()
    // What follows a rest element has no fixed position.
    else if (rest) rest = toUnion([rest, schema])
    else prefixItems.push(schema)
    if (!isRest && !optional) minItems++
  }
  const items = rest ? { items: rest } : { maxItems: prefixItems.length }
  const fixed = prefixItems.length > 0 ? { prefixItems } : {}
  return { type: 'array', ...fixed, minItems, ...items }
}

interface Element {
  type: Node
  optional: boolean
  isRest: boolean
}

function toElement(element: Node): Element {
  switch (element.type) {
    case 'TSNamedTupleMember':
      return { type: element.elementType, optional: element.optional, isRest: false }
    case 'TSOptionalType':
      return { type: element.typeAnnotation, optional: true, isRest: false }
    case 'TSRestType':
      return { ...toElement(element.typeAnnotation), isRest: true }
    default:
      return { type: element, optional: false, isRest: false }
  }
}

/** What a list holds, wherever in it. */
function itemsOf({ reading }: Step, schema: JsonSchema): JsonSchema | null {
  const resolved = resolveSchema(reading, schema)
  if (resolved?.type !== 'array') return null
  const { prefixItems = [], items } = resolved as { prefixItems?: JsonSchema[]; items?: JsonSchema }
  return toUnion([...prefixItems, ...(items ? [items] : [])])
}

/** `{ [K in 'a' | 'b']: T }` */
export async function readMapped(step: Step, node: TSMappedType): Promise<JsonSchema> {
  const { key, constraint, nameType, optional, typeAnnotation } = node
  if (nameType || !typeAnnotation) return unknownSchema()
  const over = await readType(step, constraint)
  const names = toKeys(step.reading, over)
  const schemaOf = (value: JsonSchema) =>
    readType({ ...step, params: new Map([...step.params, [key.name, value]]) }, typeAnnotation)
  if (!names) return mapOf(over, await schemaOf(over))
  const properties: [string, JsonSchema][] = []
  for (const name of names) properties.push([name, await schemaOf({ const: name })])
  const kept = await keptRequired(step, node)
  const isOptional = optional === true || optional === '+'
  const required = isOptional
    ? []
    : optional === '-'
      ? names
      : names.filter((name) => kept?.has(name) ?? true)
  return objectSchema(properties, required)
}

/** Over `keyof T` what is optional in `T` stays so. */
async function keptRequired(step: Step, { constraint }: TSMappedType): Promise<Set<string> | null> {
  if (constraint.type !== 'TSTypeOperator' || constraint.operator !== 'keyof') return null
  const object = toObject(step.reading, await readType(step, constraint.typeAnnotation))
  return object && new Set(object.required)
}

/** An object with any keys of a kind. */
export function mapOf(keys: JsonSchema, values: JsonSchema): JsonSchema {
  if (keys.type !== 'string') return unknownSchema()
  return { type: 'object', additionalProperties: values }
}

/** `T['name']`, `T[keyof T]` and `List[number]`. */
export async function readIndexed(step: Step, objectType: Node, indexType: Node): Promise<JsonSchema> {
  const owner = await readType(step, objectType)
  if (indexType.type === 'TSNumberKeyword') return itemsOf(step, owner) ?? unknownSchema()
  const object = toObject(step.reading, owner)
  const names = toKeys(step.reading, await readType(step, indexType))
  if (!object || !names?.every((name) => Object.hasOwn(object.properties, name))) return unknownSchema()
  return toUnion(names.map((name) => object.properties[name]!))
}

export async function readKeyof(step: Step, type: Node): Promise<JsonSchema> {
  const object = toObject(step.reading, await readType(step, type))
  return object
    ? toUnion(Object.keys(object.properties).map((name) => ({ const: name })))
    : { type: 'string' }
}

/** All of several: one object where all are objects. */
export function toIntersection(step: Step, schemas: JsonSchema[]): JsonSchema {
  const objects = schemas.map((schema) => toObject(step.reading, schema))
  if (!objects.every((object) => object !== null)) return { allOf: schemas }
  const properties = objects.flatMap((object) => Object.entries(object.properties))
  const others = objects.map(({ additionalProperties }) => additionalProperties).find(Boolean)
  const required = objects.flatMap((object) => object.required ?? [])
  return objectSchema(properties, required, others as JsonSchema | undefined)
}
