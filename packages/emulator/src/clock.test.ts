import { createTestClock, systemClock } from '@flash/protocol'
import { expect, test } from 'vitest'
import { createMovableClock, isMovable } from './clock.ts'

function setUp() {
  const base = createTestClock(1_000)
  const clock = createMovableClock(base)
  const ran: string[] = []
  const note = (what: string) => () => void ran.push(`${what} ${clock.now()}`)
  return { base, clock, ran, note }
}

test('it runs, and what was put forward comes on top', () => {
  const { base, clock, ran, note } = setUp()
  clock.after(500, note('a'))
  base.advance(200)
  expect([clock.now(), ran]).toEqual([1_200, []])
  clock.advance(100)
  expect([clock.now(), clock.skippedMs()]).toEqual([1_300, 100])
  base.advance(199)
  expect(ran).toEqual([])
  base.advance(1)
  expect(ran).toEqual(['a 1500'])
})

test('what falls due runs in order and at its time, also what that causes', () => {
  const { base, clock, ran, note } = setUp()
  clock.after(300, note('c'))
  clock.after(100, () => {
    note('a')()
    clock.after(100, note('b'))
    clock.after(1_000, note('later'))
  })
  const withdraw = clock.after(50, note('never'))
  withdraw()
  clock.advance(400)
  expect(ran).toEqual(['a 1100', 'b 1200', 'c 1300'])
  expect(clock.now()).toBe(1_400)
  base.advance(699)
  expect(ran).toHaveLength(3)
  base.advance(1)
  expect(ran.at(-1)).toBe('later 2100')
})

test('the real time cannot be put forward', () => {
  expect(isMovable(systemClock)).toBe(false)
  expect(isMovable(setUp().clock)).toBe(true)
})
