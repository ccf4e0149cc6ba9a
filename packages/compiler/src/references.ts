import type { CallExpression, Class, Node, VariableDeclaration } from 'oxc-parser'
import { isReferenceIdentifier, ScopeTracker, walk } from 'oxc-walker'
import { type Binding, patternNames } from './bindings.ts'
import { isWrapper, type ParsedModule, peel } from './parse.ts'

/**
 * What a use does to its binding.
 *
 * - `write`: the binding itself is assigned: `count += 1`.
 * - `mutate`: what it holds may change: `app.use(x)`, `env.cache = false`, `Object.assign(options, x)`.
 * - `call`: it is called directly.
 */
export type Effect = 'read' | 'write' | 'mutate' | 'call'

/** One mention of a module-level binding. */
export interface Use {
  name: string
  start: number
  end: number
  parent: Node
  /** Erased before the code runs. */
  type: boolean
  effect: Effect
  /** The method whose call is the effect: `set` for `cache.set(…)`. */
  method: string | null
  /** Inside a function that is not called where it is written, so not when the module is evaluated. */
  deferred: boolean
}

/** A call whose callee begins with an import, with what a call gave to a constant, or with a `remote` or `endpoint` that nothing declares. */
export interface NamedCall {
  node: CallExpression
  /** `['flash', 'remote']` for `flash.remote(…)`. */
  path: string[]
  declared: boolean
  /** From the program down to the call's parent. */
  ancestors: Node[]
}

export interface References {
  /** Sorted by position. */
  uses: Use[]
  calls: NamedCall[]
  /** Calls of methods: `api.get(…)`, where `const api = endpoint(…)` is at the top level. */
  methods: NamedCall[]
  /** `var` declared in blocks; it belongs to the module nevertheless. */
  hoisted: { name: string; start: number }[]
}

const known = new WeakMap<ParsedModule, References>()

export function readReferences(parsed: ParsedModule): References {
  const before = known.get(parsed)
  if (before) return before
  const references = collect(parsed)
  known.set(parsed, references)
  return references
}

interface State extends References {
  parsed: ParsedModule
  scopes: ScopeTracker
  ancestors: Node[]
  /** How many of the ancestors are erased types, functions, decorated classes. */
  depth: Record<'type' | 'function' | 'deferred' | 'decorated', number>
  /** Functions that are called where they are written. */
  immediate: Set<Node>
  jsxNames: string[]
}

function collect(parsed: ParsedModule): References {
  const scopes = new ScopeTracker({ preserveExitedScopes: true })
  walk(parsed.program, { scopeTracker: scopes })
  scopes.freeze()
  const state: State = {
    parsed,
    scopes,
    uses: [],
    calls: [],
    methods: [],
    hoisted: [],
    ancestors: [],
    depth: { type: 0, function: 0, deferred: 0, decorated: 0 },
    immediate: new Set(),
    jsxNames: implicitJsxNames(parsed),
  }
  walk(parsed.program, {
    scopeTracker: scopes,
    enter(node, parent) {
      visit(state, node, parent)
      count(state, node, 1)
      state.ancestors.push(node)
    },
    leave(node) {
      state.ancestors.pop()
      count(state, node, -1)
    },
  })
  const { calls, methods, hoisted } = state
  return { uses: state.uses.sort((a, b) => a.start - b.start), calls, methods, hoisted }
}

function count({ depth, immediate }: State, node: Node, by: 1 | -1): void {
  if (isErased(node)) depth.type += by
  else if (isFunction(node)) {
    depth.function += by
    if (!immediate.has(node)) depth.deferred += by
  } else if (isClass(node) && isDecorated(node)) depth.decorated += by
}

function visit(state: State, node: Node, parent: Node | null): void {
  switch (node.type) {
    case 'Identifier':
    case 'JSXIdentifier':
      if (parent) visitName(state, node, parent)
      return
    case 'JSXElement':
    case 'JSXFragment':
      for (const name of state.jsxNames)
        addUse(state, name, { start: node.start, end: node.start }, node, false)
      return
    case 'CallExpression':
      return visitCall(state, node)
    case 'VariableDeclaration':
      if (node.kind === 'var') visitVar(state, node)
  }
}

function visitName(state: State, node: Node & { name: string }, parent: Node): void {
  const { scopes, depth } = state
  if (parent.type === 'ExportSpecifier' && isReExport(state.ancestors.at(-2))) return
  const erased = depth.type > 0
  if (!isReferenceIdentifier(node, parent, { mode: erased ? 'all' : 'value' }) && !isAliasOf(parent, node))
    return
  if (scopes.getDeclaration(node.name, { mode: 'all' })?.scope !== '') return
  const type = (erased && depth.decorated === 0) || isTypeExport(parent, state.ancestors.at(-2))
  addUse(state, node.name, node, parent, type)
}

/** `import A = B.C` uses `B` when the module runs. */
function isAliasOf(parent: Node, node: Node): boolean {
  return parent.type === 'TSQualifiedName' && parent.left === node
}

function isReExport(statement: Node | undefined): boolean {
  return statement?.type === 'ExportNamedDeclaration' && statement.source !== null
}

function isTypeExport(parent: Node, statement: Node | undefined): boolean {
  if (parent.type !== 'ExportSpecifier') return false
  return (
    parent.exportKind === 'type' ||
    (statement?.type === 'ExportNamedDeclaration' && statement.exportKind === 'type')
  )
}

function addUse(
  state: State,
  name: string,
  at: { start: number; end: number },
  parent: Node,
  type: boolean,
): void {
  const { effect, method } = effectOf(at, state.ancestors)
  if (effect === 'declare') return
  const { start, end } = at
  state.uses.push({ name, start, end, parent, type, effect, method, deferred: state.depth.deferred > 0 })
}

interface Done {
  effect: Effect | 'declare'
  method: string | null
}

/** Climbs from an identifier to what is done with it. */
function effectOf(at: unknown, ancestors: Node[]): Done {
  let child = at
  let member: Node | undefined
  let index = ancestors.length - 1
  for (; index > 0 && isPassedThrough(ancestors[index]!, child); index--) {
    child = ancestors[index]
    if (ancestors[index]!.type === 'MemberExpression') member = ancestors[index]
  }
  const effect = effectIn(ancestors[index]!, child)
  if (member?.type !== 'MemberExpression' || (effect !== 'write' && effect !== 'call'))
    return { effect, method: null }
  return {
    effect: 'mutate',
    method: effect === 'call' ? propertyName(member.property, member.computed) : null,
  }
}

function effectIn(parent: Node, child: unknown): Effect | 'declare' {
  if (isTarget(parent, child)) return 'write'
  if (isCallee(parent, child)) return 'call'
  if (isMutatedArgument(parent, child)) return 'mutate'
  return parent.type === 'VariableDeclarator' && parent.id === child ? 'declare' : 'read'
}

/** Wrappers, the object of a member, and the inside of a destructuring pattern. */
function isPassedThrough(parent: Node, child: unknown): boolean {
  switch (parent.type) {
    case 'MemberExpression':
      return parent.object === child
    case 'Property':
      return parent.value === child
    case 'AssignmentPattern':
      return parent.left === child
    case 'ObjectPattern':
    case 'ArrayPattern':
    case 'RestElement':
    case 'ChainExpression':
      return true
    default:
      return isWrapper(parent)
  }
}

function isTarget(parent: Node, child: unknown): boolean {
  switch (parent.type) {
    case 'AssignmentExpression':
    case 'ForInStatement':
    case 'ForOfStatement':
      return parent.left === child
    case 'UpdateExpression':
      return true
    case 'UnaryExpression':
      return parent.operator === 'delete'
    default:
      return false
  }
}

function isCallee(parent: Node, child: unknown): boolean {
  return (
    (parent.type === 'CallExpression' && parent.callee === child) ||
    (parent.type === 'TaggedTemplateExpression' && parent.tag === child)
  )
}

const mutators = /^(?:assign|define|set|freeze|seal|preventExtensions|deleteProperty)/

/** `Object.assign(options, …)`, `Reflect.set(options, …)`. */
function isMutatedArgument(parent: Node, child: unknown): boolean {
  if (parent.type !== 'CallExpression' || parent.arguments[0] !== child) return false
  const { callee } = parent
  if (callee.type !== 'MemberExpression' || callee.computed || callee.object.type !== 'Identifier')
    return false
  return /^(?:Object|Reflect)$/.test(callee.object.name) && mutators.test(callee.property.name)
}

function visitCall(state: State, node: CallExpression): void {
  state.immediate.add(peel(node.callee))
  const path = memberPath(node.callee)
  if (!path) return
  const declaration = state.scopes.getDeclaration(path[0]!, { mode: 'all' })
  const declared = declaration !== null
  const binding = declaration?.scope === '' ? state.parsed.bindings.get(path[0]!) : undefined
  listFor(state, path, declared, binding)?.push({ node, path, declared, ancestors: [...state.ancestors] })
}

function listFor(
  { calls, methods }: State,
  path: string[],
  declared: boolean,
  binding: Binding | undefined,
): NamedCall[] | null {
  const ours = declared
    ? binding?.kind === 'import'
    : path.length === 1 && (path[0] === 'remote' || path[0] === 'endpoint')
  if (ours) return calls
  return path.length === 2 && isMade(binding) ? methods : null
}

function isMade(binding: Binding | undefined): boolean {
  return binding?.kind === 'const' && binding.init !== null && peel(binding.init).type === 'CallExpression'
}

/** `a.b['c']` → `['a', 'b', 'c']`; `null` for anything that is not names all the way. */
export function memberPath(node: Node): string[] | null {
  const path: string[] = []
  let current: Node = peel(node)
  while (current.type === 'MemberExpression') {
    const name = propertyName(current.property, current.computed)
    if (name === null) return null
    path.unshift(name)
    current = peel(current.object)
  }
  return current.type === 'Identifier' ? [current.name, ...path] : null
}

/** The name of a property or member when reading can tell it. */
export function propertyName(key: Node, computed: boolean): string | null {
  const inner = peel(key)
  if (!computed && inner.type === 'Identifier') return inner.name
  if (inner.type === 'Literal' && (typeof inner.value === 'string' || typeof inner.value === 'number'))
    return String(inner.value)
  if (inner.type === 'TemplateLiteral' && inner.expressions.length === 0) return inner.quasis[0]!.value.cooked
  return null
}

function visitVar({ ancestors, depth, hoisted }: State, node: VariableDeclaration): void {
  const parent = ancestors.at(-1)
  const topLevel = parent?.type === 'Program' || parent?.type === 'ExportNamedDeclaration'
  const ownScope = ancestors.some(({ type }) => type === 'StaticBlock' || type === 'TSModuleBlock')
  if (topLevel || depth.function > 0 || ownScope) return
  for (const { id } of node.declarations)
    for (const name of patternNames(id)) hoisted.push({ name, start: node.start })
}

/** JSX calls one of these without naming it, as the compiler options say; we do not see those. */
function implicitJsxNames({ comments, bindings }: ParsedModule): string[] {
  const pragmas = comments.flatMap(({ value }) =>
    [...value.matchAll(/@jsx(?:Frag)?\s+([\w$]+)/g)].map((match) => match[1]!),
  )
  return ['React', 'h', 'Fragment', ...pragmas].filter((name) => bindings.get(name)?.kind === 'import')
}

export function isFunction(node: Node): boolean {
  return (
    node.type === 'ArrowFunctionExpression' ||
    node.type === 'FunctionExpression' ||
    node.type === 'FunctionDeclaration'
  )
}

function isClass(node: Node): node is Class {
  return node.type === 'ClassDeclaration' || node.type === 'ClassExpression'
}

/** With decorators, types of parameters and properties may be emitted as values (`emitDecoratorMetadata`). */
function isDecorated(node: Class): boolean {
  if (node.decorators.length > 0) return true
  return node.body.body.some((member) => {
    if ('decorators' in member && member.decorators.length > 0) return true
    return (
      member.type === 'MethodDefinition' &&
      member.value.params.some((param) => (param.decorators?.length ?? 0) > 0)
    )
  })
}

const evaluatedTypes = new Set<Node['type']>([
  'TSEnumDeclaration',
  'TSEnumBody',
  'TSEnumMember',
  'TSModuleDeclaration',
  'TSModuleBlock',
  'TSParameterProperty',
  'TSImportEqualsDeclaration',
  'TSExternalModuleReference',
  'TSQualifiedName',
  'TSExportAssignment',
])

function isErased(node: Node): boolean {
  if ('declare' in node && node.declare) return true
  return node.type.startsWith('TS') && !evaluatedTypes.has(node.type) && !isWrapper(node)
}
