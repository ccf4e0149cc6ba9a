import { createTestClock } from '@flash/protocol'
import { expect, test } from 'vitest'
import { createQueue, type JobEvent, type Queue, type QueueOptions } from './index.ts'

function setUp(options: Partial<QueueOptions> = {}) {
  const clock = createTestClock()
  const queue = createQueue({ clock, executionTimeoutMs: 10_000, ...options })
  const { id } = queue.submit({ input: 1 })
  return { clock, queue, id, hear: (from?: number) => hear(queue, id, from) }
}

function hear(queue: Queue, id: string, from?: number) {
  const events: JobEvent[] = []
  const stop = queue.subscribe(id, (event) => events.push(event), from)!
  return { events, stop, short: () => events.map(short) }
}

const short = (event: JobEvent) => {
  if (event.type === 'item') return `item ${event.index} ${event.item}`
  if (event.type === 'progress') return `progress ${event.value}`
  return event.type === 'log' ? `log ${event.entry}` : `${event.type} ${event.status?.status}`
}

test('/stream hands out each item once, and the state after them', () => {
  const { queue, id } = setUp()
  expect(queue.stream(id)).toEqual({ status: 'IN_QUEUE', stream: [] })
  queue.take('a')
  queue.item(id, 'a', 'x')
  queue.item(id, 'a', 'y')
  expect(queue.stream(id)).toEqual({ status: 'IN_PROGRESS', stream: [{ output: 'x' }, { output: 'y' }] })
  expect(queue.stream(id)?.stream).toEqual([])
  queue.item(id, 'a', 'z')
  queue.complete(id, 'a', { output: [] })
  expect(queue.stream(id)).toEqual({ status: 'COMPLETED', stream: [{ output: 'z' }] })
  expect(queue.stream(id)).toEqual({ status: 'COMPLETED', stream: [] })
  expect(queue.stream('nobody')).toBeUndefined()
})

test('a subscriber hears everything in order, from the beginning to the end', () => {
  const { queue, id, hear } = setUp()
  const early = hear()
  queue.take('a')
  queue.progress(id, 'a', 10)
  queue.item(id, 'a', 'x')
  queue.log(id, 'a', 'hello')
  queue.item(id, 'a', 'y')
  const joined = hear(1)
  queue.progress(id, 'a', 20)
  queue.item(id, 'a', 'z')
  queue.complete(id, 'a', {})
  const all = [
    'status IN_QUEUE',
    'status IN_PROGRESS',
    'progress 10',
    'item 0 x',
    'log hello',
    'item 1 y',
    'progress 20',
    'item 2 z',
    'end COMPLETED',
  ]
  expect(early.short()).toEqual(all)
  expect(joined.short()).toEqual([
    'status IN_PROGRESS',
    'progress 10',
    'item 1 y',
    'progress 20',
    'item 2 z',
    'end COMPLETED',
  ])
  expect(hear().short()).toEqual(['item 0 x', 'item 1 y', 'item 2 z', 'end COMPLETED'])
  expect(hear(3).short()).toEqual(['end COMPLETED'])
  expect(queue.subscribe('nobody', () => {})).toBeUndefined()
})

test('who stops listening hears no more', () => {
  const { queue, id, hear } = setUp()
  const one = hear()
  const other = hear()
  one.stop()
  queue.take('a')
  queue.complete(id, 'a', {})
  one.stop()
  expect(one.short()).toEqual(['status IN_QUEUE'])
  expect(other.short()).toHaveLength(3)
})

test('what a listener causes comes after what it is hearing', () => {
  const { queue, id } = setUp()
  queue.take('a')
  const heard: string[] = []
  queue.subscribe(id, (event) => {
    heard.push(short(event))
    if (event.type === 'status') queue.item(id, 'a', 'caused')
    if (event.type === 'item') queue.complete(id, 'a', {})
  })
  expect(heard).toEqual(['status IN_PROGRESS', 'item 0 caused', 'end COMPLETED'])
})

test('a listener may stop in the middle of the past', () => {
  const { queue, id } = setUp()
  queue.take('a')
  for (const item of ['x', 'y', 'z']) queue.item(id, 'a', item)
  const heard: string[] = []
  const stop = queue.subscribe(id, (event) => {
    heard.push(short(event))
  })!
  stop()
  expect(heard).toHaveLength(4)
})

test('a job that starts over drops its items, and says so by its status', () => {
  const { queue, id, hear } = setUp()
  const heard = hear()
  queue.take('a')
  queue.item(id, 'a', 'old')
  queue.workerLost('a')
  queue.take('b')
  queue.item(id, 'b', 'new')
  const states = [
    'status IN_QUEUE',
    'status IN_PROGRESS',
    'item 0 old',
    'status IN_QUEUE',
    'status IN_PROGRESS',
    'item 0 new',
  ]
  expect(heard.short()).toEqual(states)
  expect(queue.stream(id)?.stream).toEqual([{ output: 'new' }])
})

test('an item over the limit fails the job with its size and stops the worker', () => {
  const { queue, id } = setUp()
  const stops: string[] = []
  queue.onStop(({ reason }) => stops.push(reason))
  queue.take('a')
  expect(queue.item(id, 'a', 'x'.repeat(1_000_000))).toBe('accepted')
  expect(queue.item(id, 'a', 'x'.repeat(1_000_001))).toBe('too-large')
  expect(queue.status(id)).toMatchObject({
    status: 'FAILED',
    error: expect.stringContaining('1000001 bytes'),
  })
  expect(stops).toEqual(['too-large'])
  expect(queue.item(id, 'a', 'x')).toBe('late')
})

test('items that were read leave when there are too many bytes; who wants them back gets STREAM_LOST', () => {
  const { queue, id, hear } = setUp({ streamLimitBytes: 100 })
  queue.take('a')
  const reader = hear()
  for (let n = 0; n < 10; n++) queue.item(id, 'a', String(n).repeat(40))
  expect(reader.short()).toHaveLength(11)
  expect(hear(8).short()[1]).toMatch(/^item 8 8/)
  expect(() => hear(7)).toThrow(
    expect.objectContaining({ code: 'STREAM_LOST', message: expect.stringContaining('oldest one is 8') }),
  )
  expect(queue.stream(id)?.stream).toHaveLength(2)
  queue.item(id, 'a', 'last')
  queue.complete(id, 'a', {})
  expect(queue.stream(id)?.stream).toEqual([{ output: 'last' }])
})

test('items that nobody read are never dropped: over the limit the job fails', () => {
  const { queue, id } = setUp({ streamLimitBytes: 100 })
  queue.take('a')
  queue.item(id, 'a', 'x'.repeat(60))
  expect(queue.stream(id)?.stream).toHaveLength(1)
  expect(queue.item(id, 'a', 'y'.repeat(60))).toBe('accepted')
  expect(queue.item(id, 'a', 'z'.repeat(60))).toBe('too-large')
  expect(JSON.parse(queue.status(id)!.error!)).toMatchObject({ flash: { code: 'PAYLOAD_TOO_LARGE' } })
  expect(queue.stream(id)?.stream).toHaveLength(2)
})
