import { AppError } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { retry, type RetryOptions } from './retry.ts'
import { createEagerClock } from './send/testing/scripted-host.ts'

const failure = (data: unknown = { sent: false }) =>
  new AppError('TRANSPORT', { message: 'nobody there', hint: 'look', data })

function setUp(options: Partial<RetryOptions> = {}) {
  const clock = createEagerClock()
  const onRetry = vi.fn()
  const given = { mayRepeat: () => true, clock, random: () => 0.5, onRetry, ...options }
  return { clock, onRetry, run: <T>(work: () => Promise<T>) => retry(work, given) }
}

test('what fails is done again, after longer and longer pauses', async () => {
  const { clock, onRetry, run } = setUp()
  const work = vi.fn().mockRejectedValueOnce(failure()).mockRejectedValueOnce(failure()).mockResolvedValue(7)
  expect(await run(work)).toBe(7)
  expect(clock.waits).toEqual([500, 1_000])
  expect(onRetry.mock.calls).toEqual([
    [1, 500],
    [2, 1_000],
  ])
})

test('three tries, two pauses; then the error has them all', async () => {
  const { clock, run } = setUp()
  const work = vi.fn().mockRejectedValue(failure())
  const error = await run(work).catch((error: unknown) => error)
  expect(error).toMatchObject({
    code: 'RETRIES_EXHAUSTED',
    message: 'nobody there (3 tries)',
    hint: 'look',
    cause: { code: 'TRANSPORT' },
    data: { attempts: Array.from({ length: 3 }, () => ({ code: 'TRANSPORT', message: 'nobody there' })) },
  })
  expect(work).toHaveBeenCalledTimes(3)
  expect(clock.waits).toEqual([500, 1_000])
})

test('what must not be repeated is thrown as it is', async () => {
  const { clock, run } = setUp({ mayRepeat: () => false })
  const error = failure()
  const work = vi.fn().mockRejectedValue(error)
  await expect(run(work)).rejects.toBe(error)
  expect([work.mock.calls.length, clock.waits]).toEqual([1, []])
})

test('the other side can ask for a longer pause', async () => {
  const { clock, run } = setUp()
  const asked = failure({ retryAfterMs: 3_000 })
  const shorter = failure({ retryAfterMs: 10 })
  expect(
    await run(vi.fn().mockRejectedValueOnce(asked).mockRejectedValueOnce(shorter).mockResolvedValue(1)),
  ).toBe(1)
  expect(clock.waits).toEqual([3_000, 1_000])
})

test('no try begins after the deadline', async () => {
  const clock = createEagerClock()
  const { run } = setUp({ clock, deadline: clock.now() + 1_200 })
  const work = vi.fn().mockRejectedValue(failure())
  await expect(run(work)).rejects.toMatchObject({ code: 'RETRIES_EXHAUSTED' })
  expect(work).toHaveBeenCalledTimes(2)
  const late = setUp({ clock, deadline: clock.now() + 100 })
  await expect(late.run(work)).rejects.toMatchObject({ code: 'TRANSPORT' })
  expect(work).toHaveBeenCalledTimes(3)
})
