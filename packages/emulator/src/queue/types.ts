import type { Clock, JobStatus, PurgeAnswer, QueueHealth, StreamAnswer } from '@flash/protocol'

export interface QueueOptions {
  clock?: Clock
  /** How long a job may run unless its policy says otherwise. */
  executionTimeoutMs: number
  /** A job's whole life from its submission; 24 hours when omitted. */
  ttlMs?: number
  /** Jobs that one worker may hold at a time; 1 when omitted. */
  maxConcurrency?: number
  /** The end of every id: `{uuid}-{idSuffix}`; `u1` when omitted. */
  idSuffix?: string
  retention?: RetentionOptions
  /** One streamed item; 1 MB when omitted. */
  itemLimitBytes?: number
  /** The items of one job that are kept for readers; 64 MiB when omitted. */
  streamLimitBytes?: number
  /** The size of an output or item; that of its JSON text when omitted. */
  sizeOf?(value: unknown): number
}

/** How long finished jobs are known: by time, and together by size; the oldest leave first. */
export interface RetentionOptions {
  /** Jobs submitted by `/run`; 30 minutes when omitted. */
  runMs?: number
  /** Jobs submitted by `/runsync`; 1 minute when omitted. */
  runsyncMs?: number
  /** All finished jobs together, 2 kB counted for each besides its result; 256 MiB when omitted. The newest stays, whatever its size. */
  bytes?: number
}

export interface JobLimits {
  executionTimeoutMs?: number
  ttlMs?: number
  /** The job alone does not make a scaler start workers. */
  lowPriority?: boolean
}

export interface Submission {
  input: unknown
  /** Decides the form of the id and how long the result is kept; `run` when omitted. */
  kind?: 'run' | 'runsync'
  policy?: JobLimits
  webhook?: string
  /** Bytes that belong to the input and travel beside it. */
  attachments?: Uint8Array[]
  /** Anything the taker wants beside the input; the queue does not look at it. */
  extra?: unknown
  /** A job with this key that is still known is the answer, and nothing is submitted. */
  idempotencyKey?: string
  /** How long the result is known after the end, instead of what `retention` says. */
  keepMs?: number
}

/** A job as the worker that took it sees it. */
export interface Job {
  id: string
  input: unknown
  attachments: Uint8Array[]
  extra: unknown
  webhook?: string
  policy: JobLimits
  /** 1 for the first worker that gets the job. */
  attempt: number
  /** Milliseconds since the epoch: when the execution timeout ends the job. */
  deadline: number
}

export type Completion = { output?: unknown; error?: undefined } | { error: string; output?: unknown }

/**
 * What became of a report about a job.
 *
 * - `late`: the job has ended or waits again; nothing changed.
 * - `foreign`: another worker holds the job; nothing changed.
 * - `unknown`: no such job, or not any more.
 * - `too-large`: the item is over a limit and has failed the job.
 */
export type Verdict = 'accepted' | 'late' | 'foreign' | 'unknown' | 'too-large'

export type StopReason = 'cancelled' | 'timed-out' | 'expired' | 'too-large'

/** Tells whoever runs the worker that it should stop one of its jobs; its later reports are ignored. */
export interface Stop {
  jobId: string
  workerId: string
  reason: StopReason
}

export type JobEvent =
  | { type: 'status'; status: JobStatus }
  | { type: 'progress'; value: unknown }
  /** `index` counts from 0 in each attempt. */
  | { type: 'item'; index: number; item: unknown }
  | { type: 'log'; entry: unknown }
  /** Nothing follows. Without a status the job is gone: its time to live ran out, or the queue was closed. */
  | { type: 'end'; status?: JobStatus }

export interface WorkerLoss {
  /** Only these of its jobs; all of them when omitted. */
  jobs?: readonly string[]
  /** Put its jobs back in the queue, at most three times each; `true` when omitted. */
  requeue?: boolean
  /** The error of the jobs that fail by it. */
  error?: string
}

/**
 * One endpoint's queue: jobs in the order they came, their states, results and streams.
 * It runs nothing; whoever has a worker takes jobs for it and reports what happened.
 */
export interface Queue {
  submit(submission: Submission): JobStatus
  /** The oldest waiting job, or `null` when none waits or the worker holds as many as it may. */
  take(workerId: string): Job | null
  /** Makes a progress value the visible output of a running job. */
  progress(jobId: string, workerId: string, value: unknown): Verdict
  /** Appends to the job's stream. */
  item(jobId: string, workerId: string, item: unknown): Verdict
  /** Passed to subscribers, kept nowhere. */
  log(jobId: string, workerId: string, entry: unknown): Verdict
  complete(jobId: string, workerId: string, completion: Completion): Verdict
  /** An answer with taken jobs never reached the worker: they wait again at the front, as if nobody had taken them. */
  giveBack(workerId: string, jobIds: string[]): void
  /** How many jobs the worker holds. */
  held(workerId: string): number
  /** Their ids, in the order they were taken. */
  heldJobs(workerId: string): string[]
  /** Ids of the jobs the worker lost. */
  workerLost(workerId: string, loss?: WorkerLoss): string[]
  status(jobId: string): JobStatus | undefined
  /** The items nobody has drained yet, each once, with the state after the last of them. */
  stream(jobId: string): StreamAnswer | undefined
  /**
   * Tells everything about a job from item `fromItem` on: what was before in the call itself, then what comes.
   *
   * - returns the function that ends it, `undefined` for an unknown job.
   * - throws `STREAM_LOST` when that item is not kept any more.
   */
  subscribe(jobId: string, listener: (event: JobEvent) => void, fromItem?: number): (() => void) | undefined
  /** The status once the job has ended or `ms` are over; `undefined` when the job is not known (any more). */
  wait(jobId: string, ms: number): Promise<JobStatus | undefined>
  cancel(jobId: string): JobStatus | undefined
  /** Back into the queue under the same id. Throws `BAD_REQUEST` unless the job is `FAILED` or `TIMED_OUT`. */
  retry(jobId: string): JobStatus | undefined
  /** The time to live of a job, from now on; a finished one can only leave sooner. */
  expire(jobId: string, ttlMs: number): void
  /** Ends all waiting jobs as `CANCELLED`; running ones go on. */
  purge(): PurgeAnswer
  health(workers?: Partial<QueueHealth['workers']>): QueueHealth
  /** Waiting jobs that ask for a worker, and all waiting and running ones. */
  load(): { wanting: number; waiting: number; running: number }
  /** How many of the jobs that ask for a worker were submitted more than `ms` ago; counts no further than `most`. */
  overdue(ms: number, most: number): number
  /** Called whenever a job begins to wait. */
  onWaiting(listener: (job: { id: string; lowPriority: boolean }) => void): () => void
  onStop(listener: (stop: Stop) => void): () => void
  /** Called once for each end of a job, also after a retry. */
  onEnd(listener: (status: JobStatus, job: { webhook?: string }) => void): () => void
  /** New limits for jobs from now on; running jobs keep theirs. */
  configure(limits: { executionTimeoutMs?: number; ttlMs?: number; maxConcurrency?: number }): void
  /** Forgets everything; waiting readers are told the jobs are gone. */
  close(): void
}
