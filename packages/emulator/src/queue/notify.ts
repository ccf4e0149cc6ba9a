import { type JobRecord, toStatus } from './jobs.ts'
import type { QueueState } from './state.ts'
import type { JobEvent, StopReason } from './types.ts'

/** Everybody hears it, also when one of them throws; the first error is thrown then. */
export function tellAll<A extends unknown[]>(listeners: Iterable<(...args: A) => void>, ...args: A): void {
  const errors: unknown[] = []
  for (const listener of Array.from(listeners)) {
    try {
      listener(...args)
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw errors[0]
}

export function tellSubscribers(job: JobRecord, event: JobEvent): void {
  if (job.listeners) tellAll(job.listeners, event)
}

export function tellState(job: JobRecord): void {
  if (job.listeners) tellAll(job.listeners, { type: 'status', status: toStatus(job) })
}

export function tellStop(state: QueueState, job: JobRecord, workerId: string, reason: StopReason): void {
  tellAll(state.onStop, { jobId: job.id, workerId, reason })
}

export function tellWaiting(state: QueueState, job: JobRecord): void {
  tellAll(state.onWaiting, { id: job.id, lowPriority: job.policy.lowPriority === true })
}
