import type { Clock } from '@flash/protocol'

/** Where one waits for something to change. */
export interface Gate {
  /** Resolves when it opens, or about a second later. */
  wait(): Promise<void>
  /** Lets everybody through who waits now. */
  open(): void
}

const tickMs = 1_000

export function createGate(clock: Clock): Gate {
  const waiters: (() => void)[] = []
  let isTicking = false
  const open = () => {
    for (const resolve of waiters.splice(0)) resolve()
  }
  const tick = () => {
    isTicking = false
    open()
  }
  return {
    open,
    wait() {
      // One timer for all that wait within a second: there may be thousands of them.
      if (!isTicking) clock.after(tickMs, tick)
      isTicking = true
      return new Promise((resolve) => waiters.push(resolve))
    },
  }
}
