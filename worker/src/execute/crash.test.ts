import { expect, test } from 'vitest'
import { createCrashGuard } from './crash.ts'

test('a crash fails what runs then, and nothing that has ended or comes later', async () => {
  const { guard, crash, signal } = createCrashGuard()
  expect(await guard(Promise.resolve(1))).toBe(1)
  await expect(guard(Promise.reject(new Error('its own')))).rejects.toThrow('its own')
  const running = [guard(new Promise(() => {})), guard(new Promise(() => {}))]
  expect(signal.aborted).toBe(false)
  crash('stray')
  expect(await Promise.allSettled(running)).toEqual([
    { status: 'rejected', reason: 'stray' },
    { status: 'rejected', reason: 'stray' },
  ])
  expect(signal.aborted).toBe(true)
  expect(await guard(Promise.resolve(2))).toBe(2)
})
