import type { Node, TSSignature } from 'oxc-parser'
import { propertyName } from '../references.ts'
import { findDescription } from './comment.ts'
import { unknownSchema } from './known-schemas.ts'
import { objectSchema, readType, type Step } from './step.ts'
import type { JsonSchema } from './types.ts'

/** The object that members of a type literal or an interface describe; what is a function does not travel and is left out. */
export async function readMembers(step: Step, members: readonly TSSignature[]): Promise<JsonSchema> {
  const properties: [string, JsonSchema][] = []
  const required: string[] = []
  let others: JsonSchema | undefined
  for (const member of members) {
    if (member.type === 'TSIndexSignature')
      others ??= await readType(step, member.typeAnnotation.typeAnnotation)
    const property = toProperty(member)
    if (!property) continue
    const schema = property.type ? await readType(step, property.type) : unknownSchema()
    properties.push([property.name, describe(step, member, schema)])
    if (!property.optional) required.push(property.name)
  }
  return objectSchema(properties, required, others)
}

interface Property {
  name: string
  type: Node | undefined
  optional: boolean
}

function toProperty(member: TSSignature): Property | null {
  if (member.type === 'TSPropertySignature') {
    const type = member.typeAnnotation?.typeAnnotation
    if (type && isFunctionType(type)) return null
    return named(member, type, member.optional || allowsNothing(type))
  }
  const isGetter = member.type === 'TSMethodSignature' && member.kind === 'get'
  return isGetter ? named(member, member.returnType?.typeAnnotation, false) : null
}

function named(
  { key, computed }: { key: Node; computed: boolean },
  type: Node | undefined,
  optional: boolean,
): Property | null {
  const name = propertyName(key, computed)
  return name === null ? null : { name, type, optional }
}

/** A property that may be `undefined` may be left out: JSON has no word for it. */
export function allowsNothing(type: Node | undefined): boolean {
  if (type?.type === 'TSUnionType') return type.types.some(allowsNothing)
  return type?.type === 'TSUndefinedKeyword' || type?.type === 'TSVoidKeyword'
}

function isFunctionType({ type }: Node): boolean {
  return type === 'TSFunctionType' || type === 'TSConstructorType'
}

function describe({ module }: Step, { start }: Node, schema: JsonSchema): JsonSchema {
  const description = findDescription(module, start)
  return description ? { ...schema, description } : schema
}
