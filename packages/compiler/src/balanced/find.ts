import type { CallExpression, Expression, Node } from 'oxc-parser'
import { findClient } from '../client.ts'
import type { Detection } from '../detect.ts'
import { isExport } from '../exported.ts'
import { functionId } from '../id.ts'
import { peel } from '../parse.ts'
import { type Made, readPlace } from '../place.ts'
import { isFunction, type NamedCall, readReferences } from '../references.ts'
import { addProblem, type Refusal, refuse } from '../refuse.ts'
import type { FoundApi, FoundClient, FoundFunction } from '../types.ts'
import { checkImportedApis } from './imported.ts'
import { methodOf, rootOf } from './methods.ts'
import { routeShape } from './path.ts'
import { readRoute, type RouteCall } from './route.ts'
import { readWeb } from './web.ts'

export interface FoundEndpoints {
  /** Routes and web apps. */
  functions: FoundFunction[]
  clients: FoundClient[]
  apis: FoundApi[]
}

/** What the calls of `endpoint()` in a module make. */
export async function findEndpoints(
  detection: Detection,
  words: Map<CallExpression, string>,
): Promise<FoundEndpoints> {
  const found: FoundEndpoints = { functions: [], clients: [], apis: [] }
  for (const call of readReferences(detection.source.parsed).calls)
    if (words.get(call.node) === 'endpoint') readEndpoint(detection, call, found)
  const routes: FoundFunction[] = []
  for (const call of routeCalls(detection, found.apis)) {
    const route = await readRoute(detection, call, words)
    if (route) routes.push(route)
  }
  refuseSameRoutes(detection, routes)
  checkUses(detection, found.apis)
  checkClients(detection, found.clients)
  await checkImportedApis(detection)
  const used = new Set(routes.map(({ api }) => api))
  const empty = found.apis.filter((api) => !used.has(api))
  for (const api of empty) warnEmpty(detection, api)
  return {
    functions: [...found.functions, ...routes],
    // Where it is used it is a client, of which its config says the rest in another module.
    clients: [...found.clients, ...empty],
    apis: found.apis.filter((api) => used.has(api)),
  }
}

function readEndpoint(detection: Detection, call: NamedCall, found: FoundEndpoints): void {
  const { source, findings } = detection
  const { arguments: given } = call.node
  const client = findClient(source.parsed, call.node)
  if (client) found.clients.push(client)
  else if (given.some(({ type }) => type === 'SpreadElement') || given.length === 0 || given.length > 2)
    addProblem(findings, source, call.node, wrongArguments(call.node))
  else if (given.length === 2) {
    const web = readWeb(detection, call)
    if (web) found.functions.push(web)
  } else {
    const api = readApi(detection, call)
    if (api) found.apis.push(api)
  }
}

function wrongArguments({ arguments: given }: CallExpression): Refusal {
  const isSpread = given.some(({ type }) => type === 'SpreadElement')
  const has = isSpread
    ? 'these are spread, so the build cannot see which is which'
    : `this one has ${given.length === 0 ? 'nothing' : `${given.length} arguments`}`
  return {
    code: 'REMOTE_ARGUMENTS',
    message: `\`endpoint()\` takes a config and, for a web app, the app, and ${has}`,
    hint: "write `const api = endpoint({ name: 'items' })` and add routes to it, or `endpoint({ name: 'site' }, app)`",
  }
}

const madeAsApi: Made = {
  call: 'endpoint()',
  what: 'load-balanced endpoint',
  example: 'api = endpoint(config)',
  instead: 'move it to the top level of the module, together with its routes',
}

function readApi({ source, findings, host }: Detection, { node, ancestors }: NamedCall): FoundApi | null {
  const place = readPlace(ancestors, node, madeAsApi)
  const wrong =
    'refusal' in place
      ? place.refusal
      : place.path.length > 1 || place.path[0] === 'default'
        ? notAlone
        : null
  if (wrong || 'refusal' in place) {
    addProblem(findings, source, node, wrong!)
    return null
  }
  const [name] = place.path as [string]
  const { package: owner, path } = host.locate(source.parsed.file)
  const config = peel(node.arguments[0] as Expression) as Expression
  return { id: functionId(owner, path, name), name, call: node, config }
}

const notAlone: Refusal = {
  code: 'BAD_ROUTE',
  message: 'the endpoint has no constant of its own, so its routes cannot be found',
  hint: "write `const api = endpoint(config)`, then `api.get('/items', …)`",
}

function routeCalls({ source }: Detection, apis: FoundApi[]): RouteCall[] {
  return readReferences(source.parsed).methods.flatMap((call) => {
    const api = apis.find(({ name }) => name === call.path[0])
    return api ? [{ ...call, api }] : []
  })
}

/** Routes that are made in a way that reading cannot see would stay in the browser. */
function checkUses({ source, findings }: Detection, apis: FoundApi[]): void {
  const { uses, methods } = readReferences(source.parsed)
  const seen = new Set(methods.map(({ node }) => rootOf(node.callee).start))
  for (const use of uses)
    if (apis.some(({ name }) => name === use.name) && !use.type && !seen.has(use.start) && !isExport(use))
      addProblem(findings, source, use, asValue(use.name))
}

function asValue(name: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `the endpoint \`${name}\` is used other than by calling its methods, and routes made so would stay in the browser`,
    hint: `write each route out: \`${name}.get('/items', …)\`; a client of an endpoint that exists says \`id\`, \`app\` or \`image\` in this module`,
  }
}

/** A handler given to a client would stay in the browser, too. */
function checkClients({ source, findings }: Detection, clients: FoundClient[]): void {
  const { bindings } = source.parsed
  for (const { node, path } of readReferences(source.parsed).methods) {
    const binding = bindings.get(path[0]!)
    const made = binding?.kind === 'const' && binding.init ? peel(binding.init) : null
    const handler = node.arguments[1]
    if (!handler || !methodOf(path[1]!) || !isFunction(peel(handler) as Node)) continue
    if (!clients.some(({ call }) => call === made)) continue
    addProblem(findings, source, node, {
      code: 'BAD_ROUTE',
      message: `\`${path[0]}\` is a client of an endpoint that exists, and has no routes of its own`,
      hint: 'leave `id`, `app` and `image` out of its config, or give it a whole web app: `endpoint(config, app)`',
    })
  }
}

function refuseSameRoutes({ findings, source }: Detection, routes: FoundFunction[]): void {
  const first = new Map<string, FoundFunction>()
  for (const route of routes) {
    const key = `${route.api!.name} ${routeShape(route.route!)}`
    const before = first.get(key)
    if (before) addProblem(findings, source, route.call, sameRoute(before, route))
    else first.set(key, route)
  }
}

type Shown = Pick<FoundFunction, 'exportPath' | 'at'>

/** Two routes of one endpoint that would answer the same requests. */
export function sameRoute(one: Shown, other: Shown): Refusal {
  const show = ({ exportPath, at }: Shown) => `\`${exportPath}\` at ${at.file}:${at.line}:${at.column}`
  return {
    code: 'DUPLICATE_ROUTE',
    message: `two routes of one endpoint answer the same requests: ${show(one)} and ${show(other)}`,
    hint: 'give one of them another path or method',
  }
}

function warnEmpty({ findings, source }: Detection, { name, call }: FoundApi): void {
  findings.warnings.push(
    refuse(source, call, {
      code: 'ENDPOINT_EMPTY',
      message: `the endpoint \`${name}\` has no routes, so there is nothing to run`,
      hint: `add one, \`${name}.get('/', () => …)\`, or a web app: \`endpoint(config, app)\`; a client says \`id\`, \`app\` or \`image\` in this module`,
    }),
  )
}
