import { inputShape, RemoteError } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { CallEnvelope } from './envelope.ts'
import { createForwardBackend, type ForwardOptions } from './forward.ts'
import { type FakeQueue, type FakeQueueOptions, fastClock, startFakeQueue } from './testing/fake-queue.ts'
import { functions, hear, lastOf } from './testing/jobs.ts'

const facts = { app: 'shop', prefix: '/_flash', functions: Object.values(functions) }
const { read, count, model } = functions
const key = 'rpa_0123456789ABCDEFGHIJ'

let fake: FakeQueue
afterEach(() => fake.close())

async function setUp(options: FakeQueueOptions = {}) {
  fake = await startFakeQueue(options)
  return { fake, backend: openBackend() }
}

/** A backend as another process of the app would have it. */
function openBackend(options: Partial<ForwardOptions> = {}) {
  const env = Object.fromEntries(
    ['VALUES', 'STREAMS', 'MIXED'].map((name) => [`FLASH_ENDPOINT_${name}`, fake.url]),
  )
  return createForwardBackend({
    facts,
    env,
    findDev: () => undefined,
    findBundles: () => undefined,
    clock: fastClock,
    ...options,
  })
}

const call = (args: unknown[], more: Partial<CallEnvelope> = {}): CallEnvelope => ({ args, ...more })

/** Items one after the other, each when the test says so. */
function stepped() {
  const steps: (() => void)[] = []
  let taken = 0
  return {
    step: () => steps.push(() => {}),
    async wait() {
      await vi.waitUntil(() => steps.length > taken, { interval: 1 })
      taken++
    },
  }
}

describe('a call', () => {
  test('goes to its endpoint by name, and its value comes back', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), ([text, n]) => `${text}${n}`)
    const job = await backend.submit('read', call(['a', 2]))
    expect(await lastOf(job)).toEqual(['value', 'a2'])
    expect(fake.requests[0]).toMatchObject({
      path: '/abc123/run',
      body: { input: { text: 'a', n: 2, 'flash:call': { v: 1, fn: 'read' } } },
    })
    expect(Object.keys(fake.requests[0]!.body)).toEqual(['input'])
    expect(job).toMatchObject({ endpoint: 'values', deadline: expect.any(Number) })
  })

  test('carries what JSON does not, bytes in the text', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), ([value]) => value)
    const value = { at: new Date(5), bytes: new Uint8Array([1, 2, 255]), map: new Map([[1n, undefined]]) }
    expect(await lastOf(await backend.submit('read', call([value])))).toEqual(['value', value])
    expect(fake.requests[0]!.body.input).toEqual({
      'flash:args': expect.any(String),
      'flash:call': { v: 1, fn: 'read' },
    })
  })

  test('gives nothing for a function that returns nothing', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), () => undefined)
    expect(await lastOf(await backend.submit('read', call(['a'])))).toEqual(['value', undefined])
  })

  test('names the method of a class, and its constructor arguments', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(model), () => 'loaded')
    const job = await backend.submit('model', call([], { fn: 'load', new: ['small'] }))
    expect(await lastOf(job)).toEqual(['value', 'loaded'])
    expect(fake.requests[0]!.body.input['flash:call']).toEqual({ v: 1, fn: 'load', new: ['small'] })
    await expect(backend.submit('model', call([], { fn: 'save' }))).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringContaining('"Model" has no method "save"'),
      hint: expect.stringContaining('load, tokens'),
    })
  })

  test('has its options beside the input', async () => {
    const { backend } = await setUp()
    const s3Config = { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' }
    const options = { executionTimeoutMs: 5_000, ttlMs: 60_000, lowPriority: true }
    const before = fastClock.now()
    const job = await backend.submit(
      'read',
      call(['a'], { ...options, webhook: 'https://hook.test/', s3Config, timeoutMs: 1, run: true }),
    )
    expect(fake.requests[0]!.body).toMatchObject({
      policy: { executionTimeout: 5_000, ttl: 60_000, lowPriority: true },
      webhook: 'https://hook.test/',
      s3Config,
    })
    expect(Object.keys(fake.requests[0]!.body).sort()).toEqual(['input', 'policy', 's3Config', 'webhook'])
    expect(job.deadline - before).toBeGreaterThanOrEqual(605_000)
    expect(job.deadline - before).toBeLessThan(700_000)
  })

  test('of more than 10 MB waits for its acceptance, and the end may come with it', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), ([text]) => (text as string).length)
    const job = await backend.submit('read', call(['x'.repeat(11_000_000)]))
    expect(await lastOf(job)).toEqual(['value', 11_000_000])
    expect(fake.paths()).toEqual(['/abc123/runsync?wait=1000'])
  })

  test('of more than 20 MB is refused', async () => {
    const { backend } = await setUp()
    await expect(backend.submit('read', call([new Uint8Array(16_000_000)]))).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
    })
    expect(fake.requests).toEqual([])
  })

  test('that does not travel is refused with the path', async () => {
    const { backend } = await setUp()
    await expect(backend.submit('read', call([{ a: [() => {}] }]))).rejects.toMatchObject({
      code: 'CANNOT_CARRY',
    })
  })

  test('of an unknown function is none', async () => {
    const { backend } = await setUp()
    expect(await backend.find('read')).toMatchObject({ endpoint: 'values', maxBodyBytes: 20_000_000 })
    expect(await openBackend({ maxBodyBytes: 5 }).find('read')).toMatchObject({ maxBodyBytes: 5 })
    expect(await backend.find('constructor')).toBeNull()
    await expect(backend.submit('nobody', call([]))).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
    await expect(backend.warm('nobody', call([]))).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
  })

  test('that only warms up is not in the wire yet', async () => {
    const { backend } = await setUp()
    await expect(backend.warm('read', call([], { warm: true }))).rejects.toMatchObject({
      code: 'NOT_AVAILABLE',
      message: expect.stringContaining('"values"'),
      hint: expect.stringContaining('workers'),
    })
    expect(fake.requests).toEqual([])
  })
})

describe('what a job says', () => {
  test('its states, its progress and its end, each once', async () => {
    const { backend } = await setUp()
    const { step, wait } = stepped()
    fake.work(inputShape(read), async (_args, _job, worker) => {
      await worker.progress({ done: 1 })
      await wait()
      await worker.progress({ done: new Date(2) })
      await wait()
      return 'all'
    })
    const job = await backend.submit('read', call(['a']))
    const heard: [string, any][] = []
    const all = hear(job).then((messages) => heard.push(...messages))
    await vi.waitUntil(() => fake.requests.length > 4, { interval: 1 })
    step()
    await vi.waitUntil(() => fake.requests.length > 9, { interval: 1 })
    step()
    await all
    expect(heard.map(([name, value]) => (name === 'status' ? value.status : [name, value]))).toEqual([
      'IN_QUEUE',
      'IN_PROGRESS',
      ['progress', { done: 1 }],
      ['progress', { done: new Date(2) }],
      ['value', 'all'],
    ])
    const [, running] = heard[1]!
    expect(running).toEqual({
      id: job.id,
      status: 'IN_PROGRESS',
      delayTime: expect.any(Number),
      workerId: 'worker-1',
    })
  })

  test('an error as the function threw it', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), () => {
      throw new RemoteError('TOO_DARK', 'no text found', { data: { lux: 3 } })
    })
    expect(await lastOf(await backend.submit('read', call(['a'])))).toEqual([
      'error',
      expect.objectContaining({ code: 'TOO_DARK', message: 'no text found', data: { lux: 3 } }),
    ])
  })

  for (const [what, end, error] of [
    ['cancelled', (id: string) => void fake.queue.cancel(id), { code: 'CANCELLED' }],
    ['purged', () => void fake.queue.purge(), { code: 'CANCELLED' }],
    [
      'gone',
      () => fake.queue.close(),
      { code: 'JOB_NOT_FOUND', message: expect.stringContaining('"values"') },
    ],
  ] as const) {
    test(`that it was ${what}`, async () => {
      const { backend } = await setUp()
      const job = await backend.submit('read', call(['a']))
      const last = lastOf(job)
      await vi.waitUntil(() => fake.requests.length > 2, { interval: 1 })
      end(job.id)
      expect(await last).toEqual(['error', expect.objectContaining(error)])
    })
  }

  for (const [what, error, message] of [
    ['says why', JSON.stringify({ error_message: 'ran 5 s', error_type: 'x' }), /"values": ran 5 s/],
    ['does not say why', undefined, /"values": .*execution timeout/],
  ] as const) {
    test(`that it took too long, by a queue that ${what}`, async () => {
      const { backend } = await setUp()
      const text = JSON.stringify({ id: 'x', status: 'TIMED_OUT', error })
      fake.fail('/abc123/status', { status: 404 }, { status: 200, text })
      expect(await lastOf(await backend.submit('read', call(['a'])))).toEqual([
        'error',
        expect.objectContaining({ code: 'TIMEOUT', message: expect.stringMatching(message) }),
      ])
    })
  }

  test('is waited for by the host where it can', async () => {
    const { backend } = await setUp({ waits: true })
    fake.work(inputShape(read), () => 1)
    expect(await lastOf(await backend.submit('read', call(['a'])))).toEqual(['value', 1])
    expect(
      fake
        .paths()
        .slice(1)
        .every((path) => path.startsWith('/abc123/status-sync/')),
    ).toBe(true)
  })

  test('goes to all who listen, and one of them asks', async () => {
    const { backend } = await setUp()
    const { step, wait } = stepped()
    fake.work(inputShape(read), wait)
    const job = await backend.submit('read', call(['a']))
    const all = Promise.all([lastOf(job), lastOf(job), lastOf(job)])
    await vi.waitUntil(() => fake.requests.length > 3, { interval: 1 })
    step()
    expect(await all).toEqual([
      ['value', undefined],
      ['value', undefined],
      ['value', undefined],
    ])
    const asked = fake.requests.map(({ path }) => path)
    // Three that each asked for themselves would have asked for the waiting form three times.
    expect(asked.filter((path) => path.includes('status-sync'))).toHaveLength(1)
  })

  test('is not asked for when nobody listens any more', async () => {
    const { backend } = await setUp()
    const job = await backend.submit('read', call(['a']))
    const heard: unknown[] = []
    const leave = job.listen(0, (message) => heard.push(message))
    await vi.waitUntil(() => fake.requests.length > 2, { interval: 1 })
    leave()
    const told = heard.length
    await new Promise((resolve) => setTimeout(resolve, 60))
    const asked = fake.requests.length
    // The longest pause takes 40 ms here.
    await new Promise((resolve) => setTimeout(resolve, 120))
    expect(fake.requests).toHaveLength(asked)
    expect(heard).toHaveLength(told)
    fake.work(inputShape(read), () => 'late')
    fake.queue.complete(job.id, fake.queue.take('w')!.id, { output: 1 })
    fake.queue.complete(job.id, 'w', { output: 'late' })
    expect(await lastOf(job)).toEqual(['value', 'late'])
  })
})

describe('a stream', () => {
  const numbers = ([to]: unknown[], _job: unknown, worker: { item(value: unknown): Promise<void> }) =>
    (async () => {
      for (let n = 0; n < (to as number); n++) await worker.item({ n, at: new Date(n) })
    })()
  const items = (messages: [string, any][]) =>
    messages.filter(([name]) => name === 'item').map(([, value]) => value.n)

  test('gives its items in order, then its end', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(count), numbers)
    const heard = await hear(await backend.submit('count', call([4])))
    expect(items(heard)).toEqual([0, 1, 2, 3])
    expect(heard.at(-1)).toEqual(['end', undefined])
    expect(heard.find(([name]) => name === 'item')![1].at).toEqual(new Date(0))
  })

  test('is continued from any item by the process that began it', async () => {
    const { backend } = await setUp()
    const { step, wait } = stepped()
    fake.work(inputShape(count), async (args, job, worker) => {
      await numbers(args, job, worker)
      await wait()
      await worker.item({ n: 9 })
    })
    const job = await backend.submit('count', call([3]))
    const first: unknown[] = []
    const leave = job.listen(0, (message) => first.push(message))
    await vi.waitUntil(() => first.length >= 4, { interval: 1 })
    leave()
    const again = await backend.job('streams', job.ref!, { id: 'count' })
    const rest = hear(again!, 2)
    step()
    expect(items(await rest)).toEqual([2, 9])
    // The end is kept as well, for whoever lost the connection just then.
    expect(items(await hear(again!, 0))).toEqual([0, 1, 2, 9])
    expect(await lastOf(again!, 4)).toEqual(['end', undefined])
    expect(await lastOf(again!, 5)).toEqual(['error', expect.objectContaining({ code: 'STREAM_LOST' })])
  })

  for (const from of [0, 1]) {
    test(`is lost in another process, also from item ${from}, because the first may have read on`, async () => {
      const { backend } = await setUp()
      const { wait } = stepped()
      fake.work(inputShape(count), wait)
      const { ref } = await backend.submit('count', call([3]))
      const elsewhere = await openBackend().job('streams', ref!, { id: 'count' })
      expect(await lastOf(elsewhere!, from)).toEqual([
        'error',
        expect.objectContaining({ code: 'STREAM_LOST', hint: expect.stringContaining('same one') }),
      ])
      // Its caller has been told, and nobody else can use it.
      await vi.waitUntil(() => fake.paths().some((path) => path.includes('/cancel/')), { interval: 1 })
    })
  }

  test('of a job on its own begins wherever it is read first', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(count), numbers)
    const job = await backend.submit('count', call([3], { run: true }))
    expect(job.ref).toBe(job.id)
    const elsewhere = openBackend()
    const first = await elsewhere.job('streams', job.ref!, { id: 'count' })
    expect(items(await hear(first!))).toEqual([0, 1, 2])
    // And again from the beginning, as often as somebody asks there.
    expect(items(await hear((await elsewhere.job('streams', job.id))!))).toEqual([0, 1, 2])
    expect(await lastOf((await openBackend().job('streams', job.id))!, 2)).toEqual([
      'error',
      expect.objectContaining({ code: 'STREAM_LOST' }),
    ])
  })

  test('of an endpoint that has both kinds is read as one, and a value stays a value', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(model), ([to], job, worker) =>
      to === undefined ? 'value' : numbers([to], job, worker),
    )
    const value = await backend.submit('model', call([], { fn: 'load', new: ['small'], run: true }))
    const stream = await backend.submit('model', call([2], { fn: 'tokens', new: ['small'], run: true }))
    const elsewhere = openBackend()
    expect(await lastOf((await elsewhere.job('mixed', value.id))!)).toEqual(['value', 'value'])
    const heard = await hear((await elsewhere.job('mixed', stream.id))!)
    expect(items(heard)).toEqual([0, 1])
    const known = await openBackend().job('mixed', value.id, { id: 'model', method: 'load' })
    expect(await lastOf(known!)).toEqual(['value', 'value'])
  })

  test('that failed in the middle gives what there was, then the error', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(count), async (args, job, worker) => {
      await numbers(args, job, worker)
      throw new RemoteError('EMPTY', 'no more')
    })
    const heard = await hear(await backend.submit('count', call([2])))
    expect(items(heard)).toEqual([0, 1])
    expect(heard.at(-1)).toEqual(['error', expect.objectContaining({ code: 'EMPTY' })])
  })

  test('whose items somebody else took is read from the whole result, where the worker gives one', async () => {
    const { backend } = await setUp()
    const job = await backend.submit('count', call([2], { run: true }))
    const { id } = fake.queue.take('w')!
    for (const n of [0, 1]) fake.queue.item(id, 'w', { n })
    fake.queue.stream(id)
    fake.queue.complete(id, 'w', { output: [{ n: 0 }, { n: 1 }] })
    expect(items(await hear(job))).toEqual([0, 1])
  })

  test('of which somebody else took a part is lost, where the whole result shows it', async () => {
    const { backend } = await setUp()
    const job = await backend.submit('count', call([2], { run: true }))
    const { id } = fake.queue.take('w')!
    fake.queue.item(id, 'w', { n: 0 })
    fake.queue.stream(id)
    fake.queue.item(id, 'w', { n: 1 })
    fake.queue.complete(id, 'w', { output: [{ n: 0 }, { n: 1 }] })
    expect(await lastOf(job)).toEqual(['error', expect.objectContaining({ code: 'STREAM_LOST' })])
  })

  test('whose items were lost on the way is lost for good, and its job cancelled', async () => {
    const { backend } = await setUp()
    const { wait } = stepped()
    fake.work(inputShape(count), async (args, job, worker) => {
      await numbers(args, job, worker)
      await wait()
    })
    fake.fail('/abc123/stream', 'lost')
    const job = await backend.submit('count', call([3]))
    expect(await lastOf(job)).toEqual(['error', expect.objectContaining({ code: 'STREAM_LOST' })])
    await vi.waitUntil(() => fake.queue.status(job.id)!.status === 'CANCELLED', { interval: 1 })
    expect(await lastOf(job)).toEqual(['error', expect.objectContaining({ code: 'STREAM_LOST' })])
  })
})

describe('a job', () => {
  test('is found by endpoint and id in any process', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), ([text]) => `read ${text}`)
    const { id, ref } = await backend.submit('read', call(['a'], { run: true }))
    expect(ref).toBe(id)
    const job = await openBackend().job('values', id, { id: 'read' })
    expect(await lastOf(job!)).toEqual(['value', 'read a'])
    expect(await job!.status()).toEqual({
      id,
      status: 'COMPLETED',
      delayTime: expect.any(Number),
      executionTime: expect.any(Number),
      workerId: 'worker-1',
    })
  })

  test('of an endpoint that the app does not have is none', async () => {
    const { backend } = await setUp()
    expect(await backend.job('elsewhere', 'x')).toBeNull()
    expect(fake.requests).toEqual([])
  })

  test('that the queue does not know says so to whoever asks', async () => {
    const { backend } = await setUp()
    const job = await backend.job('values', 'nobody')
    expect(await lastOf(job!)).toEqual(['error', expect.objectContaining({ code: 'JOB_NOT_FOUND' })])
    await expect(job!.status()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
    await expect(job!.cancel('')).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
  })

  test('is cancelled on its queue', async () => {
    const { backend } = await setUp()
    const job = await backend.submit('read', call(['a']))
    await job.cancel('')
    expect(fake.queue.status(job.id)).toMatchObject({ status: 'CANCELLED' })
    expect(await lastOf(job)).toEqual(['error', expect.objectContaining({ code: 'CANCELLED' })])
  })

  test('is found by its bare id, in this process and in another', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), () => 5)
    const { id } = await backend.submit('read', call(['a'], { run: true }))
    const asked = fake.requests.length
    expect(await backend.jobById(id)).toMatchObject({ id, endpoint: 'values' })
    expect(fake.requests).toHaveLength(asked)
    expect(await lastOf((await openBackend().jobById(id))!)).toEqual(['value', 5])
    expect(await openBackend().jobById('nobody')).toBeNull()
  })

  test('may be where nobody could look, which is not the same as not being there', async () => {
    await setUp()
    const env = { FLASH_ENDPOINT_VALUES: fake.url, FLASH_ENDPOINT_STREAMS: fake.url }
    await expect(openBackend({ env }).jobById('nobody')).rejects.toMatchObject({
      code: 'NO_ACCOUNT',
      message: expect.stringContaining('"mixed"'),
    })
  })
})

describe('when the network is not what it should be', () => {
  test('a submit whose answer is lost is not repeated', async () => {
    const { backend } = await setUp()
    fake.fail('/abc123/run', 'lost')
    await expect(backend.submit('read', call(['a']))).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
    expect(fake.paths()).toEqual(['/abc123/run'])
    expect(fake.queue.load().waiting).toBe(1)
  })

  test('a submit whose answer is cut off is not repeated either', async () => {
    const { backend } = await setUp()
    fake.fail('/abc123/run', 'cut')
    await expect(backend.submit('read', call(['a']))).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
    expect(fake.requests).toHaveLength(1)
  })

  test('four failures in a row are borne while waiting', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), () => 7)
    fake.fail('/abc123/status/', 'lost', 'cut', { status: 502 }, { status: 200, text: '<html>' })
    expect(await lastOf(await backend.submit('read', call(['a'])))).toEqual(['value', 7])
  })

  test('an answer that never comes is one of them', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), () => 7)
    fake.fail('/abc123/status/', 'silent')
    expect(await lastOf(await backend.submit('read', call(['a'])))).toEqual(['value', 7])
  })

  test('the fifth ends the call, and the job with it; a job on its own goes on', async () => {
    const { backend } = await setUp()
    for (const run of [false, true]) {
      const five = Array.from({ length: 5 }, () => ({ status: 500, text: 'broken' }))
      fake.fail('/abc123/status/', ...five)
      const job = await backend.submit('read', call(['a'], { run }))
      const [name, error] = await lastOf(job)
      expect([name, error.code]).toEqual(['error', 'TRANSPORT'])
      expect(error.cause).toBeUndefined()
      const wanted = run ? 'IN_QUEUE' : 'CANCELLED'
      await vi.waitUntil(() => fake.queue.status(job.id)!.status === wanted, { interval: 1 })
      if (!run) continue
      // Whoever asks again begins anew.
      fake.work(inputShape(read), () => 8)
      fake.queue.take('w')
      fake.queue.complete(job.id, 'w', { output: 8 })
      expect(await lastOf(job)).toEqual(['value', 8])
    }
  })
})

describe('calls with an idempotency key', () => {
  const keyed = (text: string, scope?: string, idempotencyKey = 'k') =>
    call([text], { idempotencyKey, scope })

  test('are one job for one caller, also at the same time', async () => {
    const { backend } = await setUp()
    const [a, b] = await Promise.all([
      backend.submit('read', keyed('a', 'ann')),
      backend.submit('read', keyed('a', 'ann')),
    ])
    expect(b.id).toBe(a.id)
    expect(fake.requests).toHaveLength(1)
  })

  test('are other jobs for other callers, functions and keys', async () => {
    const { backend } = await setUp()
    const jobs = [
      await backend.submit('read', keyed('a', 'ann')),
      await backend.submit('read', keyed('a', 'bob')),
      await backend.submit('read', keyed('a')),
      await backend.submit('read', keyed('a', 'ann', 'l')),
      await backend.submit('read', call(['a'])),
      await backend.submit('count', call([1], { idempotencyKey: 'k', scope: 'ann' })),
    ]
    expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length)
    const load = { idempotencyKey: 'k', scope: 'ann', new: [] }
    const methods = [
      await backend.submit('model', call([], { ...load, fn: 'load' })),
      await backend.submit('model', call([1], { ...load, fn: 'tokens' })),
    ]
    expect(methods[0]!.id).not.toBe(methods[1]!.id)
  })

  test('give everybody the result, also who comes when it is there', async () => {
    const { backend } = await setUp()
    fake.work(inputShape(read), ([text]) => text)
    const first = await backend.submit('read', keyed('a'))
    expect(await lastOf(first)).toEqual(['value', 'a'])
    const second = await backend.submit('read', keyed('a'))
    expect(second).toMatchObject({ id: first.id, ref: first.ref, deadline: first.deadline })
    expect(await lastOf(second)).toEqual(['value', 'a'])
    expect(fake.paths().filter((path) => path.startsWith('/abc123/run'))).toHaveLength(1)
  })

  test('of which one is a .run() outlive a queue that cannot be asked for a while', async () => {
    const { backend } = await setUp()
    const attached = await backend.submit('read', keyed('a'))
    await backend.submit('read', call(['a'], { idempotencyKey: 'k', run: true }))
    fake.fail('/abc123/status/', ...Array.from({ length: 5 }, () => ({ status: 500, text: 'broken' })))
    expect((await lastOf(attached))[1].code).toBe('TRANSPORT')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(fake.queue.status(attached.id)!.status).toBe('IN_QUEUE')
  })

  test('are sent again when the first was refused', async () => {
    const { backend } = await setUp()
    fake.fail('/abc123/run', { status: 400, text: '{"error":"no"}' })
    await expect(backend.submit('read', keyed('a'))).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    expect((await backend.submit('read', keyed('a'))).id).toBeTruthy()
  })
})

describe('on this machine', () => {
  const job = {
    id: 'j',
    endpoint: 'values',
    deadline: 1,
    listen: () => () => {},
    status: vi.fn(),
    cancel: vi.fn(),
  }
  const runner = {
    submit: vi.fn(async () => job),
    warm: vi.fn(async () => {}),
    fetch: vi.fn(async () => new Response('near')),
    job: vi.fn(() => job),
    jobById: vi.fn(async () => job),
  }

  test('the built bundles get the call as it is, and everything about its job', async () => {
    await setUp()
    const backend = openBackend({ env: { FLASH_TARGET: 'local' }, local: async () => runner })
    const envelope = call(['a'], { idempotencyKey: 'k', scope: 'ann' })
    expect(await backend.submit('read', envelope)).toBe(job)
    expect(runner.submit).toHaveBeenCalledWith('read', envelope)
    await backend.warm('read', call([], { warm: true }))
    expect(runner.warm).toHaveBeenCalledWith('read', { args: [], warm: true })
    expect(await backend.job('values', 'j', { id: 'read' })).toBe(job)
    expect(runner.job).toHaveBeenCalledWith('values', 'j', { id: 'read' })
    expect(await backend.jobById('j')).toBe(job)
    expect(fake.requests).toEqual([])
  })
})

describe('on the account', () => {
  const named = { app: 'shop', environment: 'production', endpoint: 'values' }
  const account = () => ({ RUNPOD_API_KEY: key, RUNPOD_ENDPOINT_BASE_URL: fake.base })

  test('the platform finds the endpoint by app, environment and name, at each request', async () => {
    await setUp({ named, key })
    fake.work(inputShape(read), () => 'found')
    const backend = openBackend({ env: account() })
    const job = await backend.submit('read', call(['a']))
    expect(await lastOf(job)).toEqual(['value', 'found'])
    expect(fake.paths()[0]).toBe('/flash/run')
    for (const { headers } of fake.requests) {
      expect(headers).toMatchObject({
        'x-flash-app': 'shop',
        'x-flash-environment': 'production',
        'x-flash-endpoint': 'values',
        authorization: `Bearer ${key}`,
      })
    }
  })

  test('an endpoint that it does not know is not deployed', async () => {
    await setUp({ named: { ...named, environment: 'staging' } })
    await expect(openBackend({ env: account() }).submit('read', call(['a']))).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
      message: expect.stringMatching(/"values".*app "shop", environment "production"/),
      hint: expect.stringContaining('FLASH_ENDPOINT_VALUES'),
    })
    const staging = openBackend({ env: { ...account(), FLASH_ENV: 'staging' } })
    expect((await staging.submit('read', call(['a']))).id).toBeTruthy()
  })

  test('the list of the account settles it, and what it has is called by its id from then on', async () => {
    await setUp()
    const findListed = vi.fn(async (endpoint: string) =>
      endpoint === 'values' ? { endpoint, url: fake.url, key, place: 'the list' } : null,
    )
    const backend = openBackend({ env: account(), findListed })
    await backend.submit('read', call(['a']))
    await backend.submit('read', call(['a']))
    expect(fake.paths()).toEqual(['/flash/run', '/abc123/run', '/abc123/run'])
    expect(findListed.mock.calls).toEqual([['values', { app: 'shop', environment: 'production', key }]])
    await expect(backend.submit('count', call([1]))).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
    })
  })

  test('a refused key is said, and never shown', async () => {
    await setUp({ named, key: 'another' })
    const error = await openBackend({ env: account() })
      .submit('read', call(['a']))
      .catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'ACCOUNT_REFUSED', hint: expect.stringContaining('RUNPOD_API_KEY') })
    expect(String((error as Error).message)).not.toContain(key)
  })
})
