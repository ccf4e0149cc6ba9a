import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCallable } from './callable.ts'
import { bindStub } from './index.ts'
import { type Exchange, frame, type ScriptedServer, startScriptedServer } from './scripted-server.ts'
import type { Post } from './types.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.useRealTimers()
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

async function stubOf(script: (exchange: Exchange, count: number) => unknown, generator?: 1) {
  server = await startScriptedServer(script)
  return bindStub(server.url)(ref, generator)
}

/** Until a message is on its way, so that cutting comes after it. */
const flushed = () => new Promise((resolve) => setTimeout(resolve, 20))

describe('a connection that breaks before the call is accepted', () => {
  for (const [what, script] of [
    ['before any answer', (exchange: Exchange) => exchange.cut()],
    [
      'behind the head',
      async (exchange: Exchange) => {
        exchange.accept()
        await flushed()
        exchange.cut()
      },
    ],
    [
      'within the job message',
      async (exchange: Exchange) => {
        exchange.write((await frame('job', 'token')).subarray(0, 11))
        await flushed()
        exchange.cut()
      },
    ],
    ['with a clean end and no message', (exchange: Exchange) => exchange.end()],
  ] as const) {
    test(`${what} is SUBMIT_UNKNOWN, and nothing is sent again`, async () => {
      const stub = await stubOf(script)
      for (const call of [() => stub(1), () => stub(new Date(0)), () => stub.with({ timeoutMs: 5000 })(1)]) {
        server!.exchanges.length = 0
        await expect(call()).rejects.toMatchObject({
          name: 'RemoteError',
          code: 'SUBMIT_UNKNOWN',
          stack: expect.stringContaining('resume.test.ts'),
        })
        expect(server!.routes()).toEqual([ref])
      }
    })
  }
})

describe('a connection that breaks behind the job message', () => {
  /** Everything a plain call's answer has; broken after each byte of it. */
  const answer = async () =>
    Buffer.concat([await frame('job', 'the token'), await frame('ping'), await frame('value', { a: [1] })])

  test('is continued, at whichever byte it breaks', async () => {
    const bytes = await answer()
    const first = (await frame('job', 'the token')).length
    let cutAt = first
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume') {
        exchange.accept()
        return exchange.end({ a: [1] })
      }
      exchange.write(bytes.subarray(0, cutAt))
      await flushed()
      exchange.cut()
    })
    const pages = Array.from({ length: bytes.length - first }, (_, index) => first + index)
    for (const at of pages.filter((at) => at % 3 === 0 || at > bytes.length - 4)) {
      cutAt = at
      server!.exchanges.length = 0
      expect(await stub()).toEqual({ a: [1] })
      expect(server!.routes()).toEqual([ref, 'resume'])
      expect(server!.exchanges[1]!.value).toEqual({ token: 'the token', from: 0 })
    }
  })

  test('is continued after a clean end without a result, too', async () => {
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume') return exchange.end('late')
      exchange.accept('t')
      await exchange.end()
    })
    expect(await stub()).toBe('late')
  })

  test('is tried again while the server starts, whatever proxies say', async () => {
    const answers = [
      (exchange: Exchange) => exchange.cut(),
      (exchange: Exchange) => exchange.foreign(502, 'Bad Gateway'),
      (exchange: Exchange) => exchange.foreign(503, ''),
      (exchange: Exchange) => exchange.end('there'),
    ]
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume') return answers.shift()!(exchange)
      exchange.accept('t')
      await flushed()
      exchange.cut()
    })
    expect(await stub()).toBe('there')
    expect(server!.routes()).toEqual([ref, 'resume', 'resume', 'resume', 'resume'])
  })

  test('ends with what the route says about the job', async () => {
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume') return exchange.refuse(404, { code: 'JOB_NOT_FOUND', message: 'gone' })
      exchange.accept('t')
      await exchange.end()
    })
    await expect(stub()).rejects.toMatchObject({ code: 'JOB_NOT_FOUND' })
  })

  test('ends when something else answers for good', async () => {
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume') return exchange.foreign(404, 'no such page')
      exchange.accept('t')
      await exchange.end()
    })
    await expect(stub()).rejects.toMatchObject({
      code: 'TRANSPORT',
      data: { status: 404, body: 'no such page' },
    })
  })

  test('gives a stream from the first item that was not seen', async () => {
    const stub = await stubOf(async (exchange, count) => {
      if (count === 1) exchange.accept('t')
      await exchange.say('item', count)
      if (count === 2) await exchange.say('item', new Date(count))
      if (count < 4) {
        await flushed()
        return exchange.cut()
      }
      await exchange.say('end')
      await exchange.end()
    }, 1)
    const items: unknown[] = []
    for await (const item of stub()) items.push(item)
    expect(items).toEqual([1, 2, new Date(2), 3, 4])
    expect(server!.exchanges.slice(1).map(({ value }) => value.from)).toEqual([1, 3, 4])
  })

  test('ends a stream with STREAM_LOST where the server cannot continue it', async () => {
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume')
        return exchange.refuse(410, { code: 'STREAM_LOST', message: 'began elsewhere' })
      exchange.accept('t')
      await exchange.say('item', 1)
      await exchange.end()
    }, 1)
    const stream = stub()
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await expect(stream.next()).rejects.toMatchObject({ code: 'STREAM_LOST' })
    expect(await stream.next()).toEqual({ done: true, value: undefined })
  })
})

describe('bytes that are no messages', () => {
  test('are BAD_FRAMES, and what came before them counts', async () => {
    const stub = await stubOf(async (exchange) => {
      exchange.accept('t')
      await exchange.say('item', 1)
      exchange.write(new Uint8Array(20).fill(255))
    }, 1)
    const stream = stub()
    expect(await stream.next()).toEqual({ done: false, value: 1 })
    await expect(stream.next()).rejects.toMatchObject({ code: 'BAD_FRAMES' })
    await server!.exchanges[0]!.gone
  })
})

describe('a connection that stays open and silent', () => {
  test('is left after three keep-alives, and continued', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    const stub = await stubOf(async (exchange) => {
      if (exchange.route === 'resume') return exchange.end('awake')
      exchange.accept('t')
    })
    const result = stub()
    await vi.waitUntil(() => server!.exchanges.length === 1 && vi.getTimerCount() > 0, { interval: 5 })
    const { gone } = server!.exchanges[0]!
    await vi.advanceTimersByTimeAsync(44_000)
    expect(server!.exchanges.length).toBe(1)
    await vi.advanceTimersByTimeAsync(2_000)
    await gone
    vi.useRealTimers()
    expect(await result).toBe('awake')
  })
})

describe('how long a broken connection is tried', () => {
  /** A server that accepts and then is gone, by a clock moved by hand. */
  function goneServer(job: object | string) {
    const clock = createTestClock()
    const sent: string[] = []
    const post: Post = async (route) => {
      sent.push(route)
      if (route !== ref) throw new TypeError('network')
      return new Response(await frame('job', job), { headers: { 'x-flash': '1' } })
    }
    return { stub: createCallable({ ref, post, clock }), clock, sent }
  }

  async function advanceUntilSettled(call: Promise<unknown>, clock: ReturnType<typeof createTestClock>) {
    const state = { settled: false }
    const settle = () => {
      state.settled = true
    }
    call.then(settle, settle)
    const began = clock.now()
    while (!state.settled) {
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(100)
    }
    return clock.now() - began
  }

  test('until 20 minutes after the call when the server names no deadline, less and less often', async () => {
    const { stub, clock, sent } = goneServer('t')
    const call = stub(1)
    expect(await advanceUntilSettled(call, clock)).toBeGreaterThan(1_190_000)
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT', cause: expect.any(TypeError) })
    expect(sent.length).toBeLessThan(600)
    expect(sent.length).toBeGreaterThan(200)
  })

  test('until the deadline that the server names', async () => {
    const { stub, clock } = goneServer({ token: 't', deadline: createTestClock().now() + 60_000 })
    const call = stub(1)
    const tookMs = await advanceUntilSettled(call, clock)
    expect(tookMs).toBeGreaterThan(50_000)
    expect(tookMs).toBeLessThan(62_000)
  })

  test('a few times in any case: the clocks may differ', async () => {
    const { stub, clock, sent } = goneServer({ token: 't', deadline: 1 })
    const call = stub(1)
    await advanceUntilSettled(call, clock)
    expect(sent).toEqual([ref, 'resume', 'resume', 'resume'])
  })

  test('anew after each break behind which something came', async () => {
    const clock = createTestClock()
    let item = 0
    const post: Post = async (route) => {
      const said = route === ref ? [await frame('job', 't')] : [await frame('item', ++item)]
      if (item === 12) said.push(await frame('end'))
      return new Response(new Blob(said), { headers: { 'x-flash': '1' } })
    }
    const stub = createCallable({ ref, post, clock, generator: 1 })
    const all = (async () => {
      const items: number[] = []
      for await (const item of stub()) items.push(item)
      return items
    })()
    expect(await advanceUntilSettled(all, clock)).toBeLessThan(12 * 300)
    expect(await all).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12])
  })
})
