import type { CallableFact, FunctionFact, ParamFact } from '@flash/protocol'
import type { ArrowFunctionExpression, CallExpression, Class, Expression, Function, Node } from 'oxc-parser'
import { isReferenceIdentifier, walk } from 'oxc-walker'
import type { Binding } from './bindings.ts'
import { classOf, nodeOf, readClass } from './class.ts'
import type { Detection } from './detect.ts'
import { followPath, type Target } from './follow.ts'
import { peel } from './parse.ts'
import { readParams } from './params.ts'
import { isFunction, memberPath } from './references.ts'
import { addProblem, type Refusal } from './refuse.ts'

export interface BodyShape {
  kind: FunctionFact['kind']
  callables: CallableFact[]
  constructorParams: ParamFact[] | null
  /** The second argument, out of wrappers and `unchecked()`. */
  body: Expression
}

/** What errors call a body. */
export interface BodyWords {
  /** `the second argument of \`remote()\`` */
  argument: string
  /** `a remote function` */
  what: string
  /** What else than a function it may be: `or class`. */
  also: string
  /** What to do instead of using `this`, and instead of `arguments`. */
  instead: string
  parameters: string
}

const bodyOfRemote: BodyWords = {
  argument: 'the second argument of `remote()`',
  what: 'a remote function',
  also: ' or class',
  instead: 'pass the value as an argument, or use a class: `remote(config, class { … })`',
  parameters: 'take a rest parameter: `(...args) => …`',
}

type AnyFunction = Function | ArrowFunctionExpression

/** What a caller can call when `remote()`, or a route, is given `argument`; refuses what cannot be known by reading. */
export async function readBody(
  detection: Detection,
  argument: Expression,
  words: Map<CallExpression, string>,
  { name, says = bodyOfRemote }: { name: string; says?: BodyWords },
): Promise<BodyShape> {
  const body = unwrap(argument, words)
  const shape = await readShape(detection, body, { name, says })
  if (shape) return { ...shape, body }
  addProblem(detection.findings, detection.source, body, notStatic(body, says))
  return { kind: 'function', callables: [], constructorParams: null, body }
}

function unwrap(argument: Expression, words: Map<CallExpression, string>): Expression {
  let body = peel(argument) as Expression
  while (body.type === 'CallExpression' && words.get(body) === 'unchecked') {
    const [inner] = body.arguments
    if (!inner || inner.type === 'SpreadElement') break
    body = peel(inner) as Expression
  }
  return body
}

type Shape = Omit<BodyShape, 'body'>

interface Naming {
  name: string
  says: BodyWords
}

async function readShape(detection: Detection, body: Expression, naming: Naming): Promise<Shape | null> {
  if (body.type === 'ArrowFunctionExpression' || body.type === 'FunctionExpression') {
    checkScope(detection, body, naming.says)
    return functionShape(body, naming.name)
  }
  if (body.type === 'ClassExpression')
    return classShape(detection, { module: detection.source.parsed, node: body })
  const path = memberPath(body)
  return path && readNamed(detection, path, naming)
}

async function readNamed(detection: Detection, path: string[], naming: Naming): Promise<Shape | null> {
  const { source, host, files } = detection
  const binding = source.parsed.bindings.get(path[0]!)
  // A member of an object of this module has no fixed value.
  if (!binding || (path.length > 1 && binding.kind !== 'import')) return null
  const target = await followPath(source.parsed, path, { host, files, visited: new Set() })
  const shape = target && (await targetShape(detection, target, naming))
  return shape ?? (isUnknownImport(binding, target) ? unknownShape(naming.name) : null)
}

/** What an import leads to may be made by code we do not read; it is a function nevertheless. */
function isUnknownImport(binding: Binding, target: Target | null): boolean {
  return binding.kind === 'import' && !binding.typeOnly && target?.kind !== 'namespace'
}

async function targetShape(
  detection: Detection,
  target: Target,
  { name, says }: Naming,
): Promise<Shape | null> {
  const found = classOf(target)
  if (found) return classShape(detection, found)
  const node = nodeOf(target)
  if (!node || !isFunction(node) || !(node as AnyFunction).body) return null
  if ('module' in target && target.module === detection.source.parsed)
    checkScope(detection, node as AnyFunction, says)
  return functionShape(node as AnyFunction, name)
}

function functionShape(node: AnyFunction, name: string): Shape {
  const kind = node.generator ? 'generator' : 'function'
  return { kind, callables: [{ name, kind, params: readParams(node.params) }], constructorParams: null }
}

function unknownShape(name: string): Shape {
  return { kind: 'function', callables: [{ name, kind: 'function', params: null }], constructorParams: null }
}

async function classShape(
  detection: Detection,
  found: { module: Detection['source']['parsed']; node: Class },
): Promise<Shape> {
  return { kind: 'class', ...(await readClass(detection, found)) }
}

function notStatic(body: Expression, { argument, also }: BodyWords): Refusal {
  return {
    code: 'REMOTE_BODY',
    message: `${argument} is ${describe(body, also)}, so the build cannot see the function`,
    hint: `pass a function${also} written here, or the name of one at the top level of a module`,
  }
}

const descriptions: Partial<Record<Node['type'], string>> = {
  AwaitExpression: 'awaited',
  CallExpression: 'the result of a call',
  ConditionalExpression: 'chosen by a condition',
  LogicalExpression: 'chosen by a condition',
  MemberExpression: 'a member of an object',
  ObjectExpression: 'an object',
  Literal: 'a literal',
  TemplateLiteral: 'a string',
}

function describe(body: Expression, also: string): string {
  if (body.type === 'Identifier')
    return `\`${body.name}\`, which is not a function${also} declared in this module`
  return descriptions[body.type] ?? `not a function${also}`
}

/** Refuses what would mean something else, or nothing, on a worker. */
function checkScope({ source, findings }: Detection, root: AnyFunction, says: BodyWords): void {
  const arrow = root.type === 'ArrowFunctionExpression'
  const inner: Node[] = []
  const thisParam = root.params.find((param) => param.type === 'Identifier' && param.name === 'this')
  if (thisParam) addProblem(findings, source, thisParam, usesScope('this', says))
  walk(root, {
    enter(node, parent) {
      if (node !== root && hasOwnThis(node)) inner.push(node)
      const what = inner.length === 0 && scopeWord(node, parent, arrow)
      if (what) addProblem(findings, source, node, usesScope(what, says))
    },
    leave(node) {
      if (inner.at(-1) === node) inner.pop()
    },
  })
}

function hasOwnThis(node: Node): boolean {
  return node.type === 'ClassBody' || (isFunction(node) && node.type !== 'ArrowFunctionExpression')
}

function scopeWord(node: Node, parent: Node | null, arrow: boolean): string | null {
  if (node.type === 'ThisExpression') return 'this'
  if (node.type === 'Super') return 'super'
  if (!arrow) return null
  if (node.type === 'MetaProperty' && node.meta.name === 'new') return 'new.target'
  const named = node.type === 'Identifier' && node.name === 'arguments'
  return named && isReferenceIdentifier(node, parent) ? 'arguments' : null
}

function usesScope(what: string, says: BodyWords): Refusal {
  return {
    code: 'REMOTE_SCOPE',
    message: `${says.what} cannot use \`${what}\`: it is called on its own, in another process`,
    hint: what === 'arguments' ? says.parameters : says.instead,
  }
}
