import type { Expression, Node } from 'oxc-parser'
import { peel } from '../parse.ts'
import { propertyName } from '../references.ts'
import { unknownSchema } from './known-schemas.ts'
import { objectSchema } from './step.ts'
import type { JsonSchema } from './types.ts'
import { toUnion } from './unions.ts'

/**
 * The type of a value that is written out, as TypeScript infers it.
 *
 * - `exact`: literals keep their value, as with `as const`.
 */
export function inferSchema(expression: Node, exact = false): JsonSchema {
  const isConst = exact || isAsConst(expression)
  const node = peel(expression)
  switch (node.type) {
    case 'ObjectExpression':
      return inferObject(node.properties, isConst)
    case 'ArrayExpression':
      return inferList(node.elements, isConst)
    case 'TemplateLiteral':
      return { type: 'string' }
    default:
      return inferLiteral(node, isConst)
  }
}

/** The value of an expression that is plain data, in a list: it may be `null`. */
export function toLiteral(expression: Node): [value: unknown] | null {
  const node = peel(expression)
  if (node.type === 'UnaryExpression' && node.operator === '-') {
    const [value] = toLiteral(node.argument) ?? []
    return typeof value === 'number' ? [-value] : null
  }
  if (node.type !== 'Literal' || 'regex' in node || 'bigint' in node) return null
  return [node.value]
}

function isAsConst(expression: Node): boolean {
  return (
    expression.type === 'TSAsExpression' &&
    expression.typeAnnotation.type === 'TSTypeReference' &&
    expression.typeAnnotation.typeName.type === 'Identifier' &&
    expression.typeAnnotation.typeName.name === 'const'
  )
}

function inferLiteral(node: Node, exact: boolean): JsonSchema {
  const literal = toLiteral(node)
  if (!literal) return unknownSchema()
  const [value] = literal
  if (value === null) return exact ? { type: 'null' } : unknownSchema()
  return exact ? { const: value } : { type: typeof value }
}

function inferObject(
  members: Extract<Expression, { type: 'ObjectExpression' }>['properties'],
  exact: boolean,
): JsonSchema {
  const properties = members.flatMap((member): [string, JsonSchema][] => {
    const name = member.type === 'Property' ? propertyName(member.key, member.computed) : null
    return member.type === 'Property' && name !== null ? [[name, inferSchema(member.value, exact)]] : []
  })
  if (properties.length < members.length) return { type: 'object' }
  return objectSchema(
    properties,
    properties.map(([name]) => name),
  )
}

function inferList(
  elements: Extract<Expression, { type: 'ArrayExpression' }>['elements'],
  exact: boolean,
): JsonSchema {
  const items = elements.map((element) =>
    element && element.type !== 'SpreadElement' ? inferSchema(element, exact) : unknownSchema(),
  )
  return items.length > 0 ? { type: 'array', items: toUnion(items) } : { type: 'array' }
}
