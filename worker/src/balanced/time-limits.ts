import type { Clock } from '@flash/protocol'

/** Something that may take some time. */
export interface Timed {
  /** Milliseconds since the epoch; infinite without a limit. */
  readonly dueAt: number
  /** Called once it is; then it is due later, or no more. */
  expire(): void
}

/** Several that are due soon after each other wait for one look at all. */
const PAUSE_MS = 50

/**
 * Lets all that run know when their time is over. One timer for all of them: most end long before, and pay for a comparison.
 *
 * - returns what has to be told of each that gets a limit.
 */
export function watchTime(running: Iterable<Timed>, clock: Clock): (dueAt: number) => void {
  let nextAt = Number.POSITIVE_INFINITY
  let withdraw = () => {}
  const arm = (leastMs: number) => {
    if (nextAt < Number.POSITIVE_INFINITY)
      withdraw = clock.after(Math.max(nextAt - clock.now(), leastMs), look)
  }
  const look = () => {
    const now = clock.now()
    nextAt = Number.POSITIVE_INFINITY
    for (const one of running) {
      if (one.dueAt <= now) one.expire()
      nextAt = Math.min(nextAt, one.dueAt)
    }
    arm(PAUSE_MS)
  }
  return (dueAt) => {
    if (dueAt >= nextAt) return
    withdraw()
    nextAt = dueAt
    arm(0)
  }
}
