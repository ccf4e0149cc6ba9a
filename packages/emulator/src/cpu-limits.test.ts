import { expect, test } from 'vitest'
import { toLimits } from './cpu-limits.ts'

test('a worker may use what its first instance has', () => {
  expect(toLimits(['cpu3c-2-4', 'cpu5c-4-8'])).toEqual({ memoryBytes: 4e9, cpus: 2 })
  expect(toLimits([])).toEqual({})
})
