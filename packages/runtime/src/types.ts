import type { Clock, JobState, S3Config } from '@flash/protocol'

/** What `.with()` takes. In a browser only `signal`, `timeoutMs` and `idempotencyKey` pass. */
export interface CallOptions {
  /** Aborting it cancels the job, queued or running, and rejects with its reason. */
  signal?: AbortSignal
  /** From the call to its answer; afterwards the job is cancelled and the call rejects with `TIMEOUT`. */
  timeoutMs?: number
  /** Two calls with one key are one job, as far as the queue remembers. */
  idempotencyKey?: string
  executionTimeoutMs?: number
  ttlMs?: number
  lowPriority?: boolean
  webhook?: string
  s3Config?: S3Config
}

export interface MapOptions {
  /** Calls in flight at a time, 8 when omitted. */
  concurrency?: number
  /** Wait for every item and answer as `Promise.allSettled` does. */
  settle?: boolean
}

/** Where a job stands; times are filled in once they are known. */
export interface JobStatus {
  id: string
  status: JobState
  /** Time in the queue, in milliseconds. */
  delayTime?: number
  /** Time on a worker, in milliseconds. */
  executionTime?: number
  workerId?: string
}

export type JobEvent<Item = unknown> =
  | ({ type: 'status' } & JobStatus)
  | { type: 'progress'; value: unknown }
  | { type: 'item'; value: Item }
  | { type: 'log'; stream: 'stdout' | 'stderr'; text: string }

type ItemOf<Out> = Out extends readonly (infer Item)[] ? Item : never

/** A job that lives on its own: it goes on when nobody listens. */
export interface Job<Out = unknown> {
  /** What `.attach()` takes: the job's id on a server, a sealed token in a browser. */
  readonly id: string
  status(): Promise<JobStatus>
  /** The result; rejects with the job's error. The items of a generator are collected. */
  wait(): Promise<Out>
  cancel(): Promise<void>
  /** The items of a generator, from the first; leaving the loop leaves the job alone. */
  stream(): AsyncGenerator<ItemOf<Out>, void>
  /** Everything that happens, from the beginning; throws the job's error at the end. */
  [Symbol.asyncIterator](): AsyncGenerator<JobEvent<ItemOf<Out>>, void>
}

/** What the author of a server stub's endpoint called it, and where. */
export interface EndpointInfo {
  name: string
  at: string
  /** Of the project, in code that a dev server compiled. */
  root?: string
}

/** One thing to call, and the way to it. */
export interface Target {
  /** `<id>.<tag>` from a browser, `<id>` from a server. */
  ref: string
  /** Of a class: its constructor arguments and the method. */
  bound?: { new: unknown[]; fn: string }
  generator?: boolean | 0 | 1
  /** Set on servers, where every option passes. */
  server?: EndpointInfo
  post: Post
  /** Options of a call with what the code that makes it hands down; jobs of `.run()` live on their own. */
  inherit?(options: CallOptions | undefined): CallOptions | undefined
  /** The system's when omitted. */
  clock?: Clock
}

export interface PostOptions {
  signal?: AbortSignal
  keepalive?: boolean
  /** Beside those that every call has; pages give none. */
  headers?: Record<string, string>
}

/** Sends one body to a route below `rpc/`; rejects only when no answer came. */
export type Post = (
  route: string,
  body: Uint8Array<ArrayBuffer> | Blob,
  how?: PostOptions,
) => Promise<Response>

/** A stub as code sees it; the type of `remote()` is laid over it. */
export interface Callable {
  (...args: unknown[]): any
  run(...args: unknown[]): Promise<Job>
  with(options: CallOptions): Callable
  map(items: Iterable<unknown>, options?: MapOptions): Promise<unknown[]>
  attach(id: string): Job
  warm(): Promise<void>
}
