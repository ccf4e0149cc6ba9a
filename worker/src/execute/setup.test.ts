import { createTestClock } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { createSetups, type SetupRequest } from './setup.ts'

function setUp() {
  const clock = createTestClock()
  const report = vi.fn()
  const setups = createSetups({ clock, report })
  const acquire = (request: Partial<SetupRequest>) =>
    setups.acquire({
      slot: 's',
      endpoint: 'e',
      version: () => 'v1',
      make: () => 'state',
      signal: new AbortController().signal,
      ...request,
    })
  return { clock, report, setups, acquire }
}

const turn = () => new Promise((done) => setTimeout(done, 2))

test('a call that is cancelled while setup runs waits no longer; the others get the state', async () => {
  const { acquire } = setUp()
  let finish: (state: string) => void
  const make = () => new Promise((done) => (finish = done))
  const abort = new AbortController()
  const [first, second] = [acquire({ make, signal: abort.signal }), acquire({ make })]
  await turn()
  abort.abort(new Error('cancelled'))
  await expect(first).rejects.toThrow('cancelled')
  finish!('made')
  expect((await second).state).toBe('made')
})

test('a call that is cancelled while the old state is in use waits no longer', async () => {
  const { acquire } = setUp()
  await acquire({})
  const abort = new AbortController()
  const next = acquire({ version: () => 'v2', signal: abort.signal })
  await turn()
  abort.abort(new Error('cancelled'))
  await expect(next).rejects.toThrow('cancelled')
})

test('a call that is cancelled before does not even begin', async () => {
  const { acquire } = setUp()
  const make = vi.fn()
  await expect(acquire({ make, signal: AbortSignal.abort(new Error('cancelled')) })).rejects.toThrow(
    'cancelled',
  )
  expect(make).not.toHaveBeenCalled()
})

test('many calls may wait for the same change: the new state is made once', async () => {
  const { acquire } = setUp()
  const make = vi.fn(() => ({}))
  const old = await acquire({ make })
  const waiting = [1, 2, 3].map(() => acquire({ make, version: () => 'v2' }))
  await turn()
  old.release()
  old.release()
  const states = (await Promise.all(waiting)).map(({ state }) => state)
  expect(new Set(states).size).toBe(1)
  expect(make).toHaveBeenCalledTimes(2)
})

test('disposing keeps the next state waiting, but not for ever', async () => {
  const { clock, acquire } = setUp()
  const held = await acquire({ make: () => ({ [Symbol.dispose]: () => new Promise(() => {}) }) })
  held.release()
  const next = acquire({ version: () => 'v2', make: () => 'new' })
  await turn()
  clock.advance(9_999)
  await turn()
  clock.advance(1)
  expect((await next).state).toBe('new')
})

test('a setup that hangs is told when nobody wants its state any more', async () => {
  const { clock, acquire } = setUp()
  const abort = new AbortController()
  const aborted = vi.fn()
  const hanging = acquire({
    signal: abort.signal,
    make: (signal) =>
      new Promise((_, reject) =>
        signal.addEventListener('abort', () => reject(aborted(signal.reason.message))),
      ),
  })
  await turn()
  abort.abort(new Error('cancelled'))
  await expect(hanging).rejects.toThrow('cancelled')
  const next = acquire({ version: () => 'v2', make: () => 'new' })
  expect((await next).state).toBe('new')
  expect(aborted).toHaveBeenCalledWith(expect.stringContaining('not wanted'))
  clock.advance(60_000)
})

test('what setup throws need not be an error', async () => {
  const { acquire } = setUp()
  const make = () => {
    // oxlint-disable-next-line no-throw-literal -- users may throw one
    throw 'just text'
  }
  await expect(acquire({ make })).rejects.toMatchObject({
    code: 'SETUP_FAILED',
    message: 'setup of "e" threw: just text',
  })
})

test('a state without dispose, and one that is no object, just go', async () => {
  const { setups, acquire, report } = setUp()
  const holds = [
    await acquire({ slot: 'a' }),
    await acquire({ slot: 'b', make: () => ({ dispose: 'not a function' }) }),
    await acquire({ slot: 'c', make: () => null }),
  ]
  for (const { release } of holds) release()
  await setups.close()
  expect(report).not.toHaveBeenCalled()
})

test('closing does not wait for ever for somebody who keeps a state', async () => {
  const { clock, setups, acquire } = setUp()
  const { release } = await acquire({})
  const closed = setups.close()
  await turn()
  clock.advance(10_000)
  await closed
  release()
})
