import { AppError } from '@flash/protocol'

/** What a running remote function knows about its call. */
export interface FlashContext {
  /** Aborts when the caller cancels, when the time is over, and when the worker stops. */
  readonly signal: AbortSignal
  readonly jobId: string
  /** 1, and one more each time another worker had to take the job over. */
  readonly attempt: number
  /** When the call is cancelled: milliseconds since the epoch, `null` without a limit. */
  readonly deadline: number | null
  /** Name of the endpoint. */
  readonly endpoint: string
  /** Writes to the log of this call, as `console.log` does. */
  readonly log: (...values: unknown[]) => void
  /** Tells the caller how far the work is: anything that a result can be. */
  readonly progress: (value: unknown) => void
  readonly idempotencyKey: string | undefined
  /** The folder with the files of the config's `model`. */
  readonly modelPath: string
  /** Ends this worker after the call; the next one starts a fresh process. */
  readonly refreshWorker: () => void
}

const storageKey = Symbol.for('unplugin-flash.context')

/**
 * What a remote function knows about the call it serves, anywhere below it.
 *
 * - in `setup` it has `signal`, `endpoint`, `log` and `modelPath`; reading another member throws `NO_CONTEXT`.
 * - throws `NO_CONTEXT` where no remote function is running.
 */
export function getContext(): FlashContext {
  // The worker puts the storage there, because it and the user's modules may each have a copy of this package.
  const shared = globalThis as { [storageKey]?: { getStore(): FlashContext | undefined } }
  const context = shared[storageKey]?.getStore()
  if (context) return context
  throw new AppError('NO_CONTEXT', {
    message: 'getContext() was called where no remote function is running',
    hint: 'call it inside the function, or pass what it gives as an argument',
  })
}
