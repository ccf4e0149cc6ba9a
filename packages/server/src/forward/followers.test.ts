import { createTestClock, type JobStatus } from '@flash/protocol'
import type { News, QueueClient } from '@flash/runtime/server'
import { expect, test, vi } from 'vitest'
import { open } from '../testing/jobs.ts'
import type { FollowerOptions } from './follower.ts'
import { createFollowers } from './followers.ts'

const status = (state: JobStatus['status'], more: Partial<JobStatus> = {}): JobStatus => ({
  id: 'j',
  status: state,
  ...more,
})

/** A queue whose news the test gives; what nobody asked for waits. */
function fakeClient() {
  const asked: { resolve(news: News): void; reject(error: unknown): void }[] = []
  const follow = vi.fn(() => ({
    next: () => new Promise<News>((resolve, reject) => void asked.push({ resolve, reject })),
  }))
  const cancel = vi.fn(async () => {})
  const answer = async (news: News | Error) => {
    await vi.waitUntil(() => asked.length > 0, { interval: 1 })
    const { resolve, reject } = asked.shift()!
    if (news instanceof Error) reject(news)
    else resolve(news)
    // What follows from it.
    await new Promise(setImmediate)
  }
  return { client: { follow, cancel } as unknown as QueueClient, follow, cancel, answer, asked }
}

function optionsOf(client: QueueClient, more: Partial<FollowerOptions> = {}): FollowerOptions {
  return { client, endpoint: 'ocr', jobId: 'j', gives: 'items', attached: true, ...more }
}

const ended: News = { status: status('COMPLETED'), items: [] }
const running = (...items: unknown[]): News => ({ status: status('IN_PROGRESS'), items })

function setUp(more: Partial<FollowerOptions> = {}, limitBytes?: number) {
  const clock = createTestClock()
  const fake = fakeClient()
  const followers = createFollowers(clock, limitBytes)
  const listen = (from = 0, jobId = 'j') => {
    const heard: unknown[] = []
    const options = optionsOf(fake.client, { ...more, jobId })
    const leave = followers.listen(options, from, (message) => {
      const [name, value] = open(message)
      heard.push(name === 'status' || name === 'end' ? name : name === 'error' ? (value as any).code : value)
    })
    return { heard, leave }
  }
  return { ...fake, clock, listen }
}

test('a listener that comes later hears everything, and nothing twice', async () => {
  const { listen, answer } = setUp()
  const first = listen()
  await answer(running(1, 2))
  const second = listen(1)
  await answer(running(3))
  await answer(ended)
  expect(first.heard).toEqual(['status', 1, 2, 3, 'end'])
  expect(second.heard).toEqual(['status', 2, 3, 'end'])
})

test('items that come while nobody listens any more are kept for who comes back', async () => {
  const { listen, answer, follow } = setUp()
  const first = listen()
  await answer(running(1))
  first.leave()
  await answer(running(2))
  expect(first.heard).toEqual(['status', 1])
  const again = listen(1)
  await answer(ended)
  expect(again.heard).toEqual(['status', 2, 'end'])
  expect(follow).toHaveBeenCalledOnce()
})

test('nothing is asked while nobody listens', async () => {
  const { listen, answer, asked } = setUp()
  const first = listen()
  await answer(running(1))
  first.leave()
  await answer(running(2))
  expect(asked).toEqual([])
})

test('a listener that leaves while it is told hears nothing more', async () => {
  const { client, answer } = setUp()
  const followers = createFollowers(createTestClock())
  const heard: string[] = []
  const leave = followers.listen(optionsOf(client), 0, (message) => {
    heard.push(open(message)[0])
    if (heard.length === 2) leave()
  })
  await answer(running(1, 2, 3))
  expect(heard).toEqual(['status', 'item'])
})

test('what can be asked for again is not kept', async () => {
  const { listen, answer, follow } = setUp({ gives: 'value' })
  const first = listen()
  await answer({ status: status('COMPLETED', { output: 1 }), items: [] })
  expect(first.heard).toEqual([1])
  listen()
  expect(follow).toHaveBeenCalledTimes(2)
})

test('the stream of a call is kept for two minutes, that of a job on its own for half an hour', async () => {
  for (const [attached, keptMs] of [
    [true, 120_000],
    [false, 1_800_000],
  ] as const) {
    const { listen, answer, clock } = setUp({ attached })
    const other = async (jobId: string) => {
      listen(0, jobId)
      await answer(running(1))
      await answer(ended)
    }
    listen()
    await answer(running(1))
    await answer(ended)
    clock.advance(keptMs - 1)
    await other('a')
    expect(listen().heard).toEqual([1, 'end'])
    clock.advance(keptMs + 1)
    await other('b')
    // It is not begun again: the queue has given its items away.
    expect(listen().heard).toEqual(['STREAM_LOST'])
  }
})

test('together they keep no more than a limit, and the oldest leave first', async () => {
  const { listen, answer, clock } = setUp({}, 2_000)
  for (const jobId of ['a', 'b', 'c']) {
    listen(0, jobId)
    await answer(running('x'.repeat(900)))
    await answer(ended)
    clock.advance(1)
  }
  expect(listen(0, 'a').heard).toEqual(['STREAM_LOST'])
  expect(listen(1, 'b').heard).toEqual(['end'])
  expect(listen(1, 'c').heard).toEqual(['end'])
})

test('a stream that is listened to stays, whatever the limit', async () => {
  const { listen, answer } = setUp({}, 10)
  const first = listen(0, 'a')
  await answer(running('x'.repeat(900)))
  const second = listen(0, 'b')
  // Both ask in turn.
  await answer(running('y'))
  await answer(ended)
  await answer(ended)
  expect([first.heard.at(-1), second.heard.at(-1)]).toEqual(['end', 'end'])
})

test('of one stream only so much is kept; who needs more has lost it', async () => {
  const { listen, answer } = setUp()
  listen()
  const large = 'x'.repeat(30_000_000)
  await answer(running(large, large, large, 'last'))
  expect(listen(0).heard).toEqual(['STREAM_LOST'])
  const late = listen(2)
  await answer(ended)
  expect(late.heard.at(-1)).toBe('end')
  expect(late.heard).toContain('last')
})

test('a failure that is no error of ours is told without its words being lost', async () => {
  const { listen, answer, cancel } = setUp()
  const first = listen()
  await answer(new TypeError('x is not a function'))
  expect(first.heard).toEqual(['INTERNAL'])
  expect(cancel).toHaveBeenCalledWith('j')
})
