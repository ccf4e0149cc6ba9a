import type { FunctionFact, JobStatus, Message, RouteFact } from '@flash/protocol'
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

/** What a backend knows of an id. */
export interface FoundFunction {
  endpoint: string
  maxBodyBytes: number
  /** Something with a queue when omitted. */
  kind?: FunctionFact['kind']
  /** Of kind `route`. */
  route?: RouteFact
  /** All routes of its endpoint that run where it does, of which the one is taken that says most of a path. */
  routes?: readonly RouteFact[]
}

/** A request to a load-balanced endpoint. */
export interface BackendRequest {
  /** In capitals. */
  method: string
  /** Path and query below the endpoint's own origin; begins with a slash. */
  path: string
  headers: Headers
  body: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | null
  /** Ends the request, also while its answer is read. */
  signal: AbortSignal
  timeoutMs?: number
  idempotencyKey?: string
}

/** Where a load-balanced endpoint takes upgrade requests. */
export interface BackendSeat {
  /** With http or https, without a slash at the end; paths are added to it. */
  url: string
  /** The URL is of an rpc route such as this one, which takes the path as `?path=` and knows our subprotocol. */
  isRelay?: boolean
  /** Go with the request. */
  headers: Record<string, string>
  /** Why no WebSocket is opened there, where somebody else than the endpoint answered. */
  refusal?(answer: RefusedUpgrade): Error | undefined
  /** The connection is closed, or was never opened. */
  release(): void
}

/** An answer to a request for a WebSocket that is none. */
export interface RefusedUpgrade {
  status: number
  headers: Headers
  /** The beginning of its body. */
  text: string
}

export interface RpcBackend {
  /** `null` for an id that belongs to no function. */
  find(id: string): Promise<FoundFunction | null>
  submit(id: string, call: CallEnvelope): Promise<RpcJob>
  warm(id: string, call: CallEnvelope): Promise<void>
  /**
   * Sends a request to a load-balanced endpoint.
   *
   * - resolves to what it answered, whatever the status, its body decoded and still on the way.
   * - rejects when nobody answered: `ENDPOINT_NOT_DEPLOYED`, `NO_WORKERS`, `ACCOUNT_REFUSED`, `TIMEOUT`, `TRANSPORT`, …
   */
  fetch(id: string, request: BackendRequest): Promise<Response>
  /** For a WebSocket; where there is none, pages open no WebSockets. */
  seat?(id: string, signal: AbortSignal): Promise<BackendSeat>
  /** - `ref`: that of the job, or its id. */
  job(endpoint: string, ref: string, target?: JobTarget): RpcJob | null | Promise<RpcJob | null>
  /** Ids are unique among all endpoints; only servers may name a job by its bare id. */
  jobById(jobId: string): RpcJob | null | Promise<RpcJob | null>
}
