import type { Node, ObjectExpression } from 'oxc-parser'
import { type ParsedModule, peel } from '../parse.ts'
import { propertyName } from '../references.ts'
import type { Span } from '../span.ts'
import { listSpans } from './remove.ts'

/** Expressions of the module, without wrappers, whose fields are fields of the configs. */
export function findFlow(parsed: ParsedModule, configs: Node[]): Set<Node> {
  const flowing = new Set<Node>(configs.map((config) => peel(config)))
  for (const node of flowing) for (const origin of originsOf(parsed, node)) flowing.add(peel(origin))
  return flowing
}

/** The fields of configs that are code, in every literal of the module that flows into one. */
export function findCode(parsed: ParsedModule, configs: Node[]): Span[] {
  return [...findFlow(parsed, configs)].flatMap((node) => {
    if (node.type !== 'ObjectExpression') return []
    return listSpans(node.properties, isCodeField, node.end - 1)
  })
}

/** Expressions whose fields an expression may have. */
function originsOf({ bindings }: ParsedModule, node: Node): Node[] {
  switch (node.type) {
    case 'ObjectExpression':
      return node.properties.flatMap((property) =>
        property.type === 'SpreadElement' ? [property.argument] : [],
      )
    case 'ConditionalExpression':
      return [node.consequent, node.alternate]
    case 'LogicalExpression':
      return [node.left, node.right]
    case 'Identifier': {
      const binding = bindings.get(node.name)
      return binding?.kind === 'const' && binding.init ? [binding.init] : []
    }
    default:
      return []
  }
}

const codeFields = new Set(['setup', 'input', 'output'])

function isCodeField(property: ObjectExpression['properties'][number]): boolean {
  return property.type === 'Property' && codeFields.has(propertyName(property.key, property.computed) ?? '')
}
