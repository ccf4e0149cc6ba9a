/** Everything that is measured of calls between endpoints, by names that stay. */
const metricNames = [
  /** One more request to an address; `outcome`: `ok` or the code of the error. */
  'endpoint_requests',
  /** Milliseconds until an address accepted the call, all tries together. */
  'endpoint_latency',
  /** Calls on their way to an address, after one was added or gone. */
  'in_flight_requests',
  'retry_attempt',
  'retry_success',
  'retry_exhausted',
  /** `from` and `to`: `closed`, `open` or `half-open`. */
  'circuit_breaker_state_changed',
  /** One of several addresses was chosen. */
  'load_balancer_selection',
] as const

export interface Metric {
  name: (typeof metricNames)[number]
  value: number
  /** `endpoint` is always there. */
  labels: Readonly<Record<string, string>>
}

export type EmitMetric = (name: Metric['name'], value: number, labels: Metric['labels']) => void

const listenersKey = Symbol.for('unplugin-flash.metrics')

/** They hang on the global object: the program of a worker and the user's modules may each have a copy of this one. */
function listenersOf(): Set<(metric: Metric) => void> {
  const shared = globalThis as { [listenersKey]?: Set<(metric: Metric) => void> }
  return (shared[listenersKey] ??= new Set())
}

/** Tells what is measured of calls between endpoints from now on; returns what ends it. */
export function onMetric(listener: (metric: Metric) => void): () => void {
  const own = (metric: Metric) => listener(metric)
  const listeners = listenersOf()
  listeners.add(own)
  return () => void listeners.delete(own)
}

/** A listener that throws changes no call. */
export const emitMetric: EmitMetric = (name, value, labels) => {
  for (const listener of listenersOf()) {
    try {
      listener({ name, value, labels })
    } catch (error) {
      console.error(error)
    }
  }
}
