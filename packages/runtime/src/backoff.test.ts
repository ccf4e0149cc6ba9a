import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'

const backoff = { baseMs: 500, capMs: 10_000, jitter: 0.2 }

test('pauses double up to the longest', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 6].map((attempt) => backoffMs(attempt, backoff, () => 0.5))
  expect(pauses).toEqual([500, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000])
})

test('chance moves them by a fifth', () => {
  expect([0, 1].map((random) => Math.round(backoffMs(1, backoff, () => random)))).toEqual([800, 1_200])
})

test('none is over the cap, below nothing, or no number, however many there were', () => {
  for (const random of [0, 0.5, 1]) {
    for (let attempt = 0; attempt <= 2_000; attempt++) {
      const pause = backoffMs(attempt, { baseMs: 100, capMs: 10_000, jitter: 0.2 }, () => random)
      expect(pause >= 0 && pause <= 10_000).toBe(true)
    }
  }
})
