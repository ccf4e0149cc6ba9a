import type { EmitMetric } from '../metrics.ts'
import { createLeastBusy } from './least-busy.ts'
import { createRandom } from './random.ts'
import { createRoundRobin } from './round-robin.ts'
import type { Strategy } from './types.ts'

export const strategies = ['round-robin', 'least-busy', 'random'] as const
export type StrategyName = (typeof strategies)[number]

export interface Balanced {
  endpoint: string
  url: string
}

/** Spreads the calls of one endpoint over its addresses. */
export interface Balancer {
  /** - `isOpen`: addresses that are to be spared; when that is all of them, none is. */
  choose<T extends Balanced>(addresses: readonly T[], isOpen: (address: T) => boolean): T
  /** Counts a call to an address while it lasts. */
  hold<T>(address: Balanced, work: () => Promise<T>): Promise<T>
  /** Counts a call to an address until what it returns is called. */
  enter(address: Balanced): () => void
}

export function createBalancer(name: StrategyName, random: () => number, emit: EmitMetric): Balancer {
  const strategy = create(name, random)
  const busy = new Map<string, number>()
  /** Where there is one address, there is nothing to see. */
  const spread = new Set<string>()
  const count = ({ endpoint, url }: Balanced, by: number) => {
    const now = (busy.get(url) ?? 0) + by
    if (now > 0) busy.set(url, now)
    else busy.delete(url)
    if (spread.has(url)) emit('in_flight_requests', now, { endpoint, address: url })
  }
  const enter = (address: Balanced) => {
    let isIn = true
    count(address, 1)
    return () => {
      if (isIn) count(address, -1)
      isIn = false
    }
  }
  return {
    choose(addresses, isOpen) {
      if (addresses.length === 1) return addresses[0]!
      for (const { url } of addresses) spread.add(url)
      const well = addresses.filter((address) => !isOpen(address))
      const candidates = well.length > 0 ? well : addresses
      const chosen = candidates[strategy(candidates.map(({ url }) => busy.get(url) ?? 0))]!
      emit('load_balancer_selection', 1, { endpoint: chosen.endpoint, address: chosen.url, strategy: name })
      return chosen
    },
    async hold(address, work) {
      const leave = enter(address)
      try {
        return await work()
      } finally {
        leave()
      }
    },
    enter,
  }
}

function create(name: StrategyName, random: () => number): Strategy {
  switch (name) {
    case 'round-robin':
      return createRoundRobin()
    case 'least-busy':
      return createLeastBusy()
    case 'random':
      return createRandom(random)
  }
}
