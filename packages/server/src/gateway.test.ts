import { inputShape, RemoteError } from '@flash/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bindServer } from './gateway.ts'
import { type FakeQueue, fastClock, startFakeQueue } from './testing/fake-queue.ts'
import { functions } from './testing/jobs.ts'

const facts = { app: 'shop', prefix: '/_flash', functions: Object.values(functions) }
const key = Buffer.alloc(32, 7).toString('base64url')
const info = (name: string) => ({ name, at: 'src/a.ts:1' })

let fake: FakeQueue
beforeEach(async () => {
  fake = await startFakeQueue()
})
afterEach(() => fake.close())

function bind() {
  const env = {
    FLASH_ENDPOINT_VALUES: fake.url,
    FLASH_ENDPOINT_STREAMS: fake.url,
    FLASH_ENDPOINT_MIXED: fake.url,
  }
  return bindServer(facts, key, {
    env,
    findDev: () => undefined,
    findBundles: () => undefined,
    clock: fastClock,
  })
}

describe('a stub in built server code', () => {
  test('calls the endpoint and no server of its own', async () => {
    fake.work(inputShape(functions.read), ([text, n]) => ({ text, n }))
    const read = bind().serverStub('read', 0, info('values'))
    const at = new Date(3)
    expect(await read('a', at)).toEqual({ text: 'a', n: at })
    const bytes = new File(['hello'], 'a.txt', { type: 'text/plain' })
    expect((await read(bytes)).text).toBeInstanceOf(File)
  })

  test('rejects with the error of the function, or of the way to it', async () => {
    fake.work(inputShape(functions.read), () => {
      throw new RemoteError('TOO_DARK', 'no text', { data: 1 })
    })
    const { serverStub } = bind()
    await expect(serverStub('read', 0, info('values'))('a')).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'TOO_DARK',
      data: 1,
    })
    fake.fail('/abc123/run', 'lost', { status: 404 })
    const read = serverStub('read', 0, info('values'))
    await expect(read('a')).rejects.toMatchObject({ name: 'RemoteError', code: 'SUBMIT_UNKNOWN' })
    await expect(read('a')).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
      hint: expect.stringContaining('FLASH_ENDPOINT_VALUES'),
    })
    await expect(serverStub('nobody', 0, info('values'))()).rejects.toMatchObject({
      code: 'UNKNOWN_FUNCTION',
    })
  })

  test('streams, and stops the job when it is left', async () => {
    fake.work(inputShape(functions.count), async (_args, _job, worker) => {
      for (let n = 0; ; n++) {
        await worker.item(n)
        await new Promise((resolve) => setTimeout(resolve, 1))
        if (n > 10_000) return
      }
    })
    const seen: number[] = []
    for await (const n of bind().serverStub('count', 1, info('streams'))(5)) {
      seen.push(n)
      if (n === 3) break
    }
    expect(seen).toEqual([0, 1, 2, 3])
    await vi.waitUntil(() => fake.paths().some((path) => path.startsWith('/abc123/cancel/')), { interval: 1 })
  })

  test('cancels the job when its signal says so', async () => {
    const controller = new AbortController()
    const call = bind().serverStub('read', 0, info('values')).with({ signal: controller.signal })('a')
    await vi.waitUntil(() => fake.requests.length > 2, { interval: 1 })
    controller.abort(new Error('enough'))
    await expect(call).rejects.toThrow('enough')
    await vi.waitUntil(() => fake.queue.health().jobs.inQueue === 0, { interval: 1 })
  })

  test('starts jobs, whose ids are those of the queue', async () => {
    fake.work(inputShape(functions.read), ([text]) => text)
    const read = bind().serverStub('read', 0, info('values'))
    const job = await read.run('a')
    expect(fake.queue.status(job.id)).toBeDefined()
    expect(await job.wait()).toBe('a')
    expect(await bind().serverStub('read', 0, info('values')).attach(job.id).wait()).toBe('a')
    expect(await job.status()).toMatchObject({ id: job.id, status: 'COMPLETED' })
  })

  test('makes instances of classes', async () => {
    fake.work(inputShape(functions.model), () => 'loaded')
    const Model = bind().serverClass('model', 'load,*tokens', info('mixed'))
    expect(await new Model('small').load!()).toBe('loaded')
    expect(fake.requests[0]!.body.input['flash:call']).toEqual({ v: 1, fn: 'load', new: ['small'] })
  })

  test('may use every option', async () => {
    fake.work(inputShape(functions.read), ([text]) => text)
    const read = bind().serverStub('read', 0, info('values'))
    await read.with({ executionTimeoutMs: 5_000, webhook: 'https://hook.test/', idempotencyKey: 'k' })('a')
    expect(fake.requests[0]!.body).toMatchObject({
      policy: { executionTimeout: 5_000 },
      webhook: 'https://hook.test/',
    })
    await expect(read.warm()).rejects.toMatchObject({ code: 'NOT_AVAILABLE' })
  })
})

test('an error that nobody foresaw is printed, because the caller is only told that there was one', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {})
  const findDev = () => {
    throw new TypeError('a bug')
  }
  const { serverStub } = bindServer(facts, key, { env: {}, findDev })
  await expect(serverStub('read', 0, info('values'))()).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(print).toHaveBeenCalledWith('[flash]', expect.objectContaining({ message: 'a bug' }))
  print.mockRestore()
})

test('nothing is made before the first call: facts may be wrong where nobody calls', () => {
  expect(() => bindServer(null as never, 'no key').serverStub('a', 0, info('a'))).not.toThrow()
})
