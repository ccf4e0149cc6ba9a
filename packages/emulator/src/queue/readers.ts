import type { JobStatus, StreamAnswer } from '@flash/protocol'
import { hasEnded, toStatus } from './jobs.ts'
import type { QueueState } from './state.ts'
import { drain, replay } from './stream.ts'
import type { JobEvent } from './types.ts'

export function readStatus(state: QueueState, jobId: string): JobStatus | undefined {
  const job = state.jobs.get(jobId)
  return job && toStatus(job)
}

export function readStream(state: QueueState, jobId: string): StreamAnswer | undefined {
  const job = state.jobs.get(jobId)
  if (!job) return undefined
  const items = job.stream ? drain(job.stream) : []
  return { status: job.state, stream: items.map((output) => ({ output })) }
}

export function subscribe(
  state: QueueState,
  jobId: string,
  listener: (event: JobEvent) => void,
  fromItem: number,
): (() => void) | undefined {
  const job = state.jobs.get(jobId)
  if (!job) return undefined
  const items: JobEvent[] = []
  if (job.stream) replay(job.stream, fromItem, (item, index) => items.push({ type: 'item', index, item }))
  const relay = createRelay(listener)
  const ended = hasEnded(job)
  // Registered before the past is told: what the listener causes by hearing it must not be missed.
  if (!ended) (job.listeners ??= new Set()).add(relay.push)
  const first: JobEvent[] = ended ? [] : [{ type: 'status', status: toStatus(job) }]
  if (job.progress) first.push({ type: 'progress', value: job.progress.value })
  if (ended) items.push({ type: 'end', status: toStatus(job) })
  relay.push(...first, ...items)
  return () => {
    relay.close()
    job.listeners?.delete(relay.push)
  }
}

/** Keeps events in order when the listener itself causes the next one. */
function createRelay(listener: (event: JobEvent) => void): {
  push(...events: JobEvent[]): void
  close(): void
} {
  const relay = { pending: [] as JobEvent[], busy: false, closed: false }
  const push = (...events: JobEvent[]) => {
    for (const event of events) relay.pending.push(event)
    if (relay.busy) return
    relay.busy = true
    try {
      for (let index = 0; index < relay.pending.length && !relay.closed; index++)
        listener(relay.pending[index]!)
    } finally {
      relay.pending = []
      relay.busy = false
    }
  }
  return { push, close: () => void (relay.closed = true) }
}

export function wait(state: QueueState, jobId: string, ms: number): Promise<JobStatus | undefined> {
  const job = state.jobs.get(jobId)
  if (!job || hasEnded(job) || ms <= 0) return Promise.resolve(job && toStatus(job))
  return new Promise((resolve) => {
    const waiters = (job.waiters ??= new Set())
    const settle = (status: JobStatus | undefined) => {
      disarm()
      waiters.delete(settle)
      resolve(status)
    }
    const disarm = state.clock.after(ms, () => settle(toStatus(job)))
    waiters.add(settle)
  })
}
