import { AppError, type PurgeAnswer, type QueueHealth } from '@flash/protocol'
import { createJob, hasEnded, type JobRecord, toJob, toStatus } from './jobs.ts'
import { failureText } from './failure.ts'
import { tellWaiting } from './notify.ts'
import { readStatus, readStream, subscribe, wait } from './readers.ts'
import { reportCompletion, reportItem, reportLog, reportLoss, reportProgress } from './reports.ts'
import { createState, type QueueState } from './state.ts'
import { end, enqueue, forget, requeue, start, unstart } from './transitions.ts'
import type { Queue, QueueOptions, Submission } from './types.ts'

export function createQueue(options: QueueOptions): Queue {
  const state: QueueState = createState(options, (job) => whenDue(state, job))
  return {
    submit: (submission) => submit(state, submission),
    take: (workerId) => take(state, workerId),
    progress: (jobId, workerId, value) => reportProgress(state, jobId, workerId, value),
    item: (jobId, workerId, item) => reportItem(state, jobId, workerId, item),
    log: (jobId, workerId, entry) => reportLog(state, jobId, workerId, entry),
    complete: (jobId, workerId, completion) => reportCompletion(state, jobId, workerId, completion),
    giveBack: (workerId, jobIds) => giveBack(state, workerId, jobIds),
    held: (workerId) => state.held.get(workerId)?.size ?? 0,
    heldJobs: (workerId) => Array.from(state.held.get(workerId) ?? [], (job) => job.id),
    workerLost: (workerId, loss = {}) => reportLoss(state, workerId, loss),
    status: (jobId) => readStatus(state, jobId),
    stream: (jobId) => readStream(state, jobId),
    subscribe: (jobId, listener, fromItem = 0) => subscribe(state, jobId, listener, fromItem),
    wait: (jobId, ms) => wait(state, jobId, ms),
    cancel: (jobId) => cancel(state, jobId),
    retry: (jobId) => retry(state, jobId),
    expire: (jobId, ttlMs) => expire(state, jobId, ttlMs),
    purge: () => purge(state),
    health: (workers) => health(state, workers),
    load: () => ({ wanting: state.wanting, waiting: state.waiting.size, running: running(state) }),
    overdue: (ms, most) => countOverdue(state, ms, most),
    onWaiting: (listener) => listen(state.onWaiting, listener),
    onStop: (listener) => listen(state.onStop, listener),
    onEnd: (listener) => listen(state.onEnd, listener),
    configure: (limits) => configure(state, limits),
    close: () => close(state),
  }
}

function listen<T>(listeners: Set<T>, listener: T): () => void {
  listeners.add(listener)
  return () => void listeners.delete(listener)
}

/** A waiting or finished job whose time is over leaves; a running one may only have run too long. */
function whenDue(state: QueueState, job: JobRecord): void {
  if (job.state === 'IN_PROGRESS' && state.clock.now() < job.expiresAt) {
    const error = failureText(
      'TIMEOUT',
      `the job ran longer than its execution timeout of ${job.executionTimeoutMs} ms`,
      'raise executionTimeoutMs of the endpoint or of the call',
    )
    end(state, job, { state: 'TIMED_OUT', error, stop: 'timed-out' })
  } else {
    forget(state, job, 'expired')
  }
}

function submit(state: QueueState, submission: Submission) {
  const { idempotencyKey: key } = submission
  const same = key === undefined ? undefined : state.keys.get(key)
  if (same) return toStatus(same)
  const job = createJob(state.newId(submission.kind ?? 'run'), submission, state.clock.now(), state.limits)
  state.jobs.set(job.id, job)
  if (key !== undefined) state.keys.set(key, job)
  enqueue(state, job, 'back')
  const status = toStatus(job)
  tellWaiting(state, job)
  return status
}

function take(state: QueueState, workerId: string) {
  const job = state.waiting.first()
  if (!job || (state.held.get(workerId)?.size ?? 0) >= state.limits.maxConcurrency) return null
  start(state, job, workerId)
  return toJob(job)
}

function giveBack(state: QueueState, workerId: string, jobIds: string[]): void {
  // The line is served from the front, so the last one put there must be the oldest.
  for (const id of jobIds.toReversed()) {
    const job = state.jobs.get(id)
    if (job?.state === 'IN_PROGRESS' && job.workerId === workerId) unstart(state, job)
  }
}

function cancel(state: QueueState, jobId: string) {
  const job = state.jobs.get(jobId)
  if (!job) return undefined
  if (!hasEnded(job)) end(state, job, { state: 'CANCELLED', stop: 'cancelled' })
  return toStatus(job)
}

function retry(state: QueueState, jobId: string) {
  const job = state.jobs.get(jobId)
  if (!job) return undefined
  if (job.state !== 'FAILED' && job.state !== 'TIMED_OUT') {
    throw new AppError('BAD_REQUEST', {
      message: `job ${job.id} is ${job.state}; only FAILED and TIMED_OUT jobs can run again`,
      hint: 'submit a new job',
    })
  }
  job.queuedAt = state.clock.now()
  job.losses = 0
  requeue(state, job, 'back')
  return toStatus(job)
}

function expire(state: QueueState, jobId: string, ttlMs: number): void {
  const job = state.jobs.get(jobId)
  if (!job) return
  job.expiresAt = state.clock.now() + ttlMs
  const limit = job.state === 'IN_PROGRESS' ? job.takenAt + job.executionTimeoutMs : Number.POSITIVE_INFINITY
  state.timers.set(job, Math.min(job.expiresAt, hasEnded(job) ? job.dueAt : limit))
}

function purge(state: QueueState): PurgeAnswer {
  const jobs = [...state.waiting]
  for (const job of jobs) end(state, job, { state: 'CANCELLED' })
  return { removed: jobs.length, status: 'completed' }
}

function running(state: QueueState): number {
  let count = 0
  for (const held of state.held.values()) count += held.size
  return count
}

function health(state: QueueState, workers: Partial<QueueHealth['workers']> = {}): QueueHealth {
  return {
    jobs: { ...state.counts, inProgress: running(state), inQueue: state.waiting.size },
    workers: { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0, ...workers },
  }
}

function countOverdue(state: QueueState, ms: number, most: number): number {
  const before = state.clock.now() - ms
  let count = 0
  for (const job of state.waiting) {
    // The line is in the order of submission, so the rest is younger.
    if (count >= most || job.queuedAt >= before) break
    if (!job.policy.lowPriority) count++
  }
  return count
}

function configure(state: QueueState, limits: Parameters<Queue['configure']>[0]): void {
  const { executionTimeoutMs, ttlMs, maxConcurrency } = limits
  if (executionTimeoutMs !== undefined) state.limits.executionTimeoutMs = executionTimeoutMs
  if (ttlMs !== undefined) state.limits.ttlMs = ttlMs
  if (maxConcurrency !== undefined) state.limits.maxConcurrency = maxConcurrency
}

function close(state: QueueState): void {
  state.timers.close()
  for (const job of Array.from(state.jobs.values())) forget(state, job)
}
