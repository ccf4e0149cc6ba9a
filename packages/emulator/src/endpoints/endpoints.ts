import { type Clock, systemClock } from '@flash/protocol'
import type { Faults } from '../faults.ts'
import type { Launcher } from '../launchers/launcher.ts'
import type { RetentionOptions } from '../queue/index.ts'
import { createEndpoint, type Endpoint } from './endpoint.ts'
import type { Shared } from './state.ts'
import { defaultTimings, type Timings } from './timings.ts'
import type { Endpoints, EndpointSpec } from './types.ts'

export interface EndpointsOptions {
  clock?: Clock
  /** How much of the time on the clock was only moved by hand; silence in it does not count against a worker. */
  skippedMs?(): number
  launcher: Launcher
  /** The platform's variables of a worker; they win over those of the endpoint. */
  workerEnv(spec: EndpointSpec, workerId: string): Record<string, string> | Promise<Record<string, string>>
  faults: Pick<Faults, 'take'>
  /** Workers of all endpoints together; further ones are throttled. No limit when omitted. */
  maxConcurrentWorkers?: number
  timings?: Partial<Timings>
  /** Of the results of jobs; the platform's when omitted. */
  retention?: RetentionOptions
  /** Asks balanced workers for their health. */
  fetch?: typeof fetch
}

/** Runs endpoints: starts and stops their workers, hands them jobs and requests. */
export function createEndpoints(options: EndpointsOptions): Endpoints {
  const endpoints = new Map<string, Endpoint>()
  const reviewAll = () => {
    for (const endpoint of endpoints.values()) endpoint.review()
  }
  const shared = createShared(options, reviewAll)
  const ticker = createTicker(shared)
  return {
    save(spec) {
      const known = endpoints.get(spec.id)
      if (known) return known.save(spec)
      const endpoint: Endpoint = createEndpoint(spec, shared, () => ticker.add(endpoint))
      endpoints.set(spec.id, endpoint)
    },
    async remove(id) {
      const endpoint = endpoints.get(id)
      endpoints.delete(id)
      await endpoint?.close()
    },
    get: (id) => endpoints.get(id)?.running,
    list: () => Array.from(endpoints.values(), (endpoint) => endpoint.running),
    async close() {
      const all = [...endpoints.values()]
      endpoints.clear()
      await Promise.all(all.map((endpoint) => endpoint.close()))
      ticker.close()
    },
  }
}

function createShared(options: EndpointsOptions, vacated: () => void): Shared {
  const { launcher, faults, workerEnv, maxConcurrentWorkers = Number.POSITIVE_INFINITY } = options
  let placed = 0
  return {
    clock: options.clock ?? systemClock,
    skippedMs: options.skippedMs ?? (() => 0),
    launcher,
    workerEnv,
    faults,
    retention: options.retention ?? {},
    fetch: options.fetch ?? fetch,
    timings: { ...defaultTimings, ...options.timings },
    hasRoom: () => placed < maxConcurrentWorkers,
    occupy: () => void placed++,
    vacate() {
      placed--
      if (placed === maxConcurrentWorkers - 1) vacated()
    },
  }
}

/** One timer for all endpoints, and none while no endpoint has workers. */
function createTicker({ clock, timings }: Shared): { add(endpoint: Endpoint): void; close(): void } {
  const awake = new Set<Endpoint>()
  let withdraw: (() => void) | null = null
  const arm = () => {
    withdraw ??= clock.after(timings.tickMs, () => {
      withdraw = null
      for (const endpoint of awake) {
        if (endpoint.hasWorkers()) endpoint.tick()
        else awake.delete(endpoint)
      }
      if (awake.size > 0) arm()
    })
  }
  return {
    add(endpoint) {
      awake.add(endpoint)
      arm()
    },
    close() {
      withdraw?.()
      awake.clear()
    },
  }
}
