import { createTestClock, RemoteError } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { json, key, networkError, openClient, type SeenRequest } from './testing/host.ts'

const base = 'https://api.runpod.ai/v2/abc'
const accepted = json({ id: 'j1', status: 'IN_QUEUE' })
const running = json({ id: 'j1', status: 'IN_PROGRESS', workerId: 'w1' })
const done = (output?: unknown) =>
  json({ id: 'j1', status: 'COMPLETED', delayTime: 1, executionTime: 2, workerId: 'w1', output })
const ended = (status: string, error?: string) => json({ id: 'j1', status, error })
const python = JSON.stringify({
  error_type: "<class 'ValueError'>",
  error_message: 'bad text',
  error_traceback: 'File x.py',
})
const ours = JSON.stringify({
  error_type: 'RemoteError',
  error_message: 'full',
  flash: { code: 'FULL', data: { seats: 7 } },
})

describe('running a job', () => {
  test('sends the input as plain JSON and nothing of ours, and waits for its result', async () => {
    const { client, requests, lines } = openClient({ id: 'abc' }, [accepted, running, done({ text: 'HI' })])
    const since = new Date(0)
    expect(await client.runSync({ text: 'hi', since, bytes: new Uint8Array([1, 2]) })).toEqual({ text: 'HI' })
    expect(requests[0]!.body).toEqual({
      input: { text: 'hi', since: '1970-01-01T00:00:00.000Z', bytes: 'AQI=' },
    })
    expect(lines()).toEqual([
      `POST ${base}/run`,
      `GET ${base}/status-sync/j1?wait=2000`,
      `GET ${base}/status-sync/j1?wait=2000`,
    ])
  })

  test('without an input it is an empty object', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [accepted, done()])
    expect(await client.runSync()).toBeUndefined()
    expect(requests[0]!.body).toEqual({ input: {} })
  })

  test('options stand beside the input', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [accepted])
    const s3Config = { accessId: 'a', accessSecret: 'b', bucketName: 'c', endpointUrl: 'd' }
    await client.run(
      {},
      { executionTimeoutMs: 5_000, ttlMs: 10_000, lowPriority: true, webhook: 'https://x.test', s3Config },
    )
    const policy = { executionTimeout: 5_000, ttl: 10_000, lowPriority: true }
    expect(requests[0]!.body).toEqual({ input: {}, policy, webhook: 'https://x.test', s3Config })
  })

  for (const [what, input, code] of [
    ['a list', [1], 'BAD_INPUT'],
    ['a text', 'text', 'BAD_INPUT'],
    ['a map', { a: { b: new Map() } }, 'CANNOT_CARRY'],
  ] as const)
    test(`nothing is sent of ${what}`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [accepted])
      await expect(client.run(input as object)).rejects.toMatchObject({ name: 'RemoteError', code })
      expect(requests).toEqual([])
    })

  for (const member of ['run', 'runSync'] as const)
    test(`${member}: an option that there is not is named, with those that there are`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [accepted])
      await expect(client[member]({}, { timeoutMs: 5, timeout: 5 } as object)).rejects.toMatchObject({
        name: 'RemoteError',
        code: 'BAD_REQUEST',
        message: 'endpoint "abc": a job has no option "timeout"',
        hint: 'there are: signal, timeoutMs, executionTimeoutMs, ttlMs, lowPriority, webhook, s3Config',
      })
      expect(requests).toEqual([])
      await expect(client.run({}, { timeout: undefined } as object)).resolves.toHaveProperty('id')
    })

  test('schemas check and change what is sent and what comes back', async () => {
    const config = {
      id: 'abc',
      input: z.object({ size: z.number().max(9), name: z.string().default('x') }),
      output: z.object({ at: z.iso.datetime().transform((text) => new Date(text)) }),
    }
    const at = '2026-01-01T00:00:00.000Z'
    const { client, requests } = openClient(config, [accepted, done({ at }), accepted, done({ at: 'never' })])
    expect(await client.runSync({ size: 1 })).toEqual({ at: new Date(at) })
    expect(requests[0]!.body).toEqual({ input: { size: 1, name: 'x' } })
    await expect(client.runSync({ size: 10 })).rejects.toMatchObject({
      code: 'BAD_INPUT',
      message: expect.stringMatching(/^size: /),
    })
    expect(requests).toHaveLength(2)
    await expect(client.runSync({ size: 2 })).rejects.toMatchObject({
      code: 'OUTPUT_INVALID',
      message: expect.stringMatching(/^at: /),
    })
  })

  test('a submit whose answer is lost is never repeated', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [networkError('ECONNRESET'), accepted])
    await expect(client.run({})).rejects.toMatchObject({ name: 'RemoteError', code: 'SUBMIT_UNKNOWN' })
    expect(requests).toHaveLength(1)
  })

  for (const [status, code] of [
    [401, 'ACCOUNT_REFUSED'],
    [404, 'ENDPOINT_NOT_DEPLOYED'],
    [400, 'BAD_REQUEST'],
  ] as const)
    test(`${status} is ${code}, and the key is not in it`, async () => {
      const { client } = openClient({ id: 'abc' }, [json({ error: `no, ${key}` }, status)])
      const error = await client.run({}).catch((error: unknown) => error as RemoteError)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject({ code })
      expect(JSON.stringify([String(error), error])).not.toContain(key)
    })
})

describe('a job that ends in another way is an error, never data', () => {
  for (const [what, answer, wanted] of [
    [
      'a worker in Python',
      ended('FAILED', python),
      { code: 'FUNCTION_FAILED', name: 'ValueError', message: 'bad text' },
    ],
    ['a code of its own', ended('FAILED', ours), { code: 'FULL', message: 'full', data: { seats: 7 } }],
    ['a plain text', ended('FAILED', 'out of paper'), { code: 'FUNCTION_FAILED', message: 'out of paper' }],
    [
      'a name of the language',
      ended('FAILED', JSON.stringify({ error_type: 'TypeError', error_message: 'x' })),
      { name: 'TypeError', code: 'FUNCTION_FAILED' },
    ],
    ['nothing said', ended('FAILED'), { code: 'FUNCTION_FAILED' }],
    ['cancelled', ended('CANCELLED'), { code: 'CANCELLED', message: expect.stringContaining('job j1') }],
    ['timed out', ended('TIMED_OUT'), { code: 'TIMEOUT', message: expect.stringContaining('job j1') }],
    [
      'timed out, with a reason',
      ended('TIMED_OUT', 'too slow'),
      { code: 'TIMEOUT', message: expect.stringContaining('too slow') },
    ],
  ] as const) {
    test(`${what}: wait and iteration throw, status has it, and it is not tried again`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [accepted, answer])
      const job = await client.run({})
      const error = await job.wait().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject(wanted)
      expect((await job.status()).error).toMatchObject(wanted)
      expect(await client.status('j1')).toMatchObject({ id: 'j1', error: wanted })
      expect(requests.filter(({ method }) => method === 'POST')).toHaveLength(1)
      const end = json({ status: 'FAILED', stream: [] })
      const other = openClient({ id: 'abc' }, [end, answer])
      await expect(other.client.stream('j1').next()).rejects.toMatchObject(wanted)
    })
  }
})

describe('waiting', () => {
  test('four transport errors in a row are tolerated, the fifth rejects', async () => {
    const lost = networkError('ECONNRESET')
    const { client } = openClient({ id: 'abc' }, [accepted, lost, lost, lost, lost, done(1)])
    expect(await (await client.run({})).wait()).toBe(1)
    const { client: other, requests } = openClient({ id: 'abc' }, [accepted, lost])
    const job = await other.run({})
    await expect(job.wait()).rejects.toMatchObject({ code: 'TRANSPORT' })
    expect(requests).toHaveLength(6)
  })

  test('a job that is not known is named at once', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [json({ error: 'no' }, 404)])
    for (const call of [client.status('nobody'), client.cancel('nobody'), client.stream('nobody').next()])
      await expect(call).rejects.toMatchObject({
        code: 'JOB_NOT_FOUND',
        message: expect.stringContaining('nobody'),
      })
    expect(requests).toHaveLength(3)
    await expect(client.status('')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
    await expect(client.stream(undefined as never).next()).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('a final state is not asked for again', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [accepted, done(1)])
    const job = await client.run({})
    expect(await Promise.all([job.wait(), job.wait()])).toEqual([1, 1])
    expect(await job.wait()).toBe(1)
    expect(await job.status()).toMatchObject({ status: 'COMPLETED', output: 1, workerId: 'w1' })
    expect(requests).toHaveLength(2)
  })

  test('the status of a running job has its progress apart from the result', async () => {
    const { client } = openClient({ id: 'abc' }, [json({ id: 'j1', status: 'IN_PROGRESS', output: '50 %' })])
    expect(await client.status('j1')).toEqual({ id: 'j1', status: 'IN_PROGRESS', progress: '50 %' })
  })
})

/** A queue whose job never ends, on a clock that is moved by hand. */
function openEndless(atSubmit: Promise<void> = Promise.resolve()) {
  const clock = createTestClock()
  const reply = async ({ url }: SeenRequest) => {
    if (!url.endsWith('/run'))
      return url.includes('/cancel/') ? ended('CANCELLED') : new Promise<Response>(() => {})
    await atSubmit
    return accepted
  }
  const { client, lines } = openClient({ id: 'abc' }, [reply], { clock })
  const cancels = () => lines().filter((line) => line.includes('/cancel/'))
  const looking = () => vi.waitFor(() => expect(lines().some((line) => line.includes('/status'))).toBe(true))
  return { client, clock, cancels, looking, lines }
}

describe('giving up', () => {
  test('a deadline of `wait` cancels the job, once, and rejects', async () => {
    const { client, clock, cancels, looking } = openEndless()
    const job = await client.run({})
    const waits = [job.wait({ timeoutMs: 1_000 }), job.wait({ timeoutMs: 1_000 }), job.wait()]
    const results = Promise.allSettled(waits.slice(0, 2))
    await looking()
    clock.advance(1_000)
    for (const result of await results) expect(result).toMatchObject({ reason: { code: 'TIMEOUT' } })
    clock.advance(10_000)
    await vi.waitFor(() => expect(cancels()).toEqual([`POST ${base}/cancel/j1`]))
  })

  test('nobody is asked for a job any more that nobody waits for', async () => {
    const clock = createTestClock()
    const answer = ({ url }: SeenRequest) =>
      url.endsWith('/run') ? accepted : url.includes('/cancel/') ? json({}, 403) : running
    const { client, lines } = openClient({ id: 'abc' }, [answer], { clock })
    const job = await client.run({})
    const stop = new AbortController()
    const result = job.wait({ signal: stop.signal }).catch((reason: unknown) => reason)
    await vi.waitFor(() => expect(lines()).toHaveLength(2))
    stop.abort('enough')
    expect(await result).toBe('enough')
    await vi.waitFor(() => expect(lines()).toHaveLength(3))
    for (let at = 0; at < 20; at++) {
      clock.advance(2_000)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(lines().filter((line) => line.includes('/status')).length).toBeLessThanOrEqual(2)
  })

  test('a deadline of the call cancels it whether or not anybody waits', async () => {
    const { client, clock, cancels } = openEndless()
    await client.run({}, { timeoutMs: 1_000 })
    clock.advance(1_000)
    await vi.waitFor(() => expect(cancels()).toHaveLength(1))
  })

  test('abort cancels and rejects with its reason', async () => {
    const { client, cancels, looking } = openEndless()
    const stop = new AbortController()
    const result = client.runSync({}, { signal: stop.signal }).catch((reason: unknown) => reason)
    await looking()
    const reason = new Error('enough')
    stop.abort(reason)
    expect(await result).toBe(reason)
    await vi.waitFor(() => expect(cancels()).toHaveLength(1))
  })

  test('abort before the call sends nothing; abort while it is submitted cancels what was accepted', async () => {
    const early = openEndless()
    await expect(early.client.run({}, { signal: AbortSignal.abort('no') })).rejects.toBe('no')
    expect(early.lines()).toEqual([])
    let accept = () => {}
    const late = openEndless(new Promise<void>((resolve) => (accept = resolve)))
    const stop = new AbortController()
    const result = late.client.run({}, { signal: stop.signal }).catch((reason: unknown) => reason)
    await vi.waitFor(() => expect(late.lines()).toHaveLength(1))
    stop.abort('stop')
    expect(await result).toBe('stop')
    accept()
    await vi.waitFor(() => expect(late.cancels()).toHaveLength(1))
  })

  test('whoever asks after the deadline is told what became of the job', async () => {
    const { client, clock } = openClient({ id: 'abc' }, [accepted, done('in time')])
    const job = await client.run({}, { timeoutMs: 1 })
    await new Promise((resolve) => void clock.after(1, () => resolve(undefined)))
    expect(await job.wait()).toBe('in time')
    const other = openClient({ id: 'abc' }, [accepted, ended('CANCELLED')])
    const cancelled = await other.client.run({}, { timeoutMs: 1 })
    await new Promise((resolve) => void other.clock.after(1, () => resolve(undefined)))
    await expect(cancelled.wait()).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('cancel tells the queue, and again when that failed', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [accepted, json({}, 403), ended('CANCELLED')])
    const job = await client.run({})
    await expect(job.cancel()).rejects.toMatchObject({ code: 'ACCOUNT_REFUSED' })
    await job.cancel()
    await job.cancel()
    expect(requests).toHaveLength(3)
  })
})

describe('streams', () => {
  const chunk = (status: string, ...items: unknown[]) =>
    json({ status, stream: items.map((output) => ({ output })) })

  test('give the items as they came, to the end', async () => {
    const { client, lines } = openClient({ id: 'abc' }, [
      accepted,
      chunk('IN_PROGRESS', 1, 2),
      chunk('COMPLETED', 3),
      chunk('COMPLETED'),
      done([1, 2, 3]),
    ])
    const job = await client.run({})
    expect(await collect(job.stream())).toEqual([1, 2, 3])
    expect(lines().at(-1)).toBe(`GET ${base}/status/j1`)
  })

  test('that somebody else has read come from the result, or are lost', async () => {
    const whole = openClient({ id: 'abc' }, [chunk('COMPLETED'), done([1, 2])])
    expect(await collect(whole.client.stream('j1'))).toEqual([1, 2])
    const part = openClient({ id: 'abc' }, [chunk('COMPLETED', 2), chunk('COMPLETED'), done([1, 2])])
    await expect(collect(part.client.stream('j1'))).rejects.toMatchObject({ code: 'STREAM_LOST' })
    const none = openClient({ id: 'abc' }, [chunk('COMPLETED'), done('a value')])
    expect(await collect(none.client.stream('j1'))).toEqual([])
  })

  test('aborted in their loop, they reject with the reason, as events do', async () => {
    const answer = (isOver: () => boolean) => (request: SeenRequest) => {
      if (request.url.endsWith('/run')) return accepted
      if (request.url.includes('/cancel/')) return ended('CANCELLED')
      if (!isOver()) return chunk('IN_PROGRESS', 1)
      return request.url.includes('/stream/') ? chunk('CANCELLED') : ended('CANCELLED')
    }
    for (const read of ['items', 'events'] as const) {
      const stop = new AbortController()
      const { client } = openClient({ id: 'abc' }, [answer(() => stop.signal.aborted)])
      const job = await client.run({}, { signal: stop.signal })
      const consume = async () => {
        for await (const one of read === 'items' ? job.stream() : job) if (one) stop.abort('enough')
      }
      await expect(consume()).rejects.toBe('enough')
    }
  })

  test('leaving the loop leaves the job alone', async () => {
    const { client, lines } = openClient({ id: 'abc' }, [accepted, chunk('IN_PROGRESS', 1, 2)])
    for await (const item of (await client.run({})).stream()) {
      expect(item).toBe(1)
      break
    }
    expect(lines()).toHaveLength(2)
  })

  test('iterating a job tells everything, and throws its error', async () => {
    const progress = (output: unknown) => json({ id: 'j1', status: 'IN_PROGRESS', workerId: 'w1', output })
    const { client } = openClient({ id: 'abc' }, [
      accepted,
      chunk('IN_QUEUE'),
      accepted,
      chunk('IN_PROGRESS'),
      progress('half'),
      chunk('IN_PROGRESS'),
      progress('half'),
      chunk('IN_PROGRESS', 'a'),
      chunk('FAILED'),
      ended('FAILED', ours),
    ])
    const told: unknown[] = []
    const listen = async () => {
      for await (const event of await client.run({})) told.push(event)
    }
    await expect(listen()).rejects.toMatchObject({ code: 'FULL' })
    expect(told).toEqual([
      { type: 'status', id: 'j1', status: 'IN_QUEUE' },
      { type: 'status', id: 'j1', status: 'IN_PROGRESS', workerId: 'w1' },
      { type: 'progress', value: 'half' },
      { type: 'item', value: 'a' },
      { type: 'status', id: 'j1', status: 'FAILED' },
    ])
  })
})

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}
