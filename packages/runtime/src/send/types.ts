import type { Clock, JobStatus, QueueHealth, QueueInput, S3Config } from '@flash/protocol'

/** Where one endpoint's queue answers. */
export interface QueueAddress {
  /** Its name, for messages. */
  endpoint: string
  /** Without a slash at the end, such as `https://api.runpod.ai/v2/<id>`. */
  url: string
  /** Go with each request. */
  headers?: Readonly<Record<string, string>>
  /** The account key, for an address that may have it. */
  key?: string
  /** The variable that has it; `RUNPOD_API_KEY` when omitted. */
  keyName?: string
  /** Where the address is from, as the end of a sentence: `app "shop", environment "production"`. */
  place: string
  /** What to do when the endpoint is not there. */
  hint?: string
}

/** A job as it is sent. */
export interface QueueJob {
  input: QueueInput
  policy?: { executionTimeout?: number; ttl?: number; lowPriority?: boolean }
  webhook?: string
  s3Config?: S3Config
}

export interface QueueClientOptions {
  fetch?: typeof fetch
  clock?: Clock
  /** 0 to 1; moves pauses a little. */
  random?: () => number
}

/** Talks to one endpoint's queue, wherever it answers. */
export interface QueueClient {
  /** Gives a job to the queue, once. The answer of a large one may be final already. */
  submit(job: QueueJob): Promise<JobStatus>
  status(jobId: string): Promise<JobStatus>
  /** Looks at a job again and again, until it has ended. */
  follow(jobId: string, options?: FollowOptions): Follow
  cancel(jobId: string): Promise<void>
  /** Counts of jobs and workers; one that the host does not tell is 0. */
  health(): Promise<QueueHealth>
}

/** What one look at a job brought. */
export interface News {
  status: JobStatus
  /** Those that came since the last look. A final status comes without any. */
  items: unknown[]
}

export interface Follow {
  /** Looks again, when it is time; a final status is the last. */
  next(): Promise<News>
}

export interface FollowOptions {
  /** The job is a generator's, and its items are wanted as they come. Only one reader at a time gets them. */
  items?: boolean
  /** When the job was submitted, if that was just now: not every part of the platform may know it yet. */
  submittedAt?: number
}
