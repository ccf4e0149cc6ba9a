import type { AppError } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import type { Binding } from './bindings.ts'
import { readGraph } from './graph.ts'
import { peel } from './parse.ts'
import { readReferences, type Use } from './references.ts'
import { refuse, type Source } from './refuse.ts'
import { type Span, spanTest } from './span.ts'
import { findHeld } from './transform/prune.ts'

/**
 * Module-level state that a body uses: the app, the server and each worker have a copy of their own.
 *
 * - a variable that is assigned anywhere;
 * - a container that is changed somewhere, when code outside the bodies uses it too. One that only the function itself uses is a
 *   cache, which is what worker state is for.
 */
export function findMutableCaptures(source: Source, bodies: Node[]): AppError[] {
  const { uses } = readReferences(source.parsed)
  const isBody = spanTest(bodies.map((body) => spanOf(source, body)))
  const isInBody = ({ start }: Use) => isBody(start)
  const captured = new Map<string, Use>()
  for (const use of uses)
    if (!use.type && isInBody(use) && !captured.has(use.name)) captured.set(use.name, use)
  return [...captured].flatMap(([name, first]) => {
    const binding = source.parsed.bindings.get(name)
    const values = uses.filter((use) => use.name === name && !use.type)
    return binding && changes(binding, values, isInBody) ? [mutableCapture(source, first, name)] : []
  })
}

/** A body given by name is where the name is declared. */
function spanOf({ parsed }: Source, body: Node): Span {
  const binding = body.type === 'Identifier' ? parsed.bindings.get(body.name) : undefined
  return binding && binding.kind !== 'import' ? binding : body
}

function changes(binding: Binding, uses: Use[], isInBody: (use: Use) => boolean): boolean {
  if (binding.kind === 'let' || binding.kind === 'var') return uses.some(({ effect }) => effect === 'write')
  if (binding.kind !== 'const' || !binding.init || !isContainer(peel(binding.init))) return false
  const mutated = uses.some((use) => isMutation(use) && use.deferred)
  return mutated && uses.some((use) => use.deferred && !isInBody(use))
}

const mutators = /^(?:set|add|delete|clear|push|pop|shift|unshift|splice|sort|reverse|fill|copyWithin)$/

function isMutation({ effect, method }: Use): boolean {
  return effect === 'mutate' && (method === null || mutators.test(method))
}

function isContainer(node: Node): boolean {
  if (node.type === 'ArrayExpression' || node.type === 'ObjectExpression') return true
  return (
    node.type === 'NewExpression' &&
    node.callee.type === 'Identifier' &&
    /^(?:Array|Map|Set|WeakMap|WeakSet)$/.test(node.callee.name)
  )
}

/**
 * Statements at the top level that keep something in the page which otherwise only the functions use, and with it an import.
 *
 * ```ts
 * const db = new Database('data.db')
 * db.pragma('journal_mode = WAL')      // without this line, the page would not load the database
 * ```
 */
export function findKeptByStatements(source: Source, calls: Span[]): AppError[] {
  return findHeld(readGraph(source.parsed), spanTest(calls)).map((use) =>
    refuse(source, use, {
      code: 'STAYS_IN_PAGE',
      message: `this statement keeps \`${use.name}\` in the page, together with what it imports; otherwise only remote functions use it`,
      hint: 'move it into `setup`, or into a module of its own that only the function imports',
    }),
  )
}

function mutableCapture(source: Source, use: Use, name: string): AppError {
  return refuse(source, use, {
    code: 'MUTABLE_CAPTURE',
    message: `the remote function uses \`${name}\`, which changes; the app and each worker have a copy of their own`,
    hint: 'pass the value as an argument, or make it in `setup` when it belongs to the worker',
  })
}
