import type { JobState, JobStatus } from '@flash/protocol'
import { type JobRecord, resetJob, toStatus } from './jobs.ts'
import { tellAll, tellState, tellStop, tellSubscribers, tellWaiting } from './notify.ts'
import type { QueueState } from './state.ts'
import type { StopReason } from './types.ts'

/** Into the line: a new or retried job at its end, one that lost its worker at its front. */
export function enqueue(state: QueueState, job: JobRecord, place: 'front' | 'back'): void {
  if (place === 'front') state.waiting.pushFront(job)
  else state.waiting.pushBack(job)
  if (!job.policy.lowPriority) state.wanting++
  state.timers.set(job, job.expiresAt)
}

/** Out of the line, if it stands there. */
function leaveLine(state: QueueState, job: JobRecord): void {
  if (state.waiting.remove(job) && !job.policy.lowPriority) state.wanting--
}

export function start(state: QueueState, job: JobRecord, workerId: string): void {
  leaveLine(state, job)
  const held = state.held.get(workerId)
  if (held) held.add(job)
  else state.held.set(workerId, new Set([job]))
  job.state = 'IN_PROGRESS'
  job.workerId = workerId
  job.attempt++
  job.takenAt = state.clock.now()
  state.timers.set(job, Math.min(job.takenAt + job.executionTimeoutMs, job.expiresAt))
  tellState(job)
}

/** Takes the job out of the line or out of its worker's hands. */
function withdraw(state: QueueState, job: JobRecord): void {
  leaveLine(state, job)
  const held = state.held.get(job.workerId)
  if (held?.delete(job) && held.size === 0) state.held.delete(job.workerId)
}

export interface Ending {
  state: Extract<JobState, 'COMPLETED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT'>
  output?: { value: unknown }
  error?: string
  /** Set when the worker does not know yet that the job has ended. */
  stop?: StopReason
}

export function end(state: QueueState, job: JobRecord, ending: Ending): void {
  const running = job.state === 'IN_PROGRESS'
  withdraw(state, job)
  job.state = ending.state
  job.endedAt = state.clock.now()
  job.progress = null
  job.output = ending.output ?? null
  job.error = ending.error ?? null
  // Only these can be retried; the input of the others is never wanted again.
  if (ending.state === 'COMPLETED' || ending.state === 'CANCELLED') dropInput(job)
  if (ending.state === 'COMPLETED') state.counts.completed++
  else if (ending.state !== 'CANCELLED') state.counts.failed++
  keep(state, job)
  const status = toStatus(job)
  const stopped = running && ending.stop
  try {
    if (stopped) tellStop(state, job, job.workerId, stopped)
  } finally {
    tellEnd(state, job, status)
  }
}

function dropInput(job: JobRecord): void {
  job.input = undefined
  job.attachments = []
  job.extra = undefined
}

function tellEnd(state: QueueState, job: JobRecord, status: JobStatus): void {
  closeReaders(job, status)
  tellAll(state.onEnd, status, { webhook: job.webhook })
}

function closeReaders(job: JobRecord, status: JobStatus | undefined): void {
  const { waiters, listeners } = job
  job.waiters = null
  job.listeners = null
  for (const resolve of waiters ?? []) resolve(status)
  if (listeners) tellAll(listeners, { type: 'end', status })
}

/** What a finished job occupies besides its result. */
const RECORD_BYTES = 2_000

/** Finished jobs stay known for a while, unless newer ones need the room. */
function keep(state: QueueState, job: JobRecord): void {
  const { runMs, runsyncMs, retainedBytes } = state.limits
  const keepMs = job.keepMs ?? (job.kind === 'run' ? runMs : runsyncMs)
  state.timers.set(job, Math.min(job.endedAt + keepMs, job.expiresAt))
  job.bytes = RECORD_BYTES + (job.output ? state.sizeOf(job.output.value) : 0) + (job.stream?.bytes ?? 0)
  state.finished.pushBack(job)
  state.finishedBytes += job.bytes
  while (state.finishedBytes > retainedBytes && state.finished.size > 1)
    forget(state, state.finished.first()!)
}

/** Out of everything; readers are told that it is gone. */
export function forget(state: QueueState, job: JobRecord, stop?: StopReason): void {
  const workerId = job.state === 'IN_PROGRESS' ? job.workerId : ''
  withdraw(state, job)
  unkeep(state, job)
  state.timers.clear(job)
  state.jobs.delete(job.id)
  if (job.idempotencyKey !== undefined) state.keys.delete(job.idempotencyKey)
  try {
    if (workerId && stop) tellStop(state, job, workerId, stop)
  } finally {
    closeReaders(job, undefined)
  }
}

function unkeep(state: QueueState, job: JobRecord): void {
  if (state.finished.remove(job)) state.finishedBytes -= job.bytes
}

/** Back into the queue after a failure or the loss of its worker. */
export function requeue(state: QueueState, job: JobRecord, place: 'front' | 'back'): void {
  state.counts.retried++
  waitAgain(state, job, place)
}

/** Undoes `start`: nobody has seen the job. */
export function unstart(state: QueueState, job: JobRecord): void {
  job.attempt--
  waitAgain(state, job, 'front')
}

function waitAgain(state: QueueState, job: JobRecord, place: 'front' | 'back'): void {
  withdraw(state, job)
  unkeep(state, job)
  resetJob(job)
  enqueue(state, job, place)
  try {
    tellSubscribers(job, { type: 'status', status: toStatus(job) })
  } finally {
    tellWaiting(state, job)
  }
}
