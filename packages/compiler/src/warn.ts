import type { AppError } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import type { Binding } from './bindings.ts'
import { readGraph } from './graph.ts'
import { peel } from './parse.ts'
import { readReferences, type Use } from './references.ts'
import { refuse, type Refusal, type Source } from './refuse.ts'
import { type Span, spanTest } from './span.ts'
import { findHeld } from './transform/prune.ts'
import type { FoundFunction } from './types.ts'

/**
 * Module-level state that a body uses: the app, the server and each worker have a copy of their own.
 *
 * - a variable that is assigned anywhere;
 * - a container that is changed somewhere, when code outside the bodies uses it too. One that only the function itself uses is a
 *   cache, which is what worker state is for.
 */
export function findMutableCaptures(source: Source, functions: Captor[]): AppError[] {
  const { uses } = readReferences(source.parsed)
  const bodies = functions.map((found) => ({ ...spanOf(source, found.body), found }))
  const isBody = spanTest(bodies)
  const isInBody = ({ start }: Use) => isBody(start)
  const captured = new Map<string, Use>()
  for (const use of uses)
    if (!use.type && isInBody(use) && !captured.has(use.name)) captured.set(use.name, use)
  return [...captured].flatMap(([name, first]) => {
    const binding = source.parsed.bindings.get(name)
    const values = uses.filter((use) => use.name === name && !use.type)
    if (!binding || !changes(binding, values, isInBody)) return []
    const { found } = bodies.find(({ start, end }) => first.start >= start && first.start < end)!
    return [refuse(source, first, mutableCapture(name, found))]
  })
}

type Captor = Pick<FoundFunction, 'body' | 'kind' | 'route'>

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
      message: `this statement keeps \`${use.name}\` in the page, together with what it imports; otherwise only code for workers uses it`,
      hint: `move it into \`setup\`, or move \`${use.name}\` and all that changes it to a module of its own and import it here`,
    }),
  )
}

function mutableCapture(name: string, found: Captor): Refusal {
  const { what, instead } = captors[captorOf(found)]
  const copies = found.route?.local ? 'the page and the server each' : 'the app and each worker'
  return {
    code: 'MUTABLE_CAPTURE',
    message: `the ${what} uses \`${name}\`, which changes; ${copies} have a copy of their own`,
    hint: instead,
  }
}

const orSetup = 'or make it in `setup` when it belongs to the worker'

const captors = {
  function: { what: 'remote function', instead: `pass the value as an argument, ${orSetup}` },
  class: { what: 'remote class', instead: 'pass the value as an argument, or make it a field of the class' },
  route: { what: 'route', instead: `take the value from the request, ${orSetup}` },
  local: {
    what: 'local route',
    instead:
      'take the value from the request, or move it to a module of its own when it belongs to the server',
  },
  socket: {
    what: 'WebSocket',
    instead:
      'send the value over the socket, or move it to a module of its own when it belongs to the worker',
  },
  web: {
    what: 'web app',
    instead:
      'send the value with the request, or make it in a function, together with the app: `endpoint(config, () => …)`',
  },
}

function captorOf({ kind, route }: Captor): keyof typeof captors {
  if (route?.local) return 'local'
  if (route?.method === 'WS') return 'socket'
  return kind === 'generator' ? 'function' : kind
}
