import type { Clock } from '@flash/protocol'

export interface Pauses {
  /** How long to wait now; grows from one to the next. */
  next(): number
  reset(): void
}

/**
 * Pauses that grow up to a longest one.
 *
 * - `random`: 0 to 1; each pause is up to a fifth shorter or longer, so that many callers do not come together.
 */
export function createPauses(how: {
  firstMs: number
  factor: number
  longestMs: number
  random: () => number
}): Pauses {
  let ms = how.firstMs
  return {
    next() {
      const pause = ms * (0.8 + how.random() * 0.4)
      ms = Math.min(how.longestMs, ms * how.factor)
      return pause
    },
    reset: () => void (ms = how.firstMs),
  }
}

export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => void clock.after(ms, resolve))
}
