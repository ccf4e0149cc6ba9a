/** A job as the platform hands it out: `input`, and what else its caller sent (`webhook`, `policy`, `s3Config`). */
export interface Job<Input = any> {
  id: string
  input: Input
  [field: string]: unknown
}

/** What a handler gets beside its job. */
export interface HandlerContext {
  /** Aborts when the platform stops the job, and when the worker has to end at once. */
  readonly signal: AbortSignal
  /** Tells the caller how far the work is: any plain JSON. */
  readonly progress: (value: unknown) => void
  /** Writes to the log of this job, as `console.log` does. */
  readonly log: (...values: unknown[]) => void
}

export interface HandlerOptions<Input = any> {
  /**
   * Answers one job. A generator of either kind streams what it yields.
   *
   * An object that it returns with a key `error` fails the job; with `refresh_worker`, the platform replaces this worker.
   */
  handler: (job: Job<Input>, context: HandlerContext) => unknown
  /** Items of a generator are also the job's result, as a list. */
  returnAggregateStream?: boolean
  /** The worker is replaced after each job. */
  refreshWorker?: boolean
  /** Asked before each take how many jobs may run beside each other; 1 when omitted. */
  concurrencyModifier?: (current: number) => number | Promise<number>
  /** Checks by name that run once before the first job; one that throws ends the worker. */
  fitness?: Record<string, () => unknown>
  /** Ends the worker as SIGTERM does: what runs is finished first. */
  signal?: AbortSignal
}

export interface FetchOptions {
  /** Answers every request of a load-balanced endpoint, except its health checks. */
  fetch: (request: Request) => Response | Promise<Response>
  /** Until it resolves, health checks say that the worker is starting, and requests wait. */
  ready?: Promise<unknown>
  /** Bytes of a request's body, 30,000,000 when omitted. */
  maxBodyBytes?: number
  /** Ends the worker as SIGTERM does: what runs is finished first. */
  signal?: AbortSignal
}
