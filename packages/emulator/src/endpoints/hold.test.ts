import { createTestClock } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { holdOpen } from './hold.ts'

function open(signal?: AbortSignal) {
  const clock = createTestClock()
  const ended = vi.fn()
  const held = holdOpen<string>(
    clock,
    { holdMs: 100, signal },
    { late: () => 'late', aborted: () => Promise.reject(new Error('gone')), ended },
  )
  return { clock, ended, held }
}

test('an answer in time is the only one', async () => {
  const leave = new AbortController()
  const { clock, ended, held } = open(leave.signal)
  held.settle('first')
  held.settle('second')
  // A refusal that nobody waits for any more is nobody's.
  held.settle(Promise.reject(new Error('too late')))
  clock.advance(100)
  leave.abort()
  expect(await held.promise).toBe('first')
  expect(ended).toHaveBeenCalledTimes(1)
})

test('an answer is late when its time is over, to the millisecond', async () => {
  const { clock, ended, held } = open()
  clock.advance(99)
  expect(ended).not.toHaveBeenCalled()
  clock.advance(1)
  expect(await held.promise).toBe('late')
  expect(ended).toHaveBeenCalledTimes(1)
})

test('nobody waits any more', async () => {
  const leave = new AbortController()
  const { ended, held } = open(leave.signal)
  leave.abort()
  await expect(held.promise).rejects.toThrow('gone')
  expect(ended).toHaveBeenCalledTimes(1)
})
