import {
  type DocumentNode,
  type FragmentDefinitionNode,
  GraphQLError,
  Kind,
  type OperationDefinitionNode,
  parse,
  type SelectionSetNode,
  visit,
} from 'graphql'

const LIMITS = { tokens: 20_000, depth: 16, valueDepth: 64, fields: 1_000, characters: 1_000_000 }

/**
 * The document of a query text, when answering it costs little.
 *
 * - throws a `GraphQLError` for a wrong text, and for one that is too long, too deep or has too many fields.
 */
export function parseQuery(text: string): DocumentNode {
  const document = parseText(text)
  checkValueDepth(document)
  const fragments = new Map<string, FragmentDefinitionNode>()
  for (const node of document.definitions)
    if (node.kind === Kind.FRAGMENT_DEFINITION) fragments.set(node.name.value, node)
  const cost = createCost(fragments)
  for (const node of document.definitions)
    if (node.kind === Kind.OPERATION_DEFINITION || node.kind === Kind.FRAGMENT_DEFINITION) {
      const { fields, depth } = cost(node.selectionSet, [])
      if (fields > LIMITS.fields) throw tooLarge(`it selects more than ${LIMITS.fields} fields`)
      if (depth > LIMITS.depth) throw tooLarge(`its fields are nested more than ${LIMITS.depth} deep`)
    }
  return document
}

function parseText(text: string): DocumentNode {
  try {
    return parse(text, {
      noLocation: true,
      maxLexicalTokens: LIMITS.tokens,
      maxSourceLength: LIMITS.characters,
      maxComments: 1_000,
    })
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge('it is nested too deep')
    throw error
  }
}

/** Values that are written into the text; those in variables were checked before. */
function checkValueDepth(document: DocumentNode): void {
  let depth = 0
  const enter = () => {
    depth += 1
    if (depth > LIMITS.valueDepth)
      throw tooLarge(`a value in it is nested more than ${LIMITS.valueDepth} deep`)
  }
  const leave = () => void (depth -= 1)
  visit(document, { ObjectValue: { enter, leave }, ListValue: { enter, leave } })
}

interface Cost {
  fields: number
  depth: number
}

/** What a selection comes to once fragments are put in. */
function createCost(fragments: Map<string, FragmentDefinitionNode>) {
  const known = new Map<string, Cost>()
  const ofFragment = (name: string, path: string[]): Cost => {
    const fragment = fragments.get(name)
    // Validation names a fragment that is unknown or contains itself.
    if (!fragment || path.includes(name)) return { fields: 0, depth: 0 }
    const cost = known.get(name) ?? ofSelection(fragment.selectionSet, [...path, name])
    known.set(name, cost)
    return cost
  }
  const ofSelection = (set: SelectionSetNode | undefined, path: string[], level = 0): Cost => {
    const total: Cost = { fields: 0, depth: 0 }
    // What is deeper makes no difference any more, and must not take the stack.
    if (!set || level > LIMITS.depth * 2) return { fields: 0, depth: level }
    for (const node of set.selections) {
      const inner =
        node.kind === Kind.FRAGMENT_SPREAD
          ? ofFragment(node.name.value, path)
          : ofSelection(node.selectionSet, path, level + 1)
      const own = node.kind === Kind.FIELD ? 1 : 0
      total.fields += own + inner.fields
      total.depth = Math.max(total.depth, own + inner.depth)
    }
    return total
  }
  return ofSelection
}

function tooLarge(why: string): GraphQLError {
  return new GraphQLError(`the query is refused: ${why}`)
}

/** The operation that is asked for; `undefined` when the document leaves that open. */
export function findOperation(
  document: DocumentNode,
  name: string | undefined,
): OperationDefinitionNode | undefined {
  const operations = document.definitions.filter((node) => node.kind === Kind.OPERATION_DEFINITION)
  if (name !== undefined) return operations.find((node) => node.name?.value === name)
  return operations.length === 1 ? operations[0] : undefined
}
