import { AsyncLocalStorage } from 'node:async_hooks'
import { inputShape, RemoteError } from '@flash/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CalledFunction, serverClass, serverStub } from './calls.ts'
import { type FakeQueue, type FakeQueueOptions, startFakeQueue } from './testing/fake-queue.ts'
import { functions } from './testing/jobs.ts'

const storageKey = Symbol.for('unplugin-flash.context')
const hopsKey = Symbol.for('unplugin-flash.hops')
const shared = globalThis as { [key: symbol]: unknown }
const storage = new AsyncLocalStorage<object>()
const key = 'rpa_0123456789ABCDEFGHIJ'

let fake: FakeQueue
beforeEach(() => {
  shared[storageKey] = storage
  for (const name of ['FLASH_LOCAL_URL', 'FLASH_LOCAL_TOKEN', 'FLASH_APP', 'FLASH_ENV', 'FLASH_ENVIRONMENT'])
    vi.stubEnv(name, undefined)
  // Never shown, whatever happens.
  vi.stubEnv('RUNPOD_API_KEY', 'rpa_of_the_account_itself')
})
afterEach(async () => {
  delete shared[storageKey]
  vi.unstubAllEnvs()
  await fake?.close()
})

async function setUp(options: FakeQueueOptions = {}) {
  fake = await startFakeQueue(options)
  return fake
}

function infoOf(name: keyof typeof functions, more: Partial<CalledFunction> = {}): CalledFunction {
  const { id: _, endpoint, ...fn } = functions[name]
  return { name: endpoint, at: 'src/a.ts:1', app: 'shop', fn, ...more }
}

/** Runs as a function of endpoint "outer" does. */
function inside<T>(
  context: { hops?: number; deadline?: number | null; signal?: AbortSignal },
  work: () => T,
): T {
  const { hops = 0, deadline = null, signal = new AbortController().signal } = context
  return storage.run({ endpoint: 'outer', signal, deadline, [hopsKey]: hops }, work)
}

const headerOf = (call: number) => fake.requests[call]!.body.input['flash:call']

describe('a call of another endpoint', () => {
  test('goes to its queue, and what it gives comes back', async () => {
    const { url, work } = await setUp()
    for (const name of ['VALUES', 'STREAMS', 'MIXED']) vi.stubEnv(`FLASH_ENDPOINT_${name}`, url)
    work(inputShape(functions.read), ([text]) => new Map([[text, new Date(0)]]))
    const read = serverStub('read', 0, infoOf('read'))
    expect(await read('a')).toEqual(new Map([['a', new Date(0)]]))
    expect(fake.requests[0]).toMatchObject({ path: '/abc123/run', body: { input: { text: 'a' } } })
    expect(await (await read.run('b')).wait()).toEqual(new Map([['b', new Date(0)]]))
  })

  test('items, instances and errors too', async () => {
    const { url, work } = await setUp()
    for (const name of ['VALUES', 'STREAMS', 'MIXED']) vi.stubEnv(`FLASH_ENDPOINT_${name}`, url)
    work(inputShape(functions.model), async ([to], job, worker) => {
      const { fn, new: construct } = (job.input as any)['flash:call']
      if (fn === 'load') throw new RemoteError('FULL', 'no seats left', { data: { seats: construct } })
      for (let at = 1; at <= (to as number); at++) await worker.item(at)
    })
    const Model = serverClass('model', 'load,*tokens', infoOf('model'))
    const model = new Model(7)
    const items = []
    for await (const item of model.tokens!(3)) items.push(item)
    expect(items).toEqual([1, 2, 3])
    await expect(model.load!()).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'FULL',
      message: 'no seats left',
      data: { seats: [7] },
    })
  })
})

describe('where it goes', () => {
  const named = { app: 'shop', environment: 'staging', endpoint: 'values' }

  for (const [what, info, variable] of [
    ['the variable that the build names', { key: 'CALLS_KEY' }, 'CALLS_KEY'],
    ['FLASH_WORKER_KEY, when it names none', {}, 'FLASH_WORKER_KEY'],
  ] as const) {
    test(`is looked up by app and environment, with the key of ${what}`, async () => {
      const { base, work } = await setUp({ named, key })
      vi.stubEnv('RUNPOD_ENDPOINT_BASE_URL', base)
      vi.stubEnv('FLASH_ENV', 'staging')
      vi.stubEnv(variable, key)
      work(inputShape(functions.read), ([text]) => text)
      expect(await serverStub('read', 0, infoOf('read', info))('a')).toBe('a')
      expect(fake.paths()[0]).toBe('/flash/run')
    })
  }

  test('the name of the app is the worker’s own, where it has one', async () => {
    const { base } = await setUp({ named: { ...named, app: 'other' }, key })
    vi.stubEnv('RUNPOD_ENDPOINT_BASE_URL', base)
    vi.stubEnv('FLASH_WORKER_KEY', key)
    const read = serverStub('read', 0, infoOf('read'))
    await expect(read('a')).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
      message: expect.stringContaining('app "shop", environment "production"'),
      hint: expect.stringContaining('FLASH_ENDPOINT_VALUES'),
    })
  })

  test('without a key the error says who calls whom, and what to do', async () => {
    await setUp()
    vi.stubEnv('FLASH_WORKER_KEY', undefined)
    const of = (info: Partial<CalledFunction>) =>
      inside({}, () => serverStub('read', 0, infoOf('read', info))('a').catch((error: unknown) => error))
    expect(await of({})).toMatchObject({
      code: 'CALLS_NEED_KEY',
      message:
        'endpoint "outer" calls endpoint "values", and has no key for that: FLASH_WORKER_KEY is not set',
      hint: expect.stringMatching(/workerKey.*build again/),
    })
    expect(await of({ key: 'CALLS_KEY' })).toMatchObject({
      code: 'CALLS_NEED_KEY',
      message: expect.stringContaining('CALLS_KEY is not set'),
      hint: expect.stringMatching(/^set CALLS_KEY/),
    })
    expect(fake.requests).toEqual([])
  })

  test('a key that is refused is called by its variable', async () => {
    const { base } = await setUp({ key })
    vi.stubEnv('RUNPOD_ENDPOINT_BASE_URL', base)
    vi.stubEnv('CALLS_KEY', 'another')
    await expect(serverStub('read', 0, infoOf('read', { key: 'CALLS_KEY' }))('a')).rejects.toMatchObject({
      code: 'ACCOUNT_REFUSED',
      message: expect.stringContaining('the key of CALLS_KEY'),
      hint: expect.stringContaining('CALLS_KEY'),
    })
  })

  test('what runs the bundles of a whole build comes before the account, and after the variable', async () => {
    const { url, work } = await setUp()
    const fetch = vi.fn(async () =>
      Response.json({ code: 'HERE', message: 'here' }, { status: 400, headers: { 'x-flash': '1' } }),
    )
    const bundles = Symbol.for('unplugin-flash.bundles')
    shared[bundles] = new Map([['/app', { has: () => true, fetch }]])
    try {
      const read = serverStub('read', 0, infoOf('read'))
      await expect(read('a')).rejects.toMatchObject({ code: 'HERE' })
      vi.stubEnv('FLASH_ENDPOINT_VALUES', url)
      work(inputShape(functions.read), ([text]) => text)
      expect(await read('b')).toBe('b')
      expect(fetch).toHaveBeenCalledTimes(1)
    } finally {
      delete shared[bundles]
    }
  })
})

describe('what it hands on', () => {
  async function setUpRead() {
    const { url, work } = await setUp()
    vi.stubEnv('FLASH_ENDPOINT_VALUES', url)
    work(inputShape(functions.read), ([text]) => text)
    return serverStub('read', 0, infoOf('read'))
  }

  test('how many calls led to it, and until when an answer is of use', async () => {
    const read = await setUpRead()
    const deadline = Date.now() + 60_000
    await read('from nowhere')
    expect(headerOf(0)).toEqual({ v: 1, fn: 'read', hops: 1 })
    fake.requests.length = 0
    await inside({ hops: 3, deadline }, () => read('a'))
    expect(headerOf(0)).toEqual({ v: 1, fn: 'read', hops: 4, deadline })
    fake.requests.length = 0
    await inside({ hops: 3, deadline }, () => read.with({ timeoutMs: 5_000 })('a'))
    expect(headerOf(0).deadline).toBeLessThanOrEqual(Date.now() + 5_000)
    fake.requests.length = 0
    // `setup` has no deadline, and would throw for being asked.
    const setup = {
      endpoint: 'outer',
      signal: new AbortController().signal,
      get deadline(): number {
        throw new Error('no deadline in setup')
      },
    }
    await storage.run(setup, () => read('a'))
    expect(headerOf(0)).toEqual({ v: 1, fn: 'read', hops: 1 })
  })

  test('a chain that is too long is ended before anything is sent', async () => {
    const read = await setUpRead()
    expect(await inside({ hops: 15 }, () => read('a'))).toBe('a')
    fake.requests.length = 0
    await expect(inside({ hops: 16 }, () => read('a'))).rejects.toMatchObject({
      code: 'CALL_LOOP',
      message: expect.stringMatching(/^endpoint "outer" calls endpoint "values" as number 17/),
    })
    expect(fake.requests).toEqual([])
  })

  test('the same to what runs the bundles of a whole build', async () => {
    vi.stubEnv('FLASH_ENDPOINT_VALUES', undefined)
    const fetch = vi.fn(async (_request: Request) =>
      Response.json({ code: 'HERE', message: 'here' }, { status: 400, headers: { 'x-flash': '1' } }),
    )
    const bundles = Symbol.for('unplugin-flash.bundles')
    shared[bundles] = new Map([['/app', { has: () => true, fetch }]])
    try {
      const read = serverStub('read', 0, infoOf('read'))
      const deadline = Date.now() + 60_000
      await expect(inside({ hops: 3, deadline }, () => read('a'))).rejects.toMatchObject({ code: 'HERE' })
      const { headers } = fetch.mock.calls[0]![0]
      expect([headers.get('x-flash-hops'), headers.get('x-flash-deadline')]).toEqual(['4', String(deadline)])
      await expect(inside({ hops: 16 }, () => read('a'))).rejects.toMatchObject({ code: 'CALL_LOOP' })
      expect(fetch).toHaveBeenCalledTimes(1)
    } finally {
      delete shared[bundles]
    }
  })

  for (const [what, start] of [
    ['a call', (read: any) => read('a')],
    [
      'a call with a signal of its own',
      (read: any) => read.with({ signal: new AbortController().signal })('a'),
    ],
    ['calls for each of several', (read: any) => read.map(['a'])],
  ] as const) {
    test(`the end of the outer call: ${what} is cancelled with it`, async () => {
      const { url } = await setUp()
      vi.stubEnv('FLASH_ENDPOINT_VALUES', url)
      const abort = new AbortController()
      const reason = new Error('the outer call was cancelled')
      const read = serverStub('read', 0, infoOf('read'))
      const calling = inside({ signal: abort.signal }, () => start(read)).catch((error: unknown) => error)
      await vi.waitUntil(() => fake.paths().some((path) => path.includes('/status')))
      abort.abort(reason)
      expect(await calling).toBe(reason)
      await vi.waitUntil(() => fake.paths().some((path) => path.includes('/cancel/')))
    })
  }

  test('a job of `.run()` lives on its own', async () => {
    const { url } = await setUp()
    vi.stubEnv('FLASH_ENDPOINT_VALUES', url)
    const abort = new AbortController()
    const read = serverStub('read', 0, infoOf('read'))
    const job = await inside({ signal: abort.signal }, () => read.run('a'))
    abort.abort()
    expect(await job.status()).toMatchObject({ status: 'IN_QUEUE' })
    expect(fake.paths().some((path) => path.includes('/cancel/'))).toBe(false)
    await job.cancel()
  })
})
