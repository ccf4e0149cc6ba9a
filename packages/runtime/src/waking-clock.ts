import type { Clock } from '@flash/protocol'

/** Timers that keep a script alive: it has somebody waiting. */
export const wakingClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}
