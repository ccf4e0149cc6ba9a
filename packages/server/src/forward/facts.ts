import { isBalanced, queueLimits, type ServerFunction } from '@flash/protocol'
import type { FoundFunction } from '../backend.ts'
import { routesOf, unknownFunction } from '../target.ts'

/** The functions of an app, by their ids. */
export interface KnownFunctions {
  all: readonly ServerFunction[]
  find(id: string): FoundFunction | null
  /** Throws `UNKNOWN_FUNCTION`. */
  get(id: string): ServerFunction
}

/** Of a request to a load-balanced endpoint. */
const balancedBytes = 30_000_000

/** - `maxBodyBytes`: the largest call; what its endpoint takes when omitted. */
export function createKnownFunctions(all: readonly ServerFunction[], maxBodyBytes?: number): KnownFunctions {
  const byId = new Map(all.map((fact) => [fact.id, fact]))
  return {
    all,
    find(id) {
      const fact = byId.get(id)
      return fact ? toFound(fact, all, maxBodyBytes) : null
    },
    get(id) {
      const fact = byId.get(id)
      if (fact) return fact
      throw unknownFunction(id)
    },
  }
}

/** A queue takes what it takes; the platform passes on 30 MB at most. */
function toFound(
  fact: ServerFunction,
  all: readonly ServerFunction[],
  maxBodyBytes: number | undefined,
): FoundFunction {
  const { endpoint, kind, route } = fact
  const limitBytes = isBalanced(fact) ? balancedBytes : queueLimits.runSyncBytes
  return {
    endpoint,
    kind,
    route,
    routes: routesOf(all, fact),
    maxBodyBytes: Math.min(maxBodyBytes ?? limitBytes, limitBytes),
  }
}
