import { isFinalState, type JobState, type JobStatus } from '@flash/protocol'
import type { JobStream } from './stream.ts'
import type { Timed } from './timers.ts'
import type { Job, JobEvent, JobLimits, Submission } from './types.ts'
import type { Waiter } from './waiting.ts'

/** Everything the queue knows about one job. */
export interface JobRecord extends Timed, Waiter<JobRecord> {
  id: string
  kind: 'run' | 'runsync'
  state: JobState
  input: unknown
  attachments: Uint8Array[]
  extra: unknown
  webhook: string | undefined
  idempotencyKey: string | undefined
  policy: JobLimits
  executionTimeoutMs: number
  /** How long it is known after its end; as its kind is when `undefined`. */
  keepMs: number | undefined
  /** When its time to live ends, whatever its state. */
  expiresAt: number
  queuedAt: number
  takenAt: number
  endedAt: number
  workerId: string
  attempt: number
  /** How many workers were lost under it. */
  losses: number
  progress: { value: unknown } | null
  output: { value: unknown } | null
  error: string | null
  stream: JobStream | null
  listeners: Set<(event: JobEvent) => void> | null
  waiters: Set<(status: JobStatus | undefined) => void> | null
  /** What it counts against the limit of finished jobs. */
  bytes: number
}

export function hasEnded(job: JobRecord): boolean {
  return isFinalState(job.state)
}

export function createJob(
  id: string,
  submission: Submission,
  now: number,
  limits: { executionTimeoutMs: number; ttlMs: number },
): JobRecord {
  const policy = submission.policy ?? {}
  return {
    id,
    kind: submission.kind ?? 'run',
    state: 'IN_QUEUE',
    input: submission.input,
    attachments: submission.attachments ?? [],
    extra: submission.extra,
    webhook: submission.webhook,
    idempotencyKey: submission.idempotencyKey,
    policy,
    executionTimeoutMs: policy.executionTimeoutMs ?? limits.executionTimeoutMs,
    keepMs: submission.keepMs,
    expiresAt: now + (policy.ttlMs ?? limits.ttlMs),
    queuedAt: now,
    takenAt: 0,
    endedAt: 0,
    workerId: '',
    attempt: 0,
    losses: 0,
    progress: null,
    output: null,
    error: null,
    stream: null,
    listeners: null,
    waiters: null,
    bytes: 0,
    dueAt: 0,
    place: -1,
    line: null,
    before: null,
    after: null,
  }
}

/** `delayTime`, `executionTime` and `workerId` are in every final status: clients of the platform refuse one without. */
export function toStatus(job: JobRecord): JobStatus {
  const status: JobStatus = { id: job.id, status: job.state }
  if (job.state === 'IN_QUEUE') return status
  const taken = job.workerId !== ''
  status.delayTime = taken ? job.takenAt - job.queuedAt : 0
  status.workerId = job.workerId
  if (job.state === 'IN_PROGRESS') {
    if (job.progress) status.output = job.progress.value
    return status
  }
  status.executionTime = taken ? job.endedAt - job.takenAt : 0
  if (job.output) status.output = job.output.value
  if (job.error !== null) status.error = job.error
  return status
}

export function toJob(job: JobRecord): Job {
  return {
    id: job.id,
    input: job.input,
    attachments: job.attachments,
    extra: job.extra,
    webhook: job.webhook,
    policy: job.policy,
    attempt: job.attempt,
    deadline: job.takenAt + job.executionTimeoutMs,
  }
}

/** Back to the state of a job that was just submitted; its attempts stay counted. */
export function resetJob(job: JobRecord): void {
  job.state = 'IN_QUEUE'
  job.workerId = ''
  job.progress = null
  job.output = null
  job.error = null
  job.stream = null
}
