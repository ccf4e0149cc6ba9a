/** Time as an argument: real in programs, moved by hand in tests. */
export interface Clock {
  now(): number
  /** Calls `run` once after `ms`; the returned function withdraws it. */
  after(ms: number, run: () => void): () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    ;(timer as { unref?: () => void }).unref?.()
    return () => clearTimeout(timer)
  },
}

/** A clock that stands still until `advance` moves it, running what falls due in order. */
export function createTestClock(start = 1_700_000_000_000): Clock & { advance(ms: number): void } {
  let now = start
  let sequence = 0
  const waiting = new Map<number, { at: number; run: () => void }>()
  const due = (until: number) =>
    [...waiting].filter(([, entry]) => entry.at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
  return {
    now: () => now,
    after(ms, run) {
      const key = sequence++
      waiting.set(key, { at: now + Math.max(0, ms), run })
      return () => waiting.delete(key)
    },
    advance(ms) {
      const until = now + ms
      for (let next = due(until); next; next = due(until)) {
        waiting.delete(next[0])
        now = Math.max(now, next[1].at)
        next[1].run()
      }
      now = until
    },
  }
}
