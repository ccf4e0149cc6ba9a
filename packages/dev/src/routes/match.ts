import { matchRoutePath, parseRequestPath } from '@flash/protocol'
import type { BalancedRoute } from './balanced-table.ts'

/** Who answers a request, and the path and query that it gets. */
export interface BalancedMatch {
  route: BalancedRoute
  path: string
}

/** `allow`: methods of the routes that have the path, when none of them has the method; a WebSocket is none. */
export interface MatchResult {
  found?: BalancedMatch
  allow?: string[]
}

/**
 * Finds who answers at an address.
 *
 * - `routes`: what says more comes first.
 * - `method`: `WS` for an upgrade; HEAD is answered by routes of GET where none has it.
 * - `url`: path below the prefix and query, as they were sent: what a worker gets is never decoded here.
 * - throws `BAD_PATH` and `RESERVED_PATH` for a path below an endpoint that no endpoint may get.
 */
export function matchBalanced(routes: readonly BalancedRoute[], method: string, url: string): MatchResult {
  const [, path, query] = /^\/?([^?#]*)(.*)$/s.exec(url)!
  const parts = path!.split('/')
  const names = parts.map(decodePart)
  const paths = createPaths(parts, query!)
  const candidates: BalancedMatch[] = []
  for (const route of routes) {
    const { base, own } = route
    if (base.length > parts.length || base.some((name, at) => name !== names[at])) continue
    const inner = paths(base.length)
    if (matchRoutePath(own, inner.path)) candidates.push({ route, path: inner.path + inner.query })
  }
  const found = choose(candidates, method)
  if (found || candidates.length === 0) return { found }
  const methods = new Set(candidates.flatMap(({ route }) => methodsOf(route)))
  return { allow: [...methods].sort() }
}

/** What is left of an address without its first segments, read once for each number of them. */
function createPaths(parts: readonly string[], query: string) {
  const known = new Map<number, ReturnType<typeof parseRequestPath>>()
  return (count: number) => {
    const before = known.get(count)
    if (before) return before
    const inner = parseRequestPath(`/${parts.slice(count).join('/')}${query}`)
    known.set(count, inner)
    return inner
  }
}

function choose(candidates: readonly BalancedMatch[], method: string): BalancedMatch | undefined {
  const has = (wanted: string) =>
    candidates.find(({ route }) => route.method === wanted || route.method === 'ANY')
  return has(method) ?? (method === 'HEAD' ? has('GET') : undefined)
}

function methodsOf({ method }: BalancedRoute): string[] {
  if (method === 'WS') return []
  return method === 'GET' ? ['GET', 'HEAD', 'OPTIONS'] : [method, 'OPTIONS']
}

/** `null` for what is no percent-encoded text, which is no name either. */
function decodePart(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}
