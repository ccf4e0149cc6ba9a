import type { CallExpression, Node } from 'oxc-parser'
import { ScopeTracker, walk } from 'oxc-walker'
import { type ParsedModule, peel } from '../parse.ts'
import { readReferences } from '../references.ts'

const kept = new WeakMap<ParsedModule, Map<string, Node>>()

/** The first place that makes a module-level name something else than its declaration says. */
export function findChange(module: ParsedModule, name: string): Node | undefined {
  const changes = kept.get(module)
  if (changes) return changes.get(name)
  const { uses } = readReferences(module)
  // Most modules change nothing, and then there is no need to look closer: `app.use(x)` is a change to `mutate`.
  const isSuspect = uses.some(
    (use) => use.name === name && (use.effect === 'write' || use.effect === 'mutate'),
  )
  return isSuspect ? findChanges(module).get(name) : undefined
}

/**
 * Module-level names whose value is not what their declaration says, with the first place that changes it.
 *
 * ```ts
 * let gpu = 'NVIDIA L4'
 * if (big) gpu = 'NVIDIA H200'       // gpu
 * base.workers = 3                   // base
 * list.push('NVIDIA L4')             // list
 * Object.assign(base, more)          // base
 * ```
 */
function findChanges(module: ParsedModule): Map<string, Node> {
  const changes = new Map<string, Node>()
  const scopeTracker = new ScopeTracker({ preserveExitedScopes: true })
  walk(module.program, { scopeTracker })
  scopeTracker.freeze()
  walk(module.program, {
    scopeTracker,
    enter(node) {
      for (const name of changedNames(node)) {
        const isOwn = scopeTracker.getDeclaration(name)?.scope === ''
        if (isOwn && !changes.has(name)) changes.set(name, node)
      }
    },
  })
  kept.set(module, changes)
  return changes
}

function changedNames(node: Node): string[] {
  switch (node.type) {
    case 'AssignmentExpression':
      return targetNames(node.left)
    case 'ForInStatement':
    case 'ForOfStatement':
      return targetNames(node.left)
    case 'UpdateExpression':
      return rootName(node.argument)
    case 'UnaryExpression':
      return node.operator === 'delete' ? rootName(node.argument) : []
    case 'CallExpression':
      return calledNames(node)
    default:
      return []
  }
}

/** `a.b.c`, `a[0]` and `(a as T).b` → `a`. */
function rootName(node: Node): string[] {
  let current = peel(node) as Node
  while (current.type === 'MemberExpression') current = peel(current.object) as Node
  return current.type === 'Identifier' ? [current.name] : []
}

function targetNames(node: Node): string[] {
  switch (node.type) {
    case 'ObjectPattern':
      return node.properties.flatMap((property) =>
        targetNames(property.type === 'Property' ? property.value : property.argument),
      )
    case 'ArrayPattern':
      return node.elements.flatMap((element) => (element ? targetNames(element) : []))
    case 'AssignmentPattern':
      return targetNames(node.left)
    case 'RestElement':
      return targetNames(node.argument)
    default:
      return rootName(node)
  }
}

const changingMethods = new Set([
  'push',
  'pop',
  'shift',
  'unshift',
  'splice',
  'sort',
  'reverse',
  'fill',
  'copyWithin',
])
const changingHelpers = new Set(['assign', 'defineProperty', 'defineProperties', 'setPrototypeOf', 'set'])

function calledNames({ callee, arguments: [first] }: CallExpression): string[] {
  const target = peel(callee)
  if (target.type !== 'MemberExpression' || target.computed) return []
  const owner = peel(target.object)
  const isHelper = owner.type === 'Identifier' && (owner.name === 'Object' || owner.name === 'Reflect')
  if (isHelper) return first && changingHelpers.has(target.property.name) ? rootName(first) : []
  return changingMethods.has(target.property.name) ? rootName(owner) : []
}
