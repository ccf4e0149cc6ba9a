import type { Clock } from '@flash/protocol'

export interface HoldOptions {
  holdMs: number
  signal?: AbortSignal
}

/** An answer that is held open until there is something to say. */
export interface Held<T> {
  promise: Promise<T>
  /** Does nothing when the answer was given. */
  settle(value: T | Promise<never>): void
}

/**
 * Opens an answer: it is `late()` when the time is over, and `aborted()` when nobody waits for it any more.
 *
 * - `ended`: called once, before the answer is given.
 */
export function holdOpen<T>(
  clock: Clock,
  { holdMs, signal }: HoldOptions,
  on: { late(): T | Promise<never>; aborted(): T | Promise<never>; ended(): void },
): Held<T> {
  let resolve = (_value: T | Promise<never>) => {}
  const promise = new Promise<T>((give) => (resolve = give))
  let isOpen = true
  const settle = (value: T | Promise<never>) => {
    if (!isOpen) return void Promise.resolve(value).catch(() => {})
    isOpen = false
    disarm()
    signal?.removeEventListener('abort', abort)
    on.ended()
    resolve(value)
  }
  const abort = () => settle(on.aborted())
  const disarm = clock.after(holdMs, () => settle(on.late()))
  signal?.addEventListener('abort', abort)
  return { promise, settle }
}
