import type { JobStatus, Message } from '@flash/protocol'
import type { CallEnvelope } from './envelope.ts'

/** A job as the route sees it; where it runs is the backend's business. */
export interface RpcJob {
  id: string
  /** What `job()` finds it by when that is more than its id. */
  ref?: string
  endpoint: string
  /** Milliseconds since the epoch: until when a broken connection may be resumed. */
  deadline: number
  /** Says everything from item `from` on, also what was said before; ends with `value`, `error` or `end`. */
  listen(from: number, say: (message: Message) => void): () => void
  status(): JobStatus | Promise<JobStatus>
  /** Rejects when whoever runs the job could not be told. */
  cancel(reason: string): void | Promise<void>
}

/** What a job's token says about the call beside the job. */
export interface JobTarget {
  /** Of the function. */
  id: string
  /** Of a class. */
  method?: string
}

export interface RpcBackend {
  /** `null` for an id that belongs to no function. */
  find(id: string): Promise<{ endpoint: string; maxBodyBytes: number } | null>
  submit(id: string, call: CallEnvelope): Promise<RpcJob>
  warm(id: string, call: CallEnvelope): Promise<void>
  /** - `ref`: that of the job, or its id. */
  job(endpoint: string, ref: string, target?: JobTarget): RpcJob | null | Promise<RpcJob | null>
  /** Ids are unique among all endpoints; only servers may name a job by its bare id. */
  jobById(jobId: string): RpcJob | null | Promise<RpcJob | null>
}
