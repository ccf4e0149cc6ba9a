import type { Clock } from '@flash/protocol'
import { startTimer } from '@flash/runtime/server'
import type { WaitOptions } from './types.ts'

/** What ends a request early: the signal of its caller, or its time. */
export interface Limits {
  /** For `fetch`. */
  signal: AbortSignal
  /** Throws the reason once one of them has. */
  check(): void
  /** - `keep`: the time no longer counts, and the signal goes on to stop what is still to be read. */
  end(keep?: boolean): void
  /** Until the time is over, or the request is. */
  sleep(ms: number): Promise<void>
}

export function watchLimits({ signal, timeoutMs }: WaitOptions, clock: Clock): Limits {
  // Aborted without the reason: `fetch` writes to errors that it is given as one.
  const sending = new AbortController()
  let stopped: { reason: unknown } | undefined
  let wake = () => {}
  const end = (keep = false) => {
    withdraw()
    if (!keep) signal?.removeEventListener('abort', follow)
  }
  const stop = (reason: unknown) => {
    stopped ??= { reason }
    end()
    sending.abort()
    wake()
  }
  const follow = () => stop(signal!.reason)
  const withdraw = startTimer(timeoutMs, clock, stop)
  if (signal?.aborted) follow()
  else signal?.addEventListener('abort', follow, { once: true })
  return {
    signal: sending.signal,
    check() {
      if (stopped) throw stopped.reason
    },
    end,
    async sleep(ms) {
      await new Promise<void>((resolve) => {
        const cancel = clock.after(ms, resolve)
        wake = () => {
          cancel()
          resolve()
        }
      })
    },
  }
}
