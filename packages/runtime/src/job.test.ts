import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCallable } from './callable.ts'
import { bindStub } from './index.ts'
import { type Exchange, frame, type ScriptedServer, startScriptedServer } from './scripted-server.ts'
import type { Post } from './types.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'
/** Where a page starts a job that lives on its own. */
const runRef = `${ref}?run`

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

/** A server that takes jobs, and tells each who resumes what `tell` says. */
async function stubOf(tell: (exchange: Exchange, count: number) => unknown, generator?: 1) {
  server = await startScriptedServer(async (exchange, count) => {
    if (exchange.route === 'resume') return tell(exchange, count)
    exchange.accept('the token')
    await exchange.say('end')
    return exchange.end()
  })
  return bindStub(`${server.url}`)(ref, generator)
}

/** All that a job of a generator can say. */
async function tellAll(exchange: Exchange) {
  await exchange.say('status', { id: 'inner', status: 'IN_QUEUE' })
  await exchange.say('status', { id: 'inner', status: 'IN_PROGRESS', delayTime: 5 })
  await exchange.say('log', { stream: 'stderr', text: 'careful' })
  await exchange.say('progress', new Map([['half', 0.5]]))
  for (const item of [1, new Date(2), 3].slice(exchange.value.from)) await exchange.say('item', item)
  await exchange.say('end')
  await exchange.end()
}

async function collect<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const one of stream) all.push(one)
  return all
}

describe('run', () => {
  test('submits a job of its own and gives it by its token', async () => {
    const stub = await stubOf((exchange) => exchange.end('done'))
    const job = await stub.with({ idempotencyKey: 'k' }).run(1, new Date(0))
    expect(job.id).toBe('the token')
    expect(server!.exchanges[0]!.value).toEqual({ args: [1, new Date(0)], run: true, idempotencyKey: 'k' })
    expect((job as any).then).toBe(undefined)
    expect(await job.wait()).toBe('done')
    expect(server!.exchanges[1]!.value).toEqual({ token: 'the token', from: 0 })
  })

  test('does not need the connection of the submit to end', async () => {
    server = await startScriptedServer((exchange) => exchange.accept('t'))
    const job = await bindStub(server.url)(ref).run(1)
    expect(job.id).toBe('t')
    await server.exchanges[0]!.gone
  })

  test('is SUBMIT_UNKNOWN when the answer names no job', async () => {
    server = await startScriptedServer((exchange) => exchange.end(1))
    await expect(bindStub(server.url)(ref).run(1)).rejects.toMatchObject({ code: 'SUBMIT_UNKNOWN' })
    expect(server.routes()).toEqual([runRef])
  })

  test('rejects when the job is refused', async () => {
    server = await startScriptedServer((exchange) =>
      exchange.refuse(413, { code: 'PAYLOAD_TOO_LARGE', message: 'big' }),
    )
    await expect(bindStub(server.url)(ref).run(1)).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
  })
})

describe('wait', () => {
  test('asks once for all who wait', async () => {
    const stub = await stubOf((exchange) => exchange.end(7))
    const job = await stub.run()
    expect(await Promise.all([job.wait(), job.wait()])).toEqual([7, 7])
    expect(await job.wait()).toBe(7)
    expect(server!.routes()).toEqual([runRef, 'resume'])
  })

  test('rejects with the error of the job, the caller of run() in its stack', async () => {
    const stub = await stubOf((exchange) =>
      exchange.fail({ name: 'RemoteError', code: 'NOPE', message: 'no' }),
    )
    const job = await stub.run()
    await expect(job.wait()).rejects.toMatchObject({
      code: 'NOPE',
      stack: expect.stringContaining('job.test.ts'),
    })
    await expect(job.wait()).rejects.toMatchObject({ code: 'NOPE' })
  })

  test('asks again after it failed', async () => {
    let answers = 0
    const stub = await stubOf((exchange) =>
      ++answers === 1 ? exchange.foreign(404, '') : exchange.end('back'),
    )
    const job = await stub.run()
    await expect(job.wait()).rejects.toMatchObject({ code: 'TRANSPORT' })
    expect(await job.wait()).toBe('back')
  })

  test('collects the items of a generator', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {})
    const stub = await stubOf(tellAll, 1)
    const job = await stub.run()
    expect(await job.wait()).toEqual([1, new Date(2), 3])
    expect(console.error).toHaveBeenCalledWith('[flash] careful')
  })
})

describe('stream', () => {
  test('yields from the first item, each time', async () => {
    const stub = await stubOf(tellAll, 1)
    const job = await stub.run()
    expect(await collect(job.stream())).toEqual([1, new Date(2), 3])
    expect(await collect(job.stream())).toEqual([1, new Date(2), 3])
  })

  test('can be left without harm to the job', async () => {
    const stub = await stubOf((exchange) => exchange.say('item', 1), 1)
    const job = await stub.run()
    for await (const item of job.stream()) {
      expect(item).toBe(1)
      break
    }
    await server!.exchanges[1]!.gone
    expect(server!.routes()).toEqual([runRef, 'resume'])
  })
})

describe('for await', () => {
  test('tells everything that happens', async () => {
    const stub = await stubOf(tellAll, 1)
    expect(await collect(await stub.run())).toEqual([
      { type: 'status', id: 'the token', status: 'IN_QUEUE' },
      { type: 'status', id: 'the token', status: 'IN_PROGRESS', delayTime: 5 },
      { type: 'log', stream: 'stderr', text: 'careful' },
      { type: 'progress', value: new Map([['half', 0.5]]) },
      { type: 'item', value: 1 },
      { type: 'item', value: new Date(2) },
      { type: 'item', value: 3 },
    ])
  })

  test('throws the error of the job at its end', async () => {
    const stub = await stubOf(async (exchange) => {
      await exchange.say('progress', 1)
      await exchange.fail({ name: 'RangeError', message: 'far' })
    })
    const job = await stub.run()
    const events: unknown[] = []
    await expect(
      (async () => {
        for await (const event of job) events.push(event)
      })(),
    ).rejects.toThrow(RangeError)
    expect(events).toEqual([{ type: 'progress', value: 1 }])
  })
})

describe('status', () => {
  test('asks where the job stands, under the id it is known by here', async () => {
    const stub = await stubOf(async (exchange) => {
      await exchange.say('status', { id: 'inner', status: 'IN_PROGRESS', delayTime: 3 })
      await exchange.say('end')
      await exchange.end()
    })
    const job = await stub.run()
    expect(await job.status()).toEqual({ id: 'the token', status: 'IN_PROGRESS', delayTime: 3 })
    expect(server!.exchanges[1]!.value).toEqual({ token: 'the token', from: 0, only: 'status' })
  })

  test('is COMPLETED when the answer is the result', async () => {
    const stub = await stubOf(async (exchange) => {
      await exchange.say('progress', 1)
      await exchange.end(5)
    })
    expect(await (await stub.run()).status()).toEqual({ id: 'the token', status: 'COMPLETED' })
  })

  test('gives up after a few tries', async () => {
    const stub = await stubOf((exchange) => exchange.cut())
    const job = await stub.run()
    await expect(job.status()).rejects.toMatchObject({ code: 'TIMEOUT' })
    expect(server!.routes().length).toBeLessThan(8)
  })
})

describe('cancel', () => {
  /** Jobs that never end by themselves, and what is said to who cancels. */
  async function endless(onCancel: (exchange: Exchange) => unknown) {
    server = await startScriptedServer(async (exchange) => {
      if (exchange.route === 'cancel') return onCancel(exchange)
      exchange.accept('t')
      if (exchange.value.run) await exchange.end()
    })
    return bindStub(server.url)(ref)
  }

  test('tells the server', async () => {
    const stub = await endless((exchange) => exchange.end())
    await (await stub.run()).cancel()
    expect(server!.exchanges[1]).toMatchObject({ route: 'cancel', value: { token: 't' } })
  })

  test('rejects when the server does not know the job', async () => {
    const stub = await endless((exchange) => exchange.refuse(404, { code: 'JOB_NOT_FOUND', message: 'gone' }))
    await expect((await stub.run()).cancel()).rejects.toMatchObject({
      code: 'JOB_NOT_FOUND',
      stack: expect.stringContaining('job.test.ts'),
    })
  })

  test('happens once when the signal of the job is aborted, looked at or not', async () => {
    const stub = await endless((exchange) => exchange.end())
    const controller = new AbortController()
    const job = await stub.with({ signal: controller.signal }).run()
    const pending = job.wait()
    await vi.waitUntil(() => server!.exchanges.length === 2, { interval: 2 })
    controller.abort()
    await expect(pending).rejects.toBe(controller.signal.reason)
    await vi.waitUntil(() => server!.routes().includes('cancel'), { interval: 2 })

    const other = new AbortController()
    await stub.with({ signal: other.signal }).run()
    other.abort()
    await vi.waitUntil(() => server!.routes().filter((route) => route === 'cancel').length === 2, {
      interval: 2,
    })
  })

  describe('when the time of the job is over', () => {
    /** A job with five seconds, by a clock moved by hand; `tell` answers who waits. */
    async function fiveSeconds(tell: () => Promise<Uint8Array<ArrayBuffer>[]>) {
      const clock = createTestClock()
      const sent: string[] = []
      const post: Post = async (route) => {
        sent.push(route)
        const answer = route === 'resume' ? await tell() : [await frame('job', 't')]
        const body = new ReadableStream({
          start(controller) {
            for (const bytes of answer) controller.enqueue(bytes)
          },
        })
        return new Response(body, { headers: { 'x-flash': '1' } })
      }
      const job = await createCallable({ ref, post, clock }).with({ timeoutMs: 5000 }).run()
      return { clock, sent, job }
    }

    test('it is cancelled, and who waits hears TIMEOUT', async () => {
      const { clock, sent, job } = await fiveSeconds(async () => [])
      const pending = job.wait()
      await vi.waitUntil(() => sent.includes('resume'), { interval: 2 })
      clock.advance(5000)
      await expect(pending).rejects.toMatchObject({
        code: 'TIMEOUT',
        stack: expect.stringContaining('job.test.ts'),
      })
      expect(sent).toEqual([runRef, 'resume', 'cancel'])
    })

    test('who waits later hears TIMEOUT too', async () => {
      const { clock, sent, job } = await fiveSeconds(async () => [
        await frame('error', { name: 'RemoteError', code: 'CANCELLED', message: 'the job was cancelled' }),
      ])
      clock.advance(6000)
      expect(sent).toEqual([runRef, 'cancel'])
      await expect(job.wait()).rejects.toMatchObject({ code: 'TIMEOUT' })
    })

    test('a result that was there in time can still be had, and so can the state', async () => {
      const { clock, job } = await fiveSeconds(async () => [
        await frame('status', { status: 'COMPLETED' }),
        await frame('value', 'in time'),
      ])
      clock.advance(6000)
      expect(await job.status()).toEqual({ id: 't', status: 'COMPLETED' })
      expect(await job.wait()).toBe('in time')
    })

    test('nothing happens when the result was waited for', async () => {
      const { clock, sent, job } = await fiveSeconds(async () => [await frame('value', 1)])
      await job.wait()
      clock.advance(6000)
      expect(sent).toEqual([runRef, 'resume'])
    })
  })
})

describe('attach', () => {
  test('sends nothing until it is used', async () => {
    const stub = await stubOf((exchange) => exchange.end('there'))
    const job = stub.attach('kept token')
    expect(job.id).toBe('kept token')
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(server!.exchanges).toEqual([])
    expect(await job.wait()).toBe('there')
    expect(await job.wait()).toBe('there')
    expect(server!.exchanges.map(({ value }) => value)).toEqual([{ token: 'kept token', from: 0 }])
  })

  test('has all that a job has', async () => {
    const stub = await stubOf(async (exchange) => {
      if (exchange.value.only) return exchange.end(1)
      await exchange.say('item', 1)
      await exchange.say('end')
      await exchange.end()
    }, 1)
    const job = stub.attach('t')
    expect(await job.status()).toEqual({ id: 't', status: 'COMPLETED' })
    expect(await collect(job.stream())).toEqual([1])
    expect(await collect(job)).toEqual([{ type: 'item', value: 1 }])
    await job.cancel()
    expect(server!.routes().at(-1)).toBe('cancel')
  })

  test('refuses a timeoutMs that is none', async () => {
    const job = bindStub('/_flash')(ref).with({ timeoutMs: -5 }).attach('t')
    await expect(job.wait()).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      stack: expect.stringContaining('job.test.ts'),
    })
  })

  test('under a signal that was aborted before sends nothing', async () => {
    const fetch = vi.spyOn(globalThis, 'fetch')
    const job = bindStub('/_flash')(ref)
      .with({ signal: AbortSignal.abort('enough') })
      .attach('t')
    await expect(job.wait()).rejects.toBe('enough')
    expect(fetch).not.toHaveBeenCalled()
  })

  test('cancels with the signal it was made under while it is looked at', async () => {
    server = await startScriptedServer((exchange) => exchange.accept())
    const controller = new AbortController()
    const job = bindStub(server.url)(ref).with({ signal: controller.signal }).attach('t')
    const pending = job.wait()
    await vi.waitUntil(() => server!.exchanges.length === 1, { interval: 2 })
    controller.abort()
    await expect(pending).rejects.toBe(controller.signal.reason)
    await vi.waitUntil(() => server!.routes().includes('cancel'), { interval: 2 })
  })
})
