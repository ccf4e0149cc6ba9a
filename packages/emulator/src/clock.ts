import { type Clock, systemClock } from '@flash/protocol'

/** A clock that runs, and can be put forward. */
export interface MovableClock extends Clock {
  /** What falls due by that runs at once, in order. */
  advance(ms: number): void
  /** By how much it was put forward, in all. */
  skippedMs(): number
}

interface Entry {
  at: number
  run(): void
  disarm(): void
}

export function createMovableClock(base: Clock = systemClock): MovableClock {
  let skipped = 0
  const entries = new Set<Entry>()
  const now = () => base.now() + skipped
  const arm = (entry: Entry) => {
    entry.disarm = base.after(Math.max(0, entry.at - now()), () => fire(entry))
  }
  const fire = (entry: Entry) => {
    entries.delete(entry)
    entry.run()
  }
  const firstUntil = (until: number) => {
    let first: Entry | undefined
    for (const entry of entries) if (entry.at <= until && (!first || entry.at < first.at)) first = entry
    return first
  }
  return {
    now,
    skippedMs: () => skipped,
    after(ms, run) {
      const entry: Entry = { at: now() + ms, run, disarm: () => {} }
      entries.add(entry)
      arm(entry)
      return () => {
        entries.delete(entry)
        entry.disarm()
      }
    },
    advance(ms) {
      const until = now() + ms
      for (let entry = firstUntil(until); entry; entry = firstUntil(until)) {
        skipped += Math.max(0, entry.at - now())
        entry.disarm()
        fire(entry)
      }
      skipped += Math.max(0, until - now())
      for (const entry of entries) {
        entry.disarm()
        arm(entry)
      }
    },
  }
}

/** Whether a clock can be put forward by hand. */
export function isMovable(clock: Clock): clock is Clock & { advance(ms: number): void } {
  return 'advance' in clock && typeof clock.advance === 'function'
}
