import type { RouteFact } from '@flash/protocol'
import type { CallExpression, Expression, Node } from 'oxc-parser'
import { type BodyWords, readBody } from '../body.ts'
import type { Detection } from '../detect.ts'
import { isExportedPath } from '../exported.ts'
import { functionId } from '../id.ts'
import { isWrapper, peel } from '../parse.ts'
import { type Made, type Place, readPlace } from '../place.ts'
import { type NamedCall, propertyName } from '../references.ts'
import { addProblem, type Refusal, type Source } from '../refuse.ts'
import type { FoundApi, FoundFunction } from '../types.ts'
import { findConfigured } from './configured.ts'
import { methodOf } from './methods.ts'
import { readOptions } from './options.ts'
import { readRoutePath } from './path.ts'

/** A call of a method of `const api = endpoint(…)`. */
export interface RouteCall extends NamedCall {
  api: FoundApi
}

/** The route of `api.get(path, handler, options?)`; `null` when it was refused. */
export async function readRoute(
  detection: Detection,
  { node, path: [name, member], ancestors, api }: RouteCall,
  words: Map<CallExpression, string>,
): Promise<FoundFunction | null> {
  const { source, findings, host } = detection
  const call = `${name}.${member}`
  const method = methodOf(member!)
  const place = readRoutePlace(ancestors, node, call)
  const wrong = method
    ? (checkArguments(node, call) ??
      ('refusal' in place ? orClient(api, place.refusal) : checkOrder(source, node, api)))
    : noMethod(call)
  if (!method || wrong || 'refusal' in place) {
    addProblem(findings, source, node, wrong as Refusal)
    return null
  }
  const [first, handler, options] = node.arguments as Expression[]
  const path = await readRoutePath(detection, first!)
  const body = await readHandler(detection, handler!, words, { method, call })
  const read = readOptions(detection, options, method)
  if (path === null) return null
  const { package: owner, path: file } = host.locate(source.parsed.file)
  const exportPath = `${api.name}.${method} ${path}`
  return {
    id: functionId(owner, file, exportPath),
    exportPath,
    ...(place.path.length > 0 && { name: place.path.join('.') }),
    exported: place.path.length > 0 && isExportedPath(source.parsed, place.path),
    kind: 'route',
    callables: [],
    constructorParams: null,
    at: source.parsed.position(node.start, source.shown),
    call: node,
    config: api.config,
    body,
    route: { method, path, ...read },
    api,
  }
}

/** As for functions, or nowhere: a statement at the top level is a route without a callable. */
function readRoutePlace(ancestors: Node[], node: CallExpression, call: string): Place {
  const outer = ancestors.findLastIndex((one) => !isWrapper(one) && one.type !== 'ChainExpression')
  const isStatement = ancestors[outer]?.type === 'ExpressionStatement'
  if (isStatement && ancestors[outer - 1]?.type === 'Program') return { path: [] }
  const chained = ancestors[outer]
  if (
    chained?.type === 'MemberExpression' &&
    methodOf(propertyName(chained.property, chained.computed) ?? '')
  )
    return { refusal: notChained(call) }
  const made: Made = {
    call: `${call}()`,
    what: 'route',
    example: `read = ${call}(…)`,
    instead:
      'write each route out at the top level of the module; one with a parameter, `/items/:id`, answers for many',
  }
  return readPlace(ancestors, node, made)
}

function notChained(call: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `\`${call}()\` gives the route that it makes, so no other is made with it`,
    hint: `begin each route with \`${call.split('.')[0]}\`, in a statement of its own`,
  }
}

const toBeClient = 'to call an endpoint that exists, its config says `id`, `app` or `image` in this module'

/** Where the config is written elsewhere, the call may be meant for an endpoint that exists. */
function orClient({ config }: FoundApi, refusal: Refusal): Refusal {
  if (config.type === 'ObjectExpression' && !config.properties.some(({ type }) => type === 'SpreadElement'))
    return refusal
  return { ...refusal, hint: `${refusal.hint}; ${toBeClient}` }
}

function checkArguments({ arguments: given }: CallExpression, call: string): Refusal | null {
  const isSpread = given.some(({ type }) => type === 'SpreadElement')
  if (!isSpread && (given.length === 2 || given.length === 3)) return null
  const has = isSpread
    ? 'these are spread'
    : `this one has ${given.length === 1 ? 'one argument' : `${given.length} arguments`}`
  return {
    code: 'BAD_ROUTE',
    message: `a route takes a path, a handler and, if it has them, its schemas, and ${has}`,
    hint: `write \`${call}('/items/:id', handler, { … })\`; ${toBeClient}`,
  }
}

/** Loading the module would fail, in its worker only: a `const` has no value above its line. */
function checkOrder({ parsed, shown }: Source, { start }: Node, { name, call }: FoundApi): Refusal | null {
  if (start > call.start) return null
  const { file, line, column } = parsed.position(call.start, shown)
  return {
    code: 'BAD_ROUTE',
    message: `this route is above its endpoint: \`${name}\` is made at ${file}:${line}:${column}, and cannot be used before`,
    hint: `move \`const ${name} = endpoint(…)\` above its first route`,
  }
}

function noMethod(call: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `\`${call}()\` makes no route`,
    hint: `use get, post, put, patch, delete, head, options or ws; ${toBeClient}`,
  }
}

const fromRequest = 'take what the request has from its argument: `({ params, query, body }) => …`'

const handlerWords: BodyWords = {
  argument: 'the handler of the route',
  what: 'the handler of a route',
  also: '',
  instead: fromRequest,
  parameters: fromRequest,
}

const noHooks: Refusal = {
  code: 'BAD_ROUTE',
  message: 'the hooks of a WebSocket are an object with functions',
  hint: 'write `{ open(peer) {}, message(peer, message) {}, close(peer) {} }`, with those that you need',
}

function hooksChanged(name: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `the hooks of this WebSocket use \`${name}\`, which statements of the module change, and those would stay in the browser`,
    hint: `write the hooks out in the call, or move \`${name}\` to a module of its own and import it here`,
  }
}

interface Asked {
  method: RouteFact['method']
  call: string
}

/** The handler, out of wrappers; hooks of a WebSocket are an object, however it is made. */
async function readHandler(
  detection: Detection,
  argument: Expression,
  words: Map<CallExpression, string>,
  { method, call }: Asked,
): Promise<Expression> {
  if (method === 'WS') {
    const { findings, source } = detection
    const hooks = peel(argument) as Expression
    if (/^(?:Literal|TemplateLiteral|\w*FunctionExpression|ClassExpression)$/.test(hooks.type))
      addProblem(findings, source, hooks, noHooks)
    for (const use of findConfigured(source.parsed, argument))
      addProblem(findings, source, use, hooksChanged(use.name))
    return hooks
  }
  const { kind, body } = await readBody(detection, argument, words, { name: call, says: handlerWords })
  if (kind === 'class') {
    addProblem(detection.findings, detection.source, argument, {
      code: 'REMOTE_BODY',
      message: 'the handler of the route is a class',
      hint: 'write a function; what a worker keeps between requests is made in `setup`',
    })
  }
  return body
}
