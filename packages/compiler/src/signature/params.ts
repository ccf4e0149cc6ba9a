import type { Node, ParamPattern } from 'oxc-parser'
import { readParams } from '../params.ts'
import { propertyName } from '../references.ts'
import { inferSchema, toLiteral } from './infer.ts'
import { unknownSchema } from './known-schemas.ts'
import { objectSchema, readType, type Step } from './step.ts'
import type { JsonSchema, ParamSignature } from './types.ts'

/** Parameters as `readParams` names them, with their types. */
export async function readParamSignatures(step: Step, params: ParamPattern[]): Promise<ParamSignature[]> {
  const nodes = params.filter((param) => !(param.type === 'Identifier' && param.name === 'this'))
  const signatures: ParamSignature[] = []
  for (const [index, { name, optional }] of readParams(params).entries())
    signatures.push({ name, required: !optional, schema: await readParam(step, nodes[index]!) })
  return signatures
}

async function readParam(step: Step, param: Node): Promise<JsonSchema> {
  switch (param.type) {
    case 'TSParameterProperty':
      return readParam(step, param.parameter)
    case 'AssignmentPattern':
      return withDefault(await readPattern(step, param.left, param.right), param.right)
    case 'RestElement':
      return readRest(step, param.typeAnnotation?.typeAnnotation)
    default:
      return readPattern(step, param, null)
  }
}

async function readRest(step: Step, type: Node | undefined): Promise<JsonSchema> {
  const schema = type ? await readType(step, type) : null
  return schema?.type === 'array' ? schema : { type: 'array', items: unknownSchema() }
}

/** A parameter with a name or a pattern: what it is said to be, else what its default is. */
async function readPattern(step: Step, param: Node, value: Node | null): Promise<JsonSchema> {
  const type = (param as { typeAnnotation?: { typeAnnotation: Node } | null }).typeAnnotation?.typeAnnotation
  const pattern = param.type === 'ObjectPattern' ? inferPattern(param) : null
  if (type) return addDefaults(await readType(step, type), pattern)
  return pattern ?? (value ? inferSchema(value) : unknownSchema())
}

function inferPattern({ properties }: Extract<Node, { type: 'ObjectPattern' }>): JsonSchema {
  const found = properties.flatMap((property): [string, JsonSchema][] => {
    const name = property.type === 'Property' ? propertyName(property.key, property.computed) : null
    if (name === null || property.type !== 'Property') return []
    const { value } = property
    const isDefaulted = value.type === 'AssignmentPattern'
    return [[name, isDefaulted ? withDefault(inferSchema(value.right), value.right) : unknownSchema()]]
  })
  return objectSchema(found, [])
}

/** The defaults that a pattern gives to properties of a type. */
function addDefaults(schema: JsonSchema, pattern: JsonSchema | null): JsonSchema {
  const properties = schema.properties as Record<string, JsonSchema> | undefined
  const defaults = pattern?.properties as Record<string, JsonSchema> | undefined
  if (!properties || !defaults) return schema
  const entries = Object.entries(properties).map(([name, property]): [string, JsonSchema] => {
    const given = Object.hasOwn(defaults, name) ? defaults[name]! : {}
    return [name, 'default' in given ? { ...property, default: given.default } : property]
  })
  return { ...schema, properties: Object.fromEntries(entries) }
}

function withDefault(schema: JsonSchema, value: Node): JsonSchema {
  const literal = toLiteral(value)
  return literal ? { ...schema, default: literal[0] } : schema
}
