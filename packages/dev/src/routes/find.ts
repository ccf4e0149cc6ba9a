import { type BalancedMatch, matchBalanced } from './match.ts'
import { isReserved, type RouteTable } from './table.ts'
import { queueVerbs, splitQueuePath } from './verbs.ts'

/** Where a request goes below the prefix. */
export type Place =
  | { kind: 'balanced'; match: BalancedMatch }
  /** Something is there, and not for this method. */
  | { kind: 'method'; allow: string[] }
  /** A queue route, or one of the server's own. */
  | { kind: 'own' }
  | { kind: 'nobody' }

/**
 * Finds who answers. Routes of functions come first, then those of endpoints, then web apps, the longest prefix first.
 *
 * - `method`: `WS` for an upgrade.
 * - `url`: path below the prefix and query, as they were sent; the path can be decoded.
 * - throws `BAD_PATH` and `RESERVED_PATH`.
 */
export function findPlace(table: RouteTable, method: string, url: string): Place {
  const segments = url.split('?', 1)[0]!.split('/').filter(Boolean).map(decodeURIComponent)
  if (segments.length === 0 || isReserved(segments[0]!)) return { kind: 'own' }
  const queue = splitQueuePath(segments)
  const isQueue = queue !== null && table.find(queue.path) !== undefined
  if (isQueue && queueVerbs[queue.name].method === method) return { kind: 'own' }
  const { found, allow } = matchBalanced(table.balanced, method, url)
  if (found) return { kind: 'balanced', match: found }
  if (isQueue) return { kind: 'own' }
  return allow ? { kind: 'method', allow } : { kind: 'nobody' }
}
