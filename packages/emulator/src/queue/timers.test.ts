import { createTestClock } from '@flash/protocol'
import * as fc from 'fast-check'
import { expect, test, vi } from 'vitest'
import { createTimers } from './timers.ts'

const timed = (name: string) => ({ name, dueAt: 0, place: -1 })

test('each key is due once, at the last time it was given', () => {
  const clock = createTestClock(0)
  const due: string[] = []
  const timers = createTimers<ReturnType<typeof timed>>(clock, ({ name }) =>
    due.push(`${name} ${clock.now()}`),
  )
  const [a, b, c] = [timed('a'), timed('b'), timed('c')]
  timers.set(a, 30)
  timers.set(b, 10)
  timers.set(a, 20)
  timers.set(c, 5)
  timers.clear(c)
  timers.clear(c)
  clock.advance(100)
  expect(due).toEqual(['b 10', 'a 20'])
  timers.set(c, 50)
  clock.advance(0)
  expect(due.at(-1)).toBe('c 100')
})

test('one timer of the clock serves all keys', () => {
  const clock = createTestClock(0)
  const after = vi.spyOn(clock, 'after')
  const timers = createTimers<ReturnType<typeof timed>>(clock, () => {})
  const last = timed('last')
  for (let n = 0; n < 1_000; n++) timers.set(timed(''), 1_000 + n)
  timers.set(last, 5_000)
  expect(after).toHaveBeenCalledOnce()
  timers.close()
  timers.clear(last)
  clock.advance(10_000)
  expect(after).toHaveBeenCalledOnce()
})

test('any sequence of sets and clears fires exactly what is left, in order of time', () => {
  const operation = fc.record({
    key: fc.nat(12),
    at: fc.option(fc.nat(1_000), { nil: null }),
    advance: fc.nat(60),
  })
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 80 }), (operations) => {
      const clock = createTestClock(0)
      const keys = Array.from({ length: 13 }, (_, n) => timed(String(n)))
      const wanted = new Map<unknown, number>()
      const timers = createTimers<ReturnType<typeof timed>>(clock, (key) => {
        expect(wanted.get(key)).toBeLessThanOrEqual(clock.now())
        expect(Math.min(...wanted.values())).toBe(wanted.get(key))
        wanted.delete(key)
      })
      for (const { key, at, advance } of operations) {
        if (at === null) {
          timers.clear(keys[key]!)
          wanted.delete(keys[key])
        } else {
          timers.set(keys[key]!, at)
          wanted.set(keys[key], at)
        }
        clock.advance(advance)
        for (const left of wanted.values()) expect(left).toBeGreaterThan(clock.now() - 1)
      }
      clock.advance(2_000)
      expect(wanted.size).toBe(0)
    }),
    { numRuns: 300 },
  )
})
