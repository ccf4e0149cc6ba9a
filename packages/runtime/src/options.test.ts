import { createTestClock, type RemoteError } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCallable } from './callable.ts'
import { bindStub } from './index.ts'
import { type Exchange, frame, type ScriptedServer, startScriptedServer } from './scripted-server.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

async function stubOf(script: (exchange: Exchange, count: number) => unknown) {
  server = await startScriptedServer(script)
  return bindStub(server.url)(ref)
}

/** Accepts a call, and says something that shows in the console of the page. */
async function acceptLoudly(exchange: Exchange) {
  exchange.accept('the token')
  await exchange.say('log', { stream: 'stdout', text: 'accepted' })
}

/** Until the caller knows that the call was accepted. */
async function untilAccepted() {
  await vi.waitUntil(() => vi.mocked(console.log).mock.calls.length > 0, { interval: 2 })
}

const requests = (count: number) => vi.waitUntil(() => server!.exchanges.length >= count, { interval: 2 })

describe('aborting', () => {
  test('before the call sends nothing and rejects with the reason', async () => {
    const stub = await stubOf(() => {})
    const reason = new Error('not needed')
    const stack = reason.stack
    const bound = stub.with({ signal: AbortSignal.abort(reason) })
    await expect(bound(1)).rejects.toBe(reason)
    await expect(bound.run(1)).rejects.toBe(reason)
    await expect(bound.map([1, 2])).rejects.toBe(reason)
    expect(reason.stack).toBe(stack)
    expect(server!.exchanges).toEqual([])
  })

  test('while the arguments are encoded sends nothing', async () => {
    const stub = await stubOf(() => {})
    const controller = new AbortController()
    const call = stub.with({ signal: controller.signal })(new Date(0))
    controller.abort()
    await expect(call).rejects.toBe(controller.signal.reason)
    expect(server!.exchanges).toEqual([])
  })

  test('before the call is accepted closes the connection, and needs no cancelling', async () => {
    const stub = await stubOf(() => {})
    const controller = new AbortController()
    const call = stub.with({ signal: controller.signal })(1)
    await requests(1)
    controller.abort('enough')
    await expect(call).rejects.toBe('enough')
    await server!.exchanges[0]!.gone
    expect(server!.routes()).toEqual([ref])
  })

  test('an accepted call cancels its job and closes the connection', async () => {
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const stub = await stubOf((exchange) => {
      if (exchange.route === 'cancel') return exchange.end()
      return acceptLoudly(exchange)
    })
    const controller = new AbortController()
    const call = stub.with({ signal: controller.signal })(1)
    await untilAccepted()
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError' })
    await requests(2)
    expect(server!.routes()).toEqual([ref, 'cancel'])
    expect(server!.exchanges[1]!.value).toEqual({ token: 'the token' })
    await server!.exchanges[0]!.gone
  })

  test('cancels with a request that outlives the page', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    vi.spyOn(console, 'log').mockImplementation(() => {})
    const stub = await stubOf(acceptLoudly)
    const controller = new AbortController()
    const call = stub.with({ signal: controller.signal })(1)
    await untilAccepted()
    controller.abort()
    await expect(call).rejects.toBe(controller.signal.reason)
    expect(fetch.mock.calls[1]![1]).toMatchObject({ method: 'POST', keepalive: true })
  })

  test('while a broken connection is being continued ends that', async () => {
    const stub = await stubOf((exchange) => {
      if (exchange.route === 'cancel') return exchange.end()
      if (exchange.route === 'resume') return exchange.foreign(503, 'starting')
      exchange.accept('t')
      return exchange.end()
    })
    const controller = new AbortController()
    const call = stub.with({ signal: controller.signal })(1)
    await requests(2)
    controller.abort()
    await expect(call).rejects.toBe(controller.signal.reason)
    await vi.waitUntil(() => server!.routes().includes('cancel'), { interval: 2 })
  })

  test('after the answer does nothing, and leaves no listener behind', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept('t')
      await exchange.end(1)
    })
    const controller = new AbortController()
    const remove = vi.spyOn(controller.signal, 'removeEventListener')
    expect(await stub.with({ signal: controller.signal })(1)).toBe(1)
    expect(remove).toHaveBeenCalled()
    controller.abort()
    await new Promise((resolve) => setTimeout(resolve, 30))
    expect(server!.routes()).toEqual([ref])
  })

  test('reaches also a server that does not listen to signals', async () => {
    const controller = new AbortController()
    let cancelled = false
    const body = new ReadableStream({ cancel: () => void (cancelled = true) })
    let answer: (response: Response) => void
    const stub = createCallable({ ref, post: () => new Promise((resolve) => (answer = resolve)) })
    const call = stub.with({ signal: controller.signal })(1)
    await vi.waitUntil(() => answer !== undefined, { interval: 2 })
    controller.abort()
    await expect(call).rejects.toBe(controller.signal.reason)
    answer!(new Response(body))
    await vi.waitUntil(() => cancelled, { interval: 2 })
  })

  test('works where fetch knows other signals than the page has, as under jsdom', async () => {
    vi.resetModules()
    vi.stubGlobal(
      'Request',
      vi.fn(function request() {
        throw new TypeError('signal is not an AbortSignal')
      }),
    )
    const fetch = vi.spyOn(globalThis, 'fetch')
    const fresh = await import('./index.ts')
    server = await startScriptedServer((exchange) => exchange.accept('t'))
    const controller = new AbortController()
    const call = fresh.bindStub(server.url)(ref).with({ signal: controller.signal })(1)
    await requests(1)
    controller.abort()
    await expect(call).rejects.toBe(controller.signal.reason)
    expect(fetch.mock.calls[0]![1]!.signal).toBe(undefined)
    vi.unstubAllGlobals()
    vi.resetModules()
  })
})

describe('timeoutMs', () => {
  test('travels, and cancels and rejects with TIMEOUT when it is over', async () => {
    const clock = createTestClock()
    const sent: string[] = []
    const stub = createCallable({
      ref,
      clock,
      post: async (route) => {
        sent.push(route)
        const job = await frame('job', 't')
        // Says that it was accepted, and nothing more.
        const body = new ReadableStream({ start: (controller) => controller.enqueue(job) })
        return new Response(body, { headers: { 'x-flash': '1' } })
      },
    })
    const call = stub.with({ timeoutMs: 5000 })(1)
    let error: RemoteError | undefined
    call.catch((reason: RemoteError) => (error = reason))
    await vi.waitUntil(() => sent.length === 1, { interval: 2 })
    clock.advance(4999)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(error).toBe(undefined)
    clock.advance(1)
    await vi.waitUntil(() => error, { interval: 2 })
    expect(error).toMatchObject({
      name: 'RemoteError',
      code: 'TIMEOUT',
      message: expect.stringContaining('5000 ms'),
    })
    expect(error!.stack).toContain('options.test.ts')
    expect(sent).toEqual([ref, 'cancel'])
  })

  for (const timeoutMs of [0, -1, Number.NaN, Infinity, 2 ** 31]) {
    test(`refuses ${timeoutMs}`, async () => {
      const stub = await stubOf(() => {})
      await expect(stub.with({ timeoutMs })(1)).rejects.toMatchObject({
        code: 'BAD_REQUEST',
        message: expect.stringContaining(`${timeoutMs}`),
        stack: expect.stringContaining('options.test.ts'),
      })
      expect(server!.exchanges).toEqual([])
    })
  }
})

describe('with', () => {
  test('later options win, and the stub it was called on stays as it was', async () => {
    const stub = await stubOf(async (exchange) => {
      const { args: _args, ...rest } = exchange.value
      await exchange.end(rest)
    })
    const first = stub.with({ timeoutMs: 1000, idempotencyKey: 'a' })
    expect(await first.with({ timeoutMs: 2000 })(1)).toEqual({ timeoutMs: 2000, idempotencyKey: 'a' })
    expect(await first.with({ idempotencyKey: undefined })(1)).toEqual({ timeoutMs: 1000 })
    expect(await first(1)).toEqual({ timeoutMs: 1000, idempotencyKey: 'a' })
    expect(await stub(1)).toEqual({})
  })
})

describe('in a browser', () => {
  for (const option of ['executionTimeoutMs', 'ttlMs', 'lowPriority', 'webhook', 's3Config']) {
    test(`the option ${option} is OPTION_SERVER_ONLY`, async () => {
      const stub = await stubOf(() => {})
      const bound = stub.with({ [option]: 1 })
      for (const use of [
        () => bound(1),
        () => bound.run(1),
        () => bound.map([1]),
        () => bound.attach('t').wait(),
      ]) {
        await expect(use()).rejects.toMatchObject({
          code: 'OPTION_SERVER_ONLY',
          message: expect.stringContaining(option),
          stack: expect.stringContaining('options.test.ts'),
        })
      }
      expect(server!.exchanges).toEqual([])
    })
  }

  test('warm() is OPTION_SERVER_ONLY', async () => {
    const stub = await stubOf(() => {})
    await expect(stub.warm()).rejects.toMatchObject({ code: 'OPTION_SERVER_ONLY' })
    expect(server!.exchanges).toEqual([])
  })
})
