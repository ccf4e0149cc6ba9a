import type { DevConfig, EndpointData, QueueHealth, RemoteError } from '@flash/protocol'
import type { CallOptions, JobEvent, JobStatus } from '@flash/runtime'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** What every client may be told. */
interface ClientSettings {
  /** Checks the input before it is sent; what the schema makes of it travels. */
  readonly input?: StandardSchemaV1 | undefined
  /** Checks the result of a job; callers get what the schema makes of it. */
  readonly output?: StandardSchemaV1 | undefined
  /** `{ target: 'live' }` lets code that a dev server runs call the endpoint. */
  readonly dev?: Pick<DevConfig, 'target'> | undefined
}

/** An endpoint of the account, by its id. */
export interface ClientById extends ClientSettings {
  readonly id: string
}

/** An endpoint of another app on the account, whoever deployed it. */
export interface ClientByName extends ClientSettings {
  readonly app: string
  readonly name: string
  /** The platform's `default` when omitted; `FLASH_ENV` is about the own app. */
  readonly environment?: string | undefined
}

/** An endpoint of this app that runs a container image of one's own. */
export interface ClientByImage extends EndpointData, Pick<ClientSettings, 'input' | 'output'> {
  readonly image: string
  readonly name: string
}

export type ClientConfig = ClientById | ClientByName

type Plain<C> = C & { readonly input?: undefined; readonly output?: undefined }
/** Clients whose types are written by hand. */
export type UncheckedConfig = Plain<ClientById> | Plain<ClientByName>
/** Only where types are written: without them, configs that are wrong would fit here. */
export type UncheckedImage<Input> = [Input] extends [never] ? never : Plain<ClientByImage>

export type InputUnder<C> = C extends { readonly input: infer S extends StandardSchemaV1 }
  ? StandardSchemaV1.InferInput<S>
  : object

export type OutputUnder<C> = C extends { readonly output: infer S extends StandardSchemaV1 }
  ? StandardSchemaV1.InferOutput<S>
  : unknown

/** What a generator's job yields, when its result is the list of all. */
export type ItemOf<Out> = unknown extends Out ? unknown : Out extends readonly (infer Item)[] ? Item : Out

/** Without an input the worker gets `{}`. */
type InputArguments<In> = [object] extends [In]
  ? [input?: In, options?: RunOptions]
  : undefined extends In
    ? [input?: In, options?: RunOptions]
    : [input: In, options?: RunOptions]

/** What `.run()` takes besides the input. The platform keeps no idempotency keys. */
export type RunOptions = {
  readonly [K in Exclude<keyof CallOptions, 'idempotencyKey'>]?: CallOptions[K] | undefined
}

/** Aborting the signal, or the end of the time, cancels the job and rejects. */
export interface WaitOptions {
  readonly signal?: AbortSignal | undefined
  /** From here on; afterwards the job is cancelled and the call rejects with `TIMEOUT`. */
  readonly timeoutMs?: number | undefined
}

export interface ClientJobStatus<Out = unknown> extends JobStatus {
  /** Of a job that is `COMPLETED`. */
  output?: Out
  /** The latest that a running job told about itself. */
  progress?: unknown
  /** Why a job ended that is not `COMPLETED`. */
  error?: RemoteError
}

/** A job of somebody else's endpoint; it goes on when nobody listens. */
export interface ClientJob<Out = unknown> {
  readonly id: string
  status(): Promise<ClientJobStatus<Out>>
  /** The result; rejects with the job's error, also when it was cancelled or took too long. */
  wait(options?: WaitOptions): Promise<Out>
  cancel(): Promise<void>
  /** The items of a generator, from the first, as they came; leaving the loop leaves the job alone. */
  stream<Item = ItemOf<Out>>(): AsyncGenerator<Item, void>
  /** States, progress and items as they come; throws the job's error at the end. */
  [Symbol.asyncIterator](): AsyncGenerator<ClientJobEvent<Out>, void>
}

export type ClientJobEvent<Out = unknown> = Exclude<JobEvent<ItemOf<Out>>, { type: 'log' }>

type QueryValue = string | number | boolean | bigint | null | undefined

/** One HTTP request to a load-balanced endpoint. */
export interface RequestOptions {
  /** Added to what the path has; a list is the same name several times, `undefined` and `null` are left out. */
  readonly query?:
    | URLSearchParams
    | { readonly [name: string]: QueryValue | readonly QueryValue[] }
    | undefined
  readonly headers?: HeadersInit | undefined
  readonly signal?: AbortSignal | undefined
  /** Until the answer, 450_000 when omitted: as long as the platform takes for one at most. */
  readonly timeoutMs?: number | undefined
}

export interface BodyOptions extends RequestOptions {
  /** Text, bytes, forms and streams travel as they are; everything else as JSON. */
  readonly body?: unknown
}

/**
 * A client of an endpoint that somebody deployed: queue-based ones take jobs, load-balanced ones HTTP requests.
 *
 * Every member rejects with a `RemoteError`, and nothing is sent before one is used.
 */
export interface EndpointClient<In = object, Out = unknown> {
  /** Submits a job; resolves once the queue has it. */
  run(...args: InputArguments<In>): Promise<ClientJob<Out>>
  /** Submits a job and waits for its result, however long it takes; leaving by `signal` or `timeoutMs` cancels it. */
  runSync(...args: InputArguments<In>): Promise<Out>
  status(jobId: string): Promise<ClientJobStatus<Out>>
  /** The items of a generator's job as they came; the queue gives each once. */
  stream<Item = ItemOf<Out>>(jobId: string): AsyncGenerator<Item, void>
  cancel(jobId: string): Promise<void>
  /** Counts of jobs and workers of a queue. */
  health(): Promise<QueueHealth>
  /** JSON parsed, text as text, `undefined` for an empty answer and for 304, the `Response` for anything else. */
  get<T = unknown>(path: string, options?: RequestOptions): Promise<T>
  post<T = unknown>(path: string, options?: BodyOptions): Promise<T>
  put<T = unknown>(path: string, options?: BodyOptions): Promise<T>
  patch<T = unknown>(path: string, options?: BodyOptions): Promise<T>
  delete<T = unknown>(path: string, options?: BodyOptions): Promise<T>
  head(path: string, options?: RequestOptions): Promise<Response>
  options(path: string, options?: BodyOptions): Promise<Response>
}
