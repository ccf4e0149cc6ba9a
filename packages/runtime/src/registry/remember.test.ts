import { createTestClock } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { remember } from './remember.ts'

function setUp(random = 0.5) {
  const clock = createTestClock()
  const find = vi.fn(async (name: string): Promise<string | null> => `address of ${name}`)
  return { clock, find, remembered: remember(find, { clock, random: () => random }) }
}

test('what was found is kept for five minutes', async () => {
  const { clock, find, remembered } = setUp()
  expect(remembered.has('a')).toBe(false)
  expect(await remembered.get('a')).toBe('address of a')
  clock.advance(299_999)
  expect(await remembered.get('a')).toBe('address of a')
  expect(find).toHaveBeenCalledTimes(1)
  clock.advance(2)
  await remembered.get('a')
  expect(find).toHaveBeenCalledTimes(2)
  expect(remembered.has('a')).toBe(true)
})

for (const [random, keptMs] of [
  [0, 270_000],
  [1, 330_000],
] as const) {
  test(`a little more or less: ${keptMs} ms`, async () => {
    const { clock, find, remembered } = setUp(random)
    await remembered.get('a')
    clock.advance(keptMs - 1)
    await remembered.get('a')
    expect(find).toHaveBeenCalledTimes(1)
    clock.advance(2)
    await remembered.get('a')
    expect(find).toHaveBeenCalledTimes(2)
  })
}

test('and used after that as long as finding fails', async () => {
  const { clock, find, remembered } = setUp()
  await remembered.get('a')
  clock.advance(400_000)
  find.mockRejectedValue(new Error('offline'))
  expect(await remembered.get('a')).toBe('address of a')
  await expect(remembered.get('b')).rejects.toThrow('offline')
})

test('what is not there is looked for again, and what is gone is gone', async () => {
  const { clock, find, remembered } = setUp()
  find.mockResolvedValueOnce(null)
  expect(await remembered.get('a')).toBeNull()
  expect(await remembered.get('a')).toBe('address of a')
  clock.advance(400_000)
  find.mockResolvedValueOnce(null)
  expect(await remembered.get('a')).toBeNull()
  expect(remembered.has('a')).toBe(false)
})

test('several who ask at a time share one search', async () => {
  const { find, remembered } = setUp()
  await Promise.all([remembered.get('a'), remembered.get('a'), remembered.get('b')])
  expect(find.mock.calls).toEqual([['a'], ['b']])
})
