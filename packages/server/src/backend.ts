import type { JobStatus, Message } from '@flash/protocol'
import type { CallEnvelope } from './envelope.ts'

/** A job as the route sees it; where it runs is the backend's business. */
export interface RpcJob {
  id: string
  endpoint: string
  /** Milliseconds since the epoch: until when a broken connection may be resumed. */
  deadline: number
  /** Says everything from item `from` on, also what was said before; ends with `value`, `error` or `end`. */
  listen(from: number, say: (message: Message) => void): () => void
  status(): JobStatus
  cancel(reason: string): void
}

export interface RpcBackend {
  /** `null` for an id that belongs to no function. */
  find(id: string): Promise<{ endpoint: string; maxBodyBytes: number } | null>
  submit(id: string, call: CallEnvelope): Promise<RpcJob>
  warm(id: string, call: CallEnvelope): Promise<void>
  job(endpoint: string, jobId: string): RpcJob | null
  /** Ids are unique among all endpoints; only servers may name a job by its bare id. */
  jobById(jobId: string): RpcJob | null
}
