import type { Stop } from '../queue/index.ts'
import { hear, holdEmpty } from './hear.ts'
import { type Held, holdOpen, type HoldOptions } from './hold.ts'
import { type EndpointState, workerTime } from './state.ts'
import type { Worker } from './worker.ts'

/** Of a worker that never asks what to stop. */
const MOST_STOPS = 1_000

/** Ids of jobs that a worker shall stop, each told once. */
export function stops(state: EndpointState, workerId: string, how: HoldOptions): Promise<string[]> {
  if (how.signal?.aborted) return Promise.resolve([])
  const worker = hear(state, workerId)
  if (!worker) return holdEmpty(state, how)
  if (worker.stops.size > 0) return Promise.resolve(drain(worker))
  const held: Held<string[]> = holdOpen<string[]>(state.shared.clock, how, {
    late: () => [],
    aborted: () => [],
    ended() {
      worker.stopWaiters.delete(held)
      worker.heardAt = workerTime(state.shared)
    },
  })
  worker.stopWaiters.add(held)
  return held.promise
}

function drain(worker: Worker): string[] {
  const ids = [...worker.stops]
  worker.stops.clear()
  return ids
}

/** Notes that a job has ended under its worker, and tells it. */
export function orderStop(state: EndpointState, { jobId, workerId, reason }: Stop): void {
  const worker = state.workers.get(workerId)
  if (!worker) return
  worker.stops.add(jobId)
  if (worker.stops.size > MOST_STOPS) worker.stops.delete(worker.stops.values().next().value!)
  if (reason === 'timed-out')
    worker.timedOut.set(jobId, workerTime(state.shared) + state.shared.timings.timeoutGraceMs)
  tellStops(worker)
}

/**
 * Tells a worker again about those of its jobs that have ended under it.
 *
 * Python's drops the order for a job that it has taken and not begun.
 */
export function repeatStops(state: EndpointState, workerId: string, jobs: string[] = []): void {
  const worker = state.workers.get(workerId)
  if (!worker) return
  for (const id of jobs) {
    const status = state.queue.status(id)?.status
    if (status === 'CANCELLED' || status === 'TIMED_OUT') worker.stops.add(id)
  }
  if (worker.stops.size > 0) tellStops(worker)
}

function tellStops(worker: Worker): void {
  const [open] = worker.stopWaiters
  open?.settle(drain(worker))
}
