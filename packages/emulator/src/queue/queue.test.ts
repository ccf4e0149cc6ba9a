import { createTestClock } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { createQueue, type JobEvent, type QueueOptions, type Stop } from './index.ts'

const EXECUTION_MS = 10_000

function setUp(options: Partial<QueueOptions> = {}) {
  const clock = createTestClock()
  const queue = createQueue({ clock, executionTimeoutMs: EXECUTION_MS, ...options })
  const stops: Stop[] = []
  queue.onStop((stop) => stops.push(stop))
  const submit = (input: unknown = {}) => queue.submit({ input }).id
  return { clock, queue, stops, submit }
}

const codeOf = (error: string | undefined) => JSON.parse(error!).flash.code

test('a job goes from IN_QUEUE over IN_PROGRESS to COMPLETED, with its times', () => {
  const { clock, queue } = setUp()
  const { id, status } = queue.submit({
    input: { a: 1 },
    attachments: [new Uint8Array(2)],
    extra: 'x',
    webhook: 'http://w',
  })
  expect(status).toBe('IN_QUEUE')
  expect(queue.status(id)).toEqual({ id, status: 'IN_QUEUE' })
  clock.advance(40)
  const job = queue.take('w1')!
  expect(job).toMatchObject({
    id,
    input: { a: 1 },
    extra: 'x',
    webhook: 'http://w',
    attempt: 1,
    deadline: clock.now() + EXECUTION_MS,
  })
  expect(job.attachments).toEqual([new Uint8Array(2)])
  expect(queue.status(id)).toEqual({ id, status: 'IN_PROGRESS', delayTime: 40, workerId: 'w1' })
  clock.advance(7)
  expect(queue.complete(id, 'w1', { output: [1] })).toBe('accepted')
  const done = { id, status: 'COMPLETED', delayTime: 40, executionTime: 7, workerId: 'w1', output: [1] }
  expect(queue.status(id)).toEqual(done)
})

test('ids say how they were submitted', () => {
  const { queue } = setUp()
  expect(queue.submit({ input: 1 }).id).toMatch(/^[0-9a-f-]{36}-u1$/)
  expect(queue.submit({ input: 1, kind: 'runsync' }).id).toMatch(/^sync-[0-9a-f-]{36}-u1$/)
  const other = createQueue({ executionTimeoutMs: 1, idSuffix: 'e2' })
  expect(other.submit({ input: 1 }).id).toMatch(/-e2$/)
  other.close()
})

test('jobs leave in the order they came, and a worker holds no more than maxConcurrency', () => {
  const { queue, submit } = setUp({ maxConcurrency: 2 })
  const ids = [submit(), submit(), submit(), submit()]
  expect([queue.take('a')?.id, queue.take('a')?.id]).toEqual(ids.slice(0, 2))
  expect(queue.take('a')).toBeNull()
  expect(queue.take('b')?.id).toBe(ids[2])
  queue.complete(ids[0]!, 'a', { output: 1 })
  expect(queue.take('a')?.id).toBe(ids[3])
  expect(queue.take('c')).toBeNull()
})

test('a failed job keeps error text and output', () => {
  const { queue, submit } = setUp()
  const id = submit()
  queue.take('a')
  queue.complete(id, 'a', { error: 'boom', output: { rest: 1 } })
  expect(queue.status(id)).toMatchObject({
    status: 'FAILED',
    error: 'boom',
    output: { rest: 1 },
    executionTime: 0,
  })
})

for (const [what, policy, ms] of [
  ['of the endpoint', {}, EXECUTION_MS],
  ['of the job, which wins', { executionTimeoutMs: 500 }, 500],
] as const) {
  test(`execution timeout ${what}`, () => {
    const { clock, queue, stops } = setUp()
    const { id } = queue.submit({ input: 1, policy })
    clock.advance(60_000)
    queue.take('a')
    clock.advance(ms - 1)
    expect(queue.status(id)?.status).toBe('IN_PROGRESS')
    clock.advance(1)
    expect(queue.status(id)).toMatchObject({
      status: 'TIMED_OUT',
      delayTime: 60_000,
      executionTime: ms,
      workerId: 'a',
    })
    expect(codeOf(queue.status(id)?.error)).toBe('TIMEOUT')
    expect(stops).toEqual([{ jobId: id, workerId: 'a', reason: 'timed-out' }])
    expect(queue.complete(id, 'a', { output: 1 })).toBe('late')
    expect(queue.status(id)?.status).toBe('TIMED_OUT')
  })
}

test('time to live ends a job in every state: it is not known any more', async () => {
  const { clock, queue, stops } = setUp({ ttlMs: 20_000, executionTimeoutMs: 60_000 })
  const waiting = queue.submit({ input: 1 }).id
  const running = queue.submit({ input: 1, policy: { ttlMs: 5_000 } }).id
  const done = queue.submit({ input: 1, policy: { ttlMs: 6_000 } }).id
  queue.cancel(waiting)
  expect([queue.take('a')!.id, queue.take('b')!.id]).toEqual([running, done])
  queue.complete(done, 'b', { output: 1 })
  const later = queue.submit({ input: 1 }).id
  const waited = queue.wait(running, 600_000)
  const heard: JobEvent[] = []
  queue.subscribe(running, (event) => heard.push(event))
  clock.advance(5_000)
  expect(queue.status(running)).toBeUndefined()
  expect(await waited).toBeUndefined()
  expect(heard.at(-1)).toEqual({ type: 'end', status: undefined })
  expect(stops).toEqual([{ jobId: running, workerId: 'a', reason: 'expired' }])
  expect(queue.complete(running, 'a', { output: 1 })).toBe('unknown')
  clock.advance(1_000)
  expect(queue.status(done)).toBeUndefined()
  clock.advance(14_000)
  expect([queue.status(later), queue.status(waiting)]).toEqual([undefined, undefined])
  expect(queue.load()).toEqual({ wanting: 0, waiting: 0, running: 0 })
})

test('results are kept 30 minutes for /run and 1 minute for /runsync', () => {
  const { clock, queue } = setUp()
  const run = queue.submit({ input: 1 }).id
  const sync = queue.submit({ input: 1, kind: 'runsync' }).id
  for (const id of [run, sync]) {
    queue.take('a')
    queue.complete(id, 'a', { output: 1 })
  }
  clock.advance(59_999)
  expect(queue.status(sync)?.status).toBe('COMPLETED')
  clock.advance(1)
  expect([queue.status(sync), queue.status(run)?.status]).toEqual([undefined, 'COMPLETED'])
  clock.advance(29 * 60_000)
  expect(queue.status(run)).toBeUndefined()
})

test('finished jobs are kept up to a size together; the oldest leave first and the newest stays', () => {
  const { queue, submit } = setUp({ retention: { bytes: 4_100 } })
  const finish = (output: unknown) => {
    const id = submit()
    queue.take('a')
    queue.complete(id, 'a', { output })
    return id
  }
  const [first, second, third] = [
    finish('x'.repeat(40)),
    finish({ text: 'y'.repeat(40) }),
    finish('z'.repeat(40)),
  ]
  expect([queue.status(first), queue.status(second)?.status, queue.status(third)?.status]).toEqual([
    undefined,
    'COMPLETED',
    'COMPLETED',
  ])
  const large = finish('w'.repeat(400))
  expect([queue.status(second), queue.status(third), queue.status(large)?.status]).toEqual([
    undefined,
    undefined,
    'COMPLETED',
  ])
  expect(queue.status(finish(undefined))?.status).toBe('COMPLETED')
})

test('cancel: queued and running jobs end, a finished one stays as it is, an unknown one is unknown', () => {
  const { clock, queue, stops, submit } = setUp()
  const [running, queued] = [submit(), submit()]
  queue.take('a')
  clock.advance(9)
  expect(queue.cancel(queued)).toEqual({
    id: queued,
    status: 'CANCELLED',
    delayTime: 0,
    executionTime: 0,
    workerId: '',
  })
  expect(queue.cancel(running)).toEqual({
    id: running,
    status: 'CANCELLED',
    delayTime: 0,
    executionTime: 9,
    workerId: 'a',
  })
  expect(stops).toEqual([{ jobId: running, workerId: 'a', reason: 'cancelled' }])
  expect(queue.cancel(running)?.status).toBe('CANCELLED')
  expect(stops).toHaveLength(1)
  expect(queue.cancel('nobody')).toBeUndefined()
  expect(queue.take('a')).toBeNull()
  expect(queue.health().jobs).toEqual({ completed: 0, failed: 0, inProgress: 0, inQueue: 0, retried: 0 })
})

test('retry: a failed or timed-out job waits again under its id, without its old output', () => {
  const { clock, queue, submit } = setUp()
  const id = submit({ n: 1 })
  expect(() => queue.retry(id)).toThrow(/is IN_QUEUE/)
  queue.take('a')
  queue.item(id, 'a', 1)
  queue.complete(id, 'a', { error: 'boom', output: 1 })
  clock.advance(1_000)
  expect(queue.retry(id)).toEqual({ id, status: 'IN_QUEUE' })
  expect(queue.stream(id)).toEqual({ status: 'IN_QUEUE', stream: [] })
  clock.advance(5)
  expect(queue.take('b')).toMatchObject({ id, input: { n: 1 }, attempt: 2 })
  expect(queue.status(id)).toEqual({ id, status: 'IN_PROGRESS', delayTime: 5, workerId: 'b' })
  expect(queue.complete(id, 'a', { output: 'old' })).toBe('foreign')
  clock.advance(EXECUTION_MS)
  expect(queue.retry(id)?.status).toBe('IN_QUEUE')
  queue.take('b')
  queue.complete(id, 'b', { output: 2 })
  expect(queue.status(id)).toMatchObject({ status: 'COMPLETED', output: 2 })
  expect(queue.status(id)).not.toHaveProperty('error')
  expect(() => queue.retry(id)).toThrow(/only FAILED and TIMED_OUT/)
  expect(queue.retry('nobody')).toBeUndefined()
  expect(queue.health().jobs).toEqual({ completed: 1, failed: 2, inProgress: 0, inQueue: 0, retried: 2 })
})

test('purge ends waiting jobs and leaves running ones', async () => {
  const { queue, submit } = setUp()
  const [running, second, third] = [submit(), submit(), submit()]
  queue.take('a')
  const waited = queue.wait(second, 1_000)
  expect(queue.purge()).toEqual({ removed: 2, status: 'completed' })
  expect((await waited)?.status).toBe('CANCELLED')
  expect([queue.status(running)?.status, queue.status(third)?.status]).toEqual(['IN_PROGRESS', 'CANCELLED'])
  expect(queue.purge().removed).toBe(0)
})

test('a lost worker: its jobs wait again at the front in their order, and the fourth loss fails them', () => {
  const { queue, submit } = setUp({ maxConcurrency: 2 })
  const [first, second, third] = [submit(), submit(), submit()]
  queue.take('w0')
  queue.take('w0')
  expect(queue.workerLost('w0')).toEqual([first, second])
  expect(queue.status(first)).toEqual({ id: first, status: 'IN_QUEUE' })
  expect(queue.complete(first, 'w0', { output: 1 })).toBe('late')
  for (const worker of ['w1', 'w2', 'w3']) {
    expect([queue.take(worker)?.id, queue.take(worker)?.id]).toEqual([first, second])
    queue.workerLost(worker)
  }
  expect(queue.status(first)).toMatchObject({ status: 'FAILED', workerId: 'w3' })
  expect(codeOf(queue.status(second)?.error)).toBe('WORKER_LOST')
  expect(queue.take('w4')?.id).toBe(third)
  expect(queue.workerLost('nobody')).toEqual([])
  expect(queue.health().jobs).toMatchObject({ retried: 6, failed: 2 })
})

test('a lost worker can fail its jobs at once, with the reason given', () => {
  const { queue, submit } = setUp()
  const [first, second] = [submit(), submit()]
  queue.take('a')
  queue.take('b')
  queue.workerLost('a', { requeue: false, error: 'exited with code 3' })
  queue.workerLost('b', { requeue: false })
  expect(queue.status(first)).toMatchObject({ status: 'FAILED', error: 'exited with code 3' })
  expect(queue.status(second)?.error).toContain('worker b was lost')
})

test('reports: of another worker, after the end, of an unknown job', () => {
  const { queue, submit } = setUp()
  const id = submit()
  expect(queue.complete(id, 'a', { output: 1 })).toBe('late')
  queue.take('a')
  for (const report of [
    (job: string, worker: string) => queue.complete(job, worker, { output: 'mine' }),
    (job: string, worker: string) => queue.progress(job, worker, 1),
    (job: string, worker: string) => queue.item(job, worker, 1),
    (job: string, worker: string) => queue.log(job, worker, 'x'),
  ]) {
    expect(report(id, 'b')).toBe('foreign')
    expect(report('nobody', 'a')).toBe('unknown')
  }
  expect(queue.complete(id, 'a', { output: 'first' })).toBe('accepted')
  expect(queue.complete(id, 'a', { output: 'second' })).toBe('late')
  expect(queue.complete(id, 'b', { output: 'third' })).toBe('foreign')
  expect(queue.status(id)?.output).toBe('first')
})

test('progress is the visible output until the end', () => {
  const { queue, submit } = setUp()
  const id = submit()
  queue.take('a')
  queue.progress(id, 'a', { percent: 50 })
  expect(queue.status(id)?.output).toEqual({ percent: 50 })
  queue.complete(id, 'a', {})
  expect(queue.status(id)).not.toHaveProperty('output')
})

test('wait: resolves at the end, at its own time, and at once for what has ended or is unknown', async () => {
  const { clock, queue, submit } = setUp()
  const id = submit()
  const short = queue.wait(id, 100)
  const long = queue.wait(id, 5_000)
  clock.advance(100)
  expect((await short)?.status).toBe('IN_QUEUE')
  queue.take('a')
  queue.complete(id, 'a', { output: 1 })
  expect((await long)?.output).toBe(1)
  expect((await queue.wait(id, 1))?.status).toBe('COMPLETED')
  expect(await queue.wait('nobody', 1)).toBeUndefined()
  expect((await queue.wait(submit(), 0))?.status).toBe('IN_QUEUE')
})

test('health has all eleven numbers, and load tells what asks for workers', () => {
  const { queue, submit } = setUp()
  submit()
  submit()
  queue.submit({ input: 1, policy: { lowPriority: true } })
  queue.take('a')
  expect(queue.load()).toEqual({ wanting: 1, waiting: 2, running: 1 })
  expect(queue.health({ running: 1 })).toEqual({
    jobs: { completed: 0, failed: 0, inProgress: 1, inQueue: 2, retried: 0 },
    workers: { idle: 0, initializing: 0, ready: 0, running: 1, throttled: 0, unhealthy: 0 },
  })
})

test('onWaiting hears of each job that begins to wait, onEnd of each end', () => {
  const { clock, queue } = setUp()
  const waiting = vi.fn()
  const ended = vi.fn()
  const unhear = queue.onWaiting(waiting)
  queue.onEnd(ended)
  const { id } = queue.submit({ input: 1, policy: { lowPriority: true }, webhook: 'http://w' })
  expect(waiting).toHaveBeenLastCalledWith({ id, lowPriority: true })
  queue.take('a')
  queue.workerLost('a')
  queue.take('a')
  clock.advance(EXECUTION_MS)
  expect(ended).toHaveBeenLastCalledWith(expect.objectContaining({ id, status: 'TIMED_OUT' }), {
    webhook: 'http://w',
  })
  queue.retry(id)
  expect(waiting).toHaveBeenCalledTimes(3)
  unhear()
  queue.submit({ input: 1 })
  expect(waiting).toHaveBeenCalledTimes(3)
  expect(ended).toHaveBeenCalledTimes(1)
})

test('a listener that takes the job at once still lets submit answer IN_QUEUE', () => {
  const { queue } = setUp()
  queue.onWaiting(({ id }) => {
    queue.take('a')
    queue.complete(id, 'a', { output: 1 })
  })
  const { id, status } = queue.submit({ input: 1 })
  expect([status, queue.status(id)?.status]).toEqual(['IN_QUEUE', 'COMPLETED'])
})

test('a listener that throws keeps nobody else from hearing', async () => {
  const { queue, submit } = setUp()
  const id = submit()
  queue.take('a')
  const ended = vi.fn()
  queue.onStop(() => {
    throw new Error('stop listener')
  })
  queue.onEnd(ended)
  const waited = queue.wait(id, 1_000)
  expect(() => queue.cancel(id)).toThrow('stop listener')
  expect((await waited)?.status).toBe('CANCELLED')
  expect(ended).toHaveBeenCalledOnce()
  expect(queue.status(id)?.status).toBe('CANCELLED')
})

test('configure changes what comes, not what runs', () => {
  const { clock, queue, submit } = setUp()
  const [first, second] = [submit(), submit()]
  queue.take('a')
  queue.configure({ maxConcurrency: 2, executionTimeoutMs: 50, ttlMs: 70 })
  expect(queue.take('a')?.id).toBe(second)
  const third = submit()
  queue.take('b')
  clock.advance(50)
  expect([queue.status(first)?.status, queue.status(third)?.status]).toEqual(['IN_PROGRESS', 'TIMED_OUT'])
  queue.configure({})
  clock.advance(20)
  expect(queue.status(third)).toBeUndefined()
})

test('a key that is known already stands for its job, as long as the job is known', () => {
  const { clock, queue } = setUp()
  const { id } = queue.submit({ input: 1, idempotencyKey: 'k' })
  expect(queue.submit({ input: 2, idempotencyKey: 'k' })).toEqual({ id, status: 'IN_QUEUE' })
  expect(queue.submit({ input: 2, idempotencyKey: 'other' }).id).not.toBe(id)
  queue.take('a')
  queue.complete(id, 'a', { output: 1 })
  expect(queue.submit({ input: 3, idempotencyKey: 'k' })).toMatchObject({
    id,
    status: 'COMPLETED',
    output: 1,
  })
  clock.advance(30 * 60_000)
  expect(queue.submit({ input: 4, idempotencyKey: 'k' }).id).not.toBe(id)
})

test('close forgets everything and lets readers go', async () => {
  const { clock, queue, submit } = setUp()
  const id = submit()
  const waited = queue.wait(id, 1_000)
  queue.close()
  expect(await waited).toBeUndefined()
  expect(queue.status(id)).toBeUndefined()
  clock.advance(100_000_000)
})

test('jobs that are given back wait at the front, as if nobody had taken them', () => {
  const { queue, submit } = setUp({ maxConcurrency: 3 })
  const ids = [submit(1), submit(2), submit(3)]
  const events: string[] = []
  queue.subscribe(ids[0]!, (event) => event.type === 'status' && events.push(event.status.status))
  for (let count = 0; count < 3; count++) queue.take('a')
  expect(queue.held('a')).toBe(3)
  queue.complete(ids[2]!, 'a', {})
  queue.giveBack('b', ids)
  expect(queue.held('a')).toBe(2)
  queue.giveBack('a', [...ids, 'unknown'])
  expect([queue.held('a'), queue.held('b')]).toEqual([0, 0])
  expect(queue.health().jobs).toMatchObject({ inQueue: 2, inProgress: 0, retried: 0, completed: 1 })
  expect(events).toEqual(['IN_QUEUE', 'IN_PROGRESS', 'IN_QUEUE'])
  expect([queue.take('b'), queue.take('b')]).toMatchObject([
    { id: ids[0], attempt: 1 },
    { id: ids[1], attempt: 1 },
  ])
})

test('load counts the jobs that ask for a worker, however they come and go', () => {
  const { queue, submit } = setUp({ maxConcurrency: 9 })
  const low = queue.submit({ input: 1, policy: { lowPriority: true } }).id
  const ids = [submit(), submit(), submit()]
  const expectLoad = (wanting: number, waiting: number, running: number) =>
    expect(queue.load()).toEqual({ wanting, waiting, running })
  expectLoad(3, 4, 0)
  queue.take('a')
  queue.take('a')
  expectLoad(2, 2, 2)
  queue.cancel(ids[1]!)
  expectLoad(1, 1, 2)
  queue.workerLost('a')
  expectLoad(2, 3, 0)
  expect(queue.cancel(low)).toMatchObject({ status: 'CANCELLED' })
  queue.purge()
  expectLoad(0, 0, 0)
})

test('overdue jobs are those that ask for a worker and were submitted too long ago', () => {
  const { queue, clock, submit } = setUp()
  submit()
  queue.submit({ input: 1, policy: { lowPriority: true } })
  submit()
  clock.advance(4_000)
  submit()
  expect(queue.overdue(4_000, 9)).toBe(0)
  clock.advance(1)
  expect([queue.overdue(4_000, 9), queue.overdue(4_000, 1), queue.overdue(0, 9)]).toEqual([2, 1, 3])
})
