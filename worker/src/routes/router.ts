import {
  compareRoutePaths,
  type FunctionFact,
  matchRoutePath,
  parseRequestPath,
  parseRoutePath,
  type RouteMethod,
  type RouteParams,
  type RouteSegment,
} from '@flash/protocol'

/** A route or a web app, as whoever serves it knows it before its module is loaded. */
export type BalancedFunction = Pick<FunctionFact, 'id' | 'kind' | 'route'>

/** Who answers a request. */
export type Found<F> =
  | { kind: 'route'; fn: F; params: RouteParams }
  | { kind: 'web'; fn: F }
  /** The path is known, and answers to these methods only. */
  | { kind: 'methods'; allow: RouteMethod[] }
  | { kind: 'nothing' }

export type Router<F> = (method: string, path: Pick<URL, 'pathname' | 'search'>) => Found<F>

interface Entry<F> {
  fn: F
  method: RouteMethod
  segments: RouteSegment[]
}

/**
 * Routes come first, the one that says most before others; what they leave is for the web app.
 *
 * - `WS` is the method of a request for a WebSocket; HEAD is answered by GET where it has no route of its own.
 * - throws `BAD_ROUTE`; the router throws `BAD_PATH` and `RESERVED_PATH` for what no web app gets.
 */
export function createRouter<F extends BalancedFunction>(functions: readonly F[]): Router<F> {
  const web = functions.find(({ kind }) => kind === 'web')
  const entries = functions
    .flatMap((fn) =>
      fn.route ? [{ fn, method: fn.route.method, segments: parseRoutePath(fn.route.path) }] : [],
    )
    .sort((one, other) => compareRoutePaths(one.segments, other.segments))
  const plain = findPlain(entries)
  return (method, { pathname, search }) => {
    const fn = plain.get(pathname)?.get(method)
    if (fn) return { kind: 'route', fn, params: {} }
    const found = findRoute(entries, method, pathname)
    if (found.kind === 'route' || !web) return found
    parseRequestPath(`${pathname}${search}`)
    return { kind: 'web', fn: web }
  }
}

/** The routes without parameters by path and method: most requests are for one, and need not go through all. */
function findPlain<F>(entries: Entry<F>[]): Map<string, Map<string, F>> {
  const plain = new Map<string, Map<string, F>>()
  for (const { method, segments } of entries) {
    if (segments.some(({ kind }) => kind !== 'text')) continue
    const path = `/${segments.map((segment) => (segment as { text: string }).text).join('/')}`
    const found = findRoute(entries, method, path)
    if (found.kind !== 'route') continue
    const methods = plain.get(path) ?? new Map<string, F>()
    plain.set(path, methods.set(method, found.fn))
  }
  return plain
}

function findRoute<F>(entries: Entry<F>[], method: string, pathname: string): Found<F> {
  const allowed = new Set<RouteMethod>()
  let spare: Found<F> | undefined
  for (const entry of entries) {
    const params = matchRoutePath(entry.segments, pathname)
    if (!params) continue
    if (entry.method === method) return { kind: 'route', fn: entry.fn, params }
    if (entry.method === 'GET' && method === 'HEAD') spare ??= { kind: 'route', fn: entry.fn, params }
    allowed.add(entry.method)
  }
  if (spare) return spare
  return allowed.size > 0 ? { kind: 'methods', allow: Array.from(allowed) } : { kind: 'nothing' }
}
