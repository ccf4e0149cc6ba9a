import { createTestClock } from '@flash/protocol'
import { expect, test } from 'vitest'
import type { ClientAddress } from './call.ts'
import { findWithin } from './within.ts'

const address = { endpoint: 'speech', url: 'http://127.0.0.1:1' } as ClientAddress

test('what was spent on the address is taken off the time of the call, unless it is next to nothing', async () => {
  for (const [timeoutMs, spentMs, leftMs] of [
    [undefined, 9_000, undefined],
    [1_000, 40, 1_000],
    [1_000, 400, 600],
    [1_000, 999, 1],
  ]) {
    const clock = createTestClock()
    const find = async () => {
      clock.advance(spentMs!)
      return address
    }
    expect(await findWithin({ timeoutMs }, clock, find)).toEqual({ address, rest: { timeoutMs: leftMs } })
  }
})

test('nobody looks for the address of a call that is over, and none waits longer than it may', async () => {
  const clock = createTestClock()
  const never = () => Promise.reject(new Error('asked'))
  await expect(findWithin({ signal: AbortSignal.abort('gone') }, clock, never)).rejects.toBe('gone')
  const found = findWithin({ timeoutMs: 1_000 }, clock, () => new Promise(() => {}))
  clock.advance(1_000)
  await expect(found).rejects.toMatchObject({ code: 'TIMEOUT' })
})
