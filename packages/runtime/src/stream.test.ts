import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindStub } from './index.ts'
import { type Exchange, frame, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

async function generatorOf(script: (exchange: Exchange, count: number) => unknown) {
  server = await startScriptedServer(script)
  return bindStub(server.url)(ref, 1)
}

/** Counts up to its argument. */
async function count(exchange: Exchange) {
  if (exchange.route === 'cancel') return exchange.end()
  exchange.accept('the token')
  for (let item = 0; item < exchange.value.args[0]; item++) await exchange.say('item', item)
  await exchange.say('end')
  await exchange.end()
}

/** Says one item and then nothing more. */
async function stall(exchange: Exchange) {
  if (exchange.route === 'cancel') return exchange.end()
  exchange.accept('the token')
  await exchange.say('item', 'first')
}

const routes = (...wanted: string[]) =>
  vi.waitFor(() => expect(server!.routes()).toEqual(wanted), { interval: 2 })

describe('the stub of a generator', () => {
  test('yields the items in order and returns nothing', async () => {
    const items: unknown[] = []
    const stub = await generatorOf(count)
    for await (const item of stub(5)) items.push(item)
    expect(items).toEqual([0, 1, 2, 3, 4])
    expect(server!.exchanges[0]!.value).toEqual({ args: [5] })
  })

  test('is an async generator, and sends nothing before its first item is asked for', async () => {
    const stub = await generatorOf(count)
    const stream = stub(2)
    expect(Object.prototype.toString.call(stream)).toBe('[object AsyncGenerator]')
    expect(stream[Symbol.asyncIterator]()).toBe(stream)
    expect(stream.then).toBe(undefined)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server!.exchanges).toEqual([])
    expect(await stream.next()).toEqual({ done: false, value: 0 })
  })

  test('gives items as they are produced', async () => {
    let goOn = () => {}
    const stub = await generatorOf(async (exchange) => {
      exchange.accept('t')
      await exchange.say('item', 1)
      await new Promise<void>((resolve) => (goOn = resolve))
      await exchange.say('item', 2)
      await exchange.say('end')
      await exchange.end()
    })
    const stream = stub()
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    goOn()
    expect(await stream.next()).toEqual({ done: false, value: 2 })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })

  test('answers calls of next() that do not wait for each other in order', async () => {
    const stub = await generatorOf(count)
    const stream = stub(2)
    expect(await Promise.all([stream.next(), stream.next(), stream.next()])).toEqual([
      { done: false, value: 0 },
      { done: false, value: 1 },
      { done: true, value: undefined },
    ])
  })

  test('carries rich items, and passes over all that is no item', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const stub = await generatorOf(async (exchange) => {
      exchange.accept('t')
      await exchange.say('status', { status: 'IN_PROGRESS' })
      await exchange.say('item', new Uint8Array([1]))
      await exchange.say('progress', 1)
      await exchange.say('log', { stream: 'stdout', text: 'x' })
      await exchange.say('ping')
      await exchange.say('item', undefined)
      await exchange.end('a value that is not carried')
    })
    const items: unknown[] = []
    for await (const item of stub()) items.push(item)
    expect(items).toEqual([new Uint8Array([1]), undefined])
    expect(console.log).toHaveBeenCalledWith('[flash] x')
  })

  test('throws the error of the function behind the items, once', async () => {
    const stub = await generatorOf(async (exchange) => {
      exchange.accept('t')
      await exchange.say('item', 1)
      await exchange.fail({ name: 'RangeError', message: 'far' })
    })
    const stream = stub()
    await stream.next()
    await expect(stream.next()).rejects.toMatchObject({
      name: 'RangeError',
      stack: expect.stringContaining('stream.test.ts'),
    })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    await routes(ref)
  })

  test('rejects at the first item when the call is refused', async () => {
    const stub = await generatorOf((exchange) => exchange.refuse(422, { code: 'BAD_INPUT', message: 'no' }))
    const stream = stub()
    await expect(stream.next()).rejects.toMatchObject({ code: 'BAD_INPUT' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })
})

describe('leaving a stream', () => {
  test('with break cancels the job', async () => {
    const stub = await generatorOf(stall)
    for await (const item of stub()) {
      expect(item).toBe('first')
      break
    }
    await routes(ref, 'cancel')
    expect(server!.exchanges[1]!.value).toEqual({ token: 'the token' })
    await server!.exchanges[0]!.gone
  })

  test('with return() does not wait for the item that was asked for', async () => {
    const stub = await generatorOf(stall)
    const stream = stub()
    await stream.next()
    const pending = stream.next()
    expect(await stream.return('mine')).toEqual({ done: true, value: 'mine' })
    expect(await pending).toEqual({ done: true, value: undefined })
    await routes(ref, 'cancel')
  })

  test('with throw() cancels and throws', async () => {
    const stub = await generatorOf(stall)
    const stream = stub()
    await stream.next()
    await expect(stream.throw(new Error('mine'))).rejects.toThrow('mine')
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    await routes(ref, 'cancel')
  })

  test('before it began sends nothing', async () => {
    const stub = await generatorOf(stall)
    const stream = stub()
    expect(await stream.return()).toEqual({ done: true, value: undefined })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
    expect(server!.exchanges).toEqual([])
  })

  test('before it was accepted closes the connection', async () => {
    const stub = await generatorOf(() => {})
    const stream = stub()
    const pending = stream.next()
    await vi.waitUntil(() => server!.exchanges.length === 1, { interval: 2 })
    await stream.return()
    expect(await pending).toEqual({ done: true, value: undefined })
    await server!.exchanges[0]!.gone
    expect(server!.routes()).toEqual([ref])
  })

  test('after its end cancels nothing', async () => {
    const stub = await generatorOf(count)
    const stream = stub(1)
    await stream.next()
    await stream.next()
    await stream.return()
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server!.routes()).toEqual([ref])
  })

  test('by a signal rejects with its reason', async () => {
    const stub = await generatorOf(stall)
    const controller = new AbortController()
    const stream = stub.with({ signal: controller.signal })()
    await stream.next()
    const pending = stream.next()
    controller.abort(new Error('enough'))
    await expect(pending).rejects.toThrow('enough')
    await routes(ref, 'cancel')
  })

  test('twice, by a signal and by hand, cancels once', async () => {
    const stub = await generatorOf(stall)
    const controller = new AbortController()
    const stream = stub.with({ signal: controller.signal })()
    await stream.next()
    controller.abort()
    await stream.return()
    await routes(ref, 'cancel')
    await new Promise((resolve) => setTimeout(resolve, 20))
    await routes(ref, 'cancel')
  })

  test('by `await using` cancels the job', async () => {
    const stub = await generatorOf(stall)
    {
      await using stream = stub()
      await stream.next()
    }
    await routes(ref, 'cancel')
  })
})

describe('back-pressure', () => {
  test('a slow reader holds the server up', async () => {
    let produced = 0
    const item = await frame('item', 'x'.repeat(60_000))
    const stub = await generatorOf(async (exchange) => {
      if (exchange.route === 'cancel') return exchange.end()
      exchange.accept('t')
      for (; produced < 2_000 && !exchange.response.destroyed; produced++) {
        if (exchange.response.write(item)) continue
        await new Promise((resolve) => exchange.response.once('drain', resolve))
      }
    })
    const stream = stub()
    await stream.next()
    await new Promise((resolve) => setTimeout(resolve, 200))
    const ahead = produced
    expect(ahead).toBeLessThan(500)
    for (let read = 0; read < ahead; read++) await stream.next()
    await vi.waitUntil(() => produced > ahead, { interval: 2 })
    await stream.return()
  })
})
