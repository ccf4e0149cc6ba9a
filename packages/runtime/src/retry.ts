import { AppError, type Clock } from '@flash/protocol'
import { type Backoff, backoffMs } from './backoff.ts'
import { sleep } from './send/pauses.ts'

export interface RetryPolicy extends Backoff {
  /** Tries in all. */
  attempts: number
}

const retryDefaults: RetryPolicy = { attempts: 3, baseMs: 500, capMs: 10_000, jitter: 0.2 }

export interface RetryOptions {
  policy?: RetryPolicy
  /** Whether a further try does no harm, and makes sense: nothing was dispatched, or doing it twice is the same. */
  mayRepeat(error: unknown): boolean
  /** Milliseconds since the epoch: no try begins after it. */
  deadline?: number
  /** Before a further try, which comes after so long; 1 for the first. */
  onRetry?(attempt: number, pauseMs: number): void
  clock: Clock
  /** 0 to 1. */
  random: () => number
}

/**
 * Does something again while that is safe, makes sense, and there is time.
 *
 * - an error asks for a longer pause with `data.retryAfterMs`.
 * - throws the error as it is when there was one try, and `RETRIES_EXHAUSTED` with `data.attempts` after several.
 */
export async function retry<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { policy = retryDefaults, clock, random, deadline = Number.POSITIVE_INFINITY } = options
  const failures: unknown[] = []
  for (;;) {
    try {
      return await work()
    } catch (error) {
      failures.push(error)
      if (!options.mayRepeat(error)) throw error
      const pauseMs = Math.max(backoffMs(failures.length - 1, policy, random), retryAfterMs(error))
      const isLate = clock.now() + pauseMs >= deadline
      if (failures.length >= policy.attempts || isLate)
        throw failures.length > 1 ? exhausted(failures) : error
      options.onRetry?.(failures.length, pauseMs)
      await sleep(clock, pauseMs)
    }
  }
}

function retryAfterMs(error: unknown): number {
  const { retryAfterMs: ms } = ((error as AppError | undefined)?.data ?? {}) as { retryAfterMs?: unknown }
  return typeof ms === 'number' && ms > 0 ? ms : 0
}

function exhausted(failures: unknown[]): AppError {
  const attempts = failures.map((failure) => {
    const { code, message } = failure as AppError
    return { code, message }
  })
  const last = failures.at(-1) as AppError
  return new AppError('RETRIES_EXHAUSTED', {
    message: `${last.message} (${failures.length} tries)`,
    hint: last.hint,
    data: { attempts },
    cause: last,
  })
}
