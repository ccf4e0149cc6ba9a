import { type Clock, RemoteError } from '@flash/protocol'
import type { CallOptions } from './types.ts'

/** What ends a call early: the caller's signal, its time limit, or leaving its loop. */
export interface Guard {
  /** For `fetch`; `undefined` where that does not take this realm's signals. */
  readonly signal: AbortSignal | undefined
  /** Throws the reason once the call was stopped. */
  check(): void
  /** The same while something is waited for. */
  race<T>(work: Promise<T>): Promise<T>
  stop(reason: unknown): void
  /** Forgets the timer. */
  untime(): void
  /** Forgets the signal and the timer. */
  end(): void
}

/** - `onStop`: runs once when the call is stopped, unless it was before it began. */
export function createGuard(
  { signal, timeoutMs }: Pick<CallOptions, 'signal' | 'timeoutMs'>,
  clock: Clock,
  onStop: (reason: unknown) => void,
): Guard {
  // Aborted without the reason: `fetch` writes to errors that it is given as one.
  const sending = new AbortController()
  let stopped: { reason: unknown } | undefined
  let reject: (reason: unknown) => void
  const stopping = new Promise<never>((_, rejectIt) => {
    reject = rejectIt
  })
  stopping.catch(() => {})
  const end = () => {
    signal?.removeEventListener('abort', follow)
    withdraw()
  }
  const halt = (reason: unknown) => {
    stopped = { reason }
    end()
    reject(reason)
    sending.abort()
  }
  const stop = (reason: unknown) => {
    if (stopped) return
    halt(reason)
    onStop(reason)
  }
  const follow = () => stop(signal!.reason)
  const withdraw = startTimer(timeoutMs, clock, stop)
  if (signal?.aborted) halt(signal.reason)
  else signal?.addEventListener('abort', follow, { once: true })
  return {
    signal: isAccepted(sending.signal) ? sending.signal : undefined,
    check() {
      if (stopped) throw stopped.reason
    },
    race: (work) => Promise.race([work, stopping]),
    stop,
    untime: () => withdraw(),
    end,
  }
}

/** The longest that timers can be told. */
const timeoutLimitMs = 2_147_483_647

/**
 * Stops with `TIMEOUT` when the time is over; the returned function withdraws that.
 *
 * - `elapsedMs`: how much of it is used up already.
 */
export function startTimer(
  timeoutMs: number | undefined,
  clock: Clock,
  stop: (reason: RemoteError) => void,
  elapsedMs = 0,
): () => void {
  if (timeoutMs === undefined) return () => {}
  if (!(timeoutMs > 0 && timeoutMs <= timeoutLimitMs)) {
    throw new RemoteError(
      'BAD_REQUEST',
      `timeoutMs is ${timeoutMs}, it must be above 0 and at most ${timeoutLimitMs}`,
      { hint: 'leave timeoutMs out for no limit of your own' },
    )
  }
  return clock.after(timeoutMs - elapsedMs, () => {
    stop(
      new RemoteError('TIMEOUT', `the call did not finish within ${timeoutMs} ms and was cancelled`, {
        hint: 'raise timeoutMs, or make the function faster',
      }),
    )
  })
}

let accepted: boolean | undefined

/** Under jsdom the page's signals are not those of the runtime's `fetch`. */
function isAccepted(signal: AbortSignal): boolean {
  try {
    accepted ??= new Request('http://localhost', { signal }) instanceof Request
  } catch {
    accepted = false
  }
  return accepted
}
