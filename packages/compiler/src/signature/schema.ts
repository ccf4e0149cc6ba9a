import type { Node } from 'oxc-parser'
import { inferSchema } from './infer.ts'
import { unknownSchema } from './known-schemas.ts'
import { allowsNothing, readMembers } from './members.ts'
import { readImported, readQualified, readTypeof } from './named.ts'
import { readIndexed, readKeyof, readMapped, readTuple, toIntersection } from './shapes.ts'
import { readType, type Step } from './step.ts'
import type { JsonSchema } from './types.ts'
import { toUnion } from './unions.ts'

type Reader<T extends Node['type']> = (
  step: Step,
  node: Extract<Node, { type: T }>,
) => Promise<JsonSchema> | JsonSchema

const is = (type: string) => (): JsonSchema => ({ type })
const isNo = (what: string) => (): JsonSchema => unknownSchema(`${what}, which does not travel`)

const readers: { [T in Node['type']]?: Reader<T> } = {
  TSStringKeyword: is('string'),
  TSNumberKeyword: is('number'),
  TSBooleanKeyword: is('boolean'),
  TSTypePredicate: is('boolean'),
  TSNullKeyword: is('null'),
  TSUndefinedKeyword: is('null'),
  TSVoidKeyword: is('null'),
  TSObjectKeyword: is('object'),
  TSTemplateLiteralType: is('string'),
  TSBigIntKeyword: () => unknownSchema('a bigint, for which plain JSON has no word'),
  TSNeverKeyword: () => ({ not: {} }),
  TSSymbolKeyword: isNo('a symbol'),
  TSFunctionType: isNo('a function'),
  TSConstructorType: isNo('a class'),
  TSLiteralType: (_, { literal }) => inferSchema(literal, true),
  TSArrayType: async (step, { elementType }) => ({
    type: 'array',
    items: await readType(step, elementType),
  }),
  TSTupleType: readTuple,
  TSUnionType: (step, { types }) => readUnion(step, types),
  TSIntersectionType: async (step, { types }) => {
    const parts: JsonSchema[] = []
    for (const type of types) parts.push(await readType(step, type))
    return toIntersection(step, parts)
  },
  TSTypeLiteral: (step, { members }) => readMembers(step, members),
  TSParenthesizedType: (step, { typeAnnotation }) => readType(step, typeAnnotation),
  TSNamedTupleMember: (step, { elementType }) => readType(step, elementType),
  TSTypeOperator: (step, { operator, typeAnnotation }) => {
    if (operator === 'keyof') return readKeyof(step, typeAnnotation)
    return operator === 'readonly' ? readType(step, typeAnnotation) : isNo('a symbol')()
  },
  TSTypeReference: (step, { typeName, typeArguments }) =>
    readQualified(step, typeName, typeArguments?.params ?? []),
  TSIndexedAccessType: (step, { objectType, indexType }) => readIndexed(step, objectType, indexType),
  TSMappedType: readMapped,
  TSTypeQuery: (step, { exprName }) => readTypeof(step, exprName),
  TSImportType: (step, { source, qualifier, typeArguments }) =>
    qualifier?.type === 'Identifier'
      ? readImported(step, source.value, qualifier.name, typeArguments?.params ?? [])
      : unknownSchema(),
}

/** The JSON Schema of a type, as far as its text and the project's files tell it. */
export async function readSchema(step: Step, node: Node): Promise<JsonSchema> {
  const read = readers[node.type] as Reader<Node['type']> | undefined
  return read ? read(step, node) : unknownSchema()
}

async function readUnion(step: Step, types: Node[]): Promise<JsonSchema> {
  const schemas: JsonSchema[] = []
  for (const type of types) if (!allowsNothing(type)) schemas.push(await readType(step, type))
  return schemas.length > 0 ? toUnion(schemas) : { type: 'null' }
}
