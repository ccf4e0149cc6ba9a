import { createTestClock } from '@flash/protocol'
import { expect, test } from 'vitest'
import { type Timed, watchTime } from './time-limits.ts'

function setUp() {
  const clock = createTestClock()
  const running = new Set<Timed>()
  const expired: string[] = []
  const watch = watchTime(running, clock)
  const start = (name: string, limitMs: number) => {
    const one = {
      dueAt: clock.now() + limitMs,
      expire() {
        one.dueAt = Number.POSITIVE_INFINITY
        expired.push(name)
      },
    }
    running.add(one)
    watch(one.dueAt)
    return () => running.delete(one)
  }
  return { clock, expired, start }
}

test('each is told once when its own time is over, whatever the order', () => {
  const { clock, expired, start } = setUp()
  start('long', 10_000)
  start('short', 1_000)
  clock.advance(999)
  expect(expired).toEqual([])
  clock.advance(1)
  expect(expired).toEqual(['short'])
  clock.advance(100_000)
  expect(expired).toEqual(['short', 'long'])
})

test('what ended meanwhile is not told, and what comes later has its time', () => {
  const { clock, expired, start } = setUp()
  const end = start('ended', 1_000)
  end()
  clock.advance(500)
  start('later', 1_000)
  clock.advance(500)
  start('last', 1_000)
  clock.advance(500)
  expect(expired).toEqual(['later'])
  clock.advance(550)
  expect(expired).toEqual(['later', 'last'])
})

test('those that are due soon after each other are told by one look', () => {
  const { clock, expired, start } = setUp()
  for (let index = 0; index < 10; index++) {
    start(`${index}`, 1_000)
    clock.advance(1)
  }
  clock.advance(990)
  expect(expired).toEqual(['0'])
  clock.advance(49)
  expect(expired).toEqual(['0'])
  clock.advance(1)
  expect(expired).toHaveLength(10)
})
