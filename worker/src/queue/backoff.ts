import type { Clock } from '@flash/protocol'

/** Pauses that grow with each failure in a row. */
export interface Backoff {
  /** Milliseconds to wait now. */
  next(): number
  reset(): void
}

export interface BackoffOptions {
  firstMs: number
  mostMs: number
  /** From 0 to 1. */
  random?: () => number
}

/** Each pause is twice the last, at most `mostMs`, and between half and the whole of that, so that workers spread. */
export function createBackoff({ firstMs, mostMs, random = Math.random }: BackoffOptions): Backoff {
  let ms = firstMs
  return {
    next() {
      const now = ms
      ms = Math.min(ms * 2, mostMs)
      return Math.round(now / 2 + (now / 2) * random())
    },
    reset: () => void (ms = firstMs),
  }
}

/** Resolves after `ms`, or as soon as the signal aborts; at once when there is nothing to wait for. */
export function pause(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  if (ms <= 0 || signal?.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const end = () => {
      withdraw()
      signal?.removeEventListener('abort', end)
      resolve()
    }
    const withdraw = clock.after(ms, end)
    signal?.addEventListener('abort', end, { once: true })
  })
}

/** What the promise gives, or `undefined` as soon as the signal aborts: nobody waits for somebody else's promise then. */
export function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const leave = () => resolve(undefined)
    if (signal.aborted) leave()
    signal.addEventListener('abort', leave)
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave))
  })
}
