import type { CallExpression, Node } from 'oxc-parser'
import { dottedName, readKnown, readName, targetOf } from './fold/names.ts'
import { findMember, readArray, readMember, readObject, spreadInto } from './fold/objects.ts'
import { applyBinary, applyUnary } from './fold/operators.ts'
import { type Folder, foldPart, placeOf, type Step } from './fold/step.ts'
import {
  type Entry,
  type Folded,
  type FoldedObject,
  fromData,
  nothing,
  type Place,
  unknown,
} from './fold/values.ts'
import { peel } from './parse.ts'
import { memberPath } from './references.ts'

/**
 * What an expression is, without running anything.
 *
 * Reads literals, objects, lists, templates, operators, conditions, members, spreads, constants of this and other modules, JSON
 * files, `define` entries, `import.meta.env`, hardware names. Everything else is `unknown`, with its reason.
 */
export function fold(folder: Folder, place: Place): Promise<Folded> {
  return foldStep({ folder, place, name: null, active: [], fold: foldStep })
}

/** Where a value is written that an expression names through constants and members; the expression itself when it names none. */
export async function findReferent(folder: Folder, place: Place): Promise<Entry> {
  let step: Step = { folder, place, name: null, active: [], fold: foldStep }
  for (let next: Step | null = step; next; next = await followOnce(step)) step = next
  const { place: found, name } = step
  return { place: found, field: found, name, fold: () => foldStep({ ...step, active: [] }) }
}

/** One step from a name or member to what it names. */
async function followOnce(step: Step): Promise<Step | null> {
  const node = peel(step.place.node) as Node
  const entry = node.type === 'MemberExpression' ? await findMember(step, node) : null
  if (entry) return { ...step, place: entry.place, name: entry.name }
  const path = memberPath(node)
  const target = path && (await targetOf(step, path))
  if (target?.kind === 'expression') return { ...step, place: target, name: 'default' }
  if (target?.kind !== 'declared' || step.active.includes(target.binding)) return null
  const { module, binding } = target
  const active = [...step.active, binding]
  return { ...step, place: { module, node: binding.init ?? binding.node }, name: binding.name, active }
}

type Reader<T extends Node['type']> = (
  step: Step,
  node: Extract<Node, { type: T }>,
) => Promise<Folded> | Folded

const code = (): Folded => ({ kind: 'code' })

const readers: { [T in Node['type']]?: Reader<T> } = {
  Literal: (step, node) =>
    'regex' in node
      ? unknown(step.place, 'is a regular expression', 'never')
      : { kind: 'plain', value: node.value },
  Identifier: (step, node) => readName(step, node.name),
  ObjectExpression: readObject,
  ArrayExpression: readArray,
  MemberExpression: readMember,
  ChainExpression: (step, { expression }) => foldPart(step, expression),
  TemplateLiteral: async (step, { quasis, expressions }) => {
    let text = quasis[0]!.value.cooked!
    for (const [index, expression] of expressions.entries()) {
      const value = await foldPart(step, expression)
      if (value.kind === 'unknown') return value
      if (value.kind !== 'plain') return unknown(placeOf(step, expression), 'is no plain value', 'run')
      text += `${value.value}${quasis[index + 1]!.value.cooked}`
    }
    return { kind: 'plain', value: text }
  },
  UnaryExpression: async (step, { operator, argument }) => {
    const value = await foldPart(step, argument)
    if (value.kind === 'unknown') return value
    if (operator === '!') return { kind: 'plain', value: !isTruthy(value) }
    const result = value.kind === 'plain' ? applyUnary(operator, value.value) : null
    return result ? { kind: 'plain', ...result } : unknown(step.place, `uses "${operator}"`, 'run')
  },
  BinaryExpression: async (step, { operator, left, right }) => {
    const first = await foldPart(step, left)
    if (first.kind === 'unknown') return first
    const second = await foldPart(step, right)
    if (second.kind === 'unknown') return second
    const isPlain = first.kind === 'plain' && second.kind === 'plain'
    const result = isPlain ? applyBinary(operator, first.value, second.value) : null
    return result ? { kind: 'plain', ...result } : unknown(step.place, `uses "${operator}"`, 'run')
  },
  LogicalExpression: async (step, { operator, left, right }) => {
    const first = await foldPart(step, left)
    if (first.kind === 'unknown') return first
    const isMissing = first.kind === 'plain' && (first.value === null || first.value === undefined)
    const takesSecond = operator === '??' ? isMissing : isTruthy(first) === (operator === '&&')
    return takesSecond ? foldPart(step, right) : first
  },
  ConditionalExpression: async (step, { test, consequent, alternate }) => {
    const condition = await foldPart(step, test)
    if (condition.kind === 'unknown') return condition
    return foldPart(step, isTruthy(condition) ? consequent : alternate)
  },
  CallExpression: readCall,
  NewExpression: (step, node) => readHelper(step, node.callee, node.arguments),
  ArrowFunctionExpression: code,
  FunctionExpression: code,
  FunctionDeclaration: code,
  ClassExpression: code,
  ClassDeclaration: code,
}

async function foldStep(step: Step): Promise<Folded> {
  const node = peel(step.place.node) as Node
  const inner = { ...step, place: placeOf(step, node) }
  const known = await readKnown(inner, node)
  if (known) return known
  const read = readers[node.type] as ((step: Step, node: Node) => Promise<Folded>) | undefined
  return read ? read(inner, node) : unknown(inner.place, 'needs to be executed', 'run')
}

function isTruthy(folded: Folded): boolean {
  return folded.kind === 'plain' ? Boolean(folded.value) : true
}

async function readCall(step: Step, { callee, arguments: given }: CallExpression): Promise<Folded> {
  const [first] = given
  const isFreeze = dottedName(callee) === 'Object.freeze' && !step.place.module.bindings.has('Object')
  return isFreeze && first ? foldPart(step, first) : readHelper(step, callee, given)
}

/** `NetworkVolume({ name })` is `{ kind: 'network', name }`. */
async function readHelper(step: Step, callee: Node, given: readonly Node[]): Promise<Folded> {
  const helper = await foldPart(step, callee)
  if (helper.kind !== 'helper') return unknown(step.place, 'calls a function', 'run')
  const [first] = given
  const options = first ? await foldPart(step, first) : nothing
  if (options.kind === 'unknown') return options
  const object: FoldedObject = { kind: 'object', entries: new Map(), rest: null }
  spreadInto(object, options, step.place)
  spreadInto(object, fromData({ kind: helper.makes }, step.place), step.place)
  return object
}
