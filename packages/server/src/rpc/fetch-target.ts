import {
  AppError,
  compareRoutePaths,
  matchRoutePath,
  parseRequestPath,
  parseRoutePath,
  type RouteFact,
} from '@flash/protocol'
import type { FoundFunction } from '../backend.ts'

/** What a request is for, in the one form in which it is judged and sent. */
export interface FetchTarget {
  /** In capitals; `WS` for an upgrade. */
  method: string
  /** Without its query. */
  path: string
  /** With its `?`; empty when there is none. */
  query: string
}

/**
 * Makes sure that a request is for what its address and `authorize` are asked about: several routes may share one endpoint,
 * and what `/items/:id` matches may be answered by `/items/new`.
 *
 * - throws `BAD_REQUEST` for method and path of another route, `BAD_PATH` and `RESERVED_PATH`.
 */
export function toFetchTarget(
  { kind, route, routes }: Pick<FoundFunction, 'kind' | 'route' | 'routes'>,
  { method, path }: { method: string; path: string },
): FetchTarget {
  const parsed = parseRequestPath(path)
  // What a URL would make of it further on is made of it here, before it is judged.
  const url = new URL(`http://host${decodeUnreserved(parsed.path)}${parsed.query}`)
  const target = { method, path: url.pathname, query: url.search }
  if (kind !== 'route') return target
  const answering = findRoute(routes ?? (route ? [route] : []), target)
  if (!route || answering?.method !== route.method || answering.path !== route.path)
    throw otherRoute(target, route, answering)
  return target
}

/** The route by which a worker answers. */
function findRoute(routes: readonly RouteFact[], { method, path }: FetchTarget): RouteFact | undefined {
  const matching = routes
    .map((route) => ({ route, segments: parseRoutePath(route.path) }))
    .filter(({ segments }) => matchRoutePath(segments, path) !== null)
    .sort((one, other) => compareRoutePaths(one.segments, other.segments))
    .map(({ route }) => route)
  const find = (wanted: string) => matching.find((route) => route.method === wanted)
  return find(method) ?? (method === 'HEAD' ? find('GET') : undefined)
}

/** `%61` is `a` to every server, and to whoever compares paths as text it is not. */
function decodeUnreserved(path: string): string {
  return path.replaceAll(/%[\da-f]{2}/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : code.toUpperCase()
  })
}

function otherRoute(
  { method, path }: FetchTarget,
  route: RouteFact | undefined,
  answering: RouteFact | undefined,
): AppError {
  const what = `${method} ${path.slice(0, 200)}`
  return new AppError('BAD_REQUEST', {
    message: answering
      ? `${what} is answered by another route than ${route?.method} ${route?.path}`
      : `${what} is not of the route ${route?.method} ${route?.path}`,
    hint: answering
      ? 'call the route that answers through its own stub, or give it a path that the other one does not match'
      : 'call the route through its stub',
  })
}
