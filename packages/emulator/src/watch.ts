import { type Clock, systemClock } from '@flash/protocol'
import type { Endpoints, LogLine, RunningEndpoint } from './endpoints/index.ts'

/** A line about a worker: its own, or the platform's. */
export interface WorkerEvent {
  endpoint: string
  workerId: string
  source: LogLine['source']
  line: string
}

const LOOK_MS = 200

/** Tells every line of every worker from now on; returns what ends it. New workers are looked for five times a second. */
export function watchWorkers(
  endpoints: Endpoints,
  listener: (event: WorkerEvent) => void,
  clock: Clock = systemClock,
): () => void {
  const followed = new Map<string, { stop(): void; isKept(): boolean }>()
  let withdraw = () => {}
  const look = () => {
    for (const [id, { stop, isKept }] of followed) {
      if (isKept()) continue
      stop()
      followed.delete(id)
    }
    for (const endpoint of endpoints.list()) {
      for (const { id } of endpoint.workers()) {
        const key = `${endpoint.spec.id} ${id}`
        const stop = followed.has(key) ? null : follow(endpoint, id, listener)
        // What is said after the end of a worker is told, too.
        if (stop) followed.set(key, { stop, isKept: () => endpoint.log(id) !== undefined })
      }
    }
    withdraw = clock.after(LOOK_MS, look)
  }
  look()
  return () => {
    withdraw()
    for (const { stop } of followed.values()) stop()
    followed.clear()
  }
}

function follow(
  { spec, log }: RunningEndpoint,
  workerId: string,
  listener: (event: WorkerEvent) => void,
): (() => void) | null {
  const found = log(workerId)
  if (!found) return null
  const tell = ({ source, line }: LogLine) => listener({ endpoint: spec.name, workerId, source, line })
  for (const line of found.lines()) tell(line)
  return found.onLine(tell)
}
