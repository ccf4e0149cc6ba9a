import { AppError, matchRoutePath, parseRequestPath, parseRoutePath, type RouteFact } from '@flash/protocol'
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
 * Makes sure that a request is for what its address and `authorize` are asked about: several routes may share one endpoint.
 *
 * - throws `BAD_REQUEST` for method and path of another route, `BAD_PATH` and `RESERVED_PATH`.
 */
export function toFetchTarget(
  { kind, route }: Pick<FoundFunction, 'kind' | 'route'>,
  { method, path }: { method: string; path: string },
): FetchTarget {
  const parsed = parseRequestPath(path)
  // What a URL would make of it further on is made of it here, before it is judged.
  const url = new URL(`http://host${decodeUnreserved(parsed.path)}${parsed.query}`)
  const target = { method, path: url.pathname, query: url.search }
  if (kind === 'route' && !(route && isOfRoute(route, target))) throw otherRoute(target, route)
  return target
}

function isOfRoute(route: RouteFact, { method, path }: FetchTarget): boolean {
  const isMethod = method === route.method || (route.method === 'GET' && method === 'HEAD')
  return isMethod && matchRoutePath(parseRoutePath(route.path), path) !== null
}

/** `%61` is `a` to every server, and to whoever compares paths as text it is not. */
function decodeUnreserved(path: string): string {
  return path.replaceAll(/%[\da-f]{2}/gi, (code) => {
    const character = String.fromCharCode(Number.parseInt(code.slice(1), 16))
    return /[\w.~-]/.test(character) ? character : code.toUpperCase()
  })
}

function otherRoute({ method, path }: FetchTarget, route: RouteFact | undefined): AppError {
  return new AppError('BAD_REQUEST', {
    message: `${method} ${path.slice(0, 200)} is not of the route ${route?.method} ${route?.path}`,
    hint: 'call the route through its stub',
  })
}
