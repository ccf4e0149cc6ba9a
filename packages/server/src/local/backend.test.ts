import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import {
  createQueue,
  type LocalEndpoint,
  type LocalSeat,
  type LocalSubmission,
  STREAMED,
} from '@flash/emulator'
import {
  AppError,
  createTestClock,
  FrameType,
  type Message,
  toWireError,
  writeFailure,
} from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BackendRequest } from '../backend.ts'
import { createLocalBackend, type LocalFact } from './backend.ts'
import { jobError } from './job.ts'

const read: LocalFact = {
  id: 'read',
  endpoint: 'ocr',
  exportPath: 'read',
  kind: 'function',
  callables: [{ name: 'read', kind: 'function', params: [{ name: 'text', kind: 'plain', optional: false }] }],
  setup: null,
  hasInput: false,
}
const model: LocalFact = {
  id: 'model',
  endpoint: 'ocr',
  exportPath: 'Model',
  kind: 'class',
  callables: [
    { name: 'load', kind: 'function', params: null },
    { name: 'ask', kind: 'function', params: null },
  ],
  setup: null,
  hasInput: false,
}

const web: LocalFact = {
  ...read,
  id: 'web',
  endpoint: 'site',
  exportPath: 'site',
  kind: 'web',
  callables: [],
}

const message = (text: string, type: number = FrameType.value): Message => ({
  type,
  rich: false,
  text,
  parts: [],
})

function setUp(found = true) {
  const clock = createTestClock()
  const queue = createQueue({ clock, executionTimeoutMs: 5_000 })
  const submissions: LocalSubmission<LocalFact>[] = []
  const endpoint = {
    name: 'ocr',
    queue,
    executionTimeoutMs: 5_000,
    submit(submission) {
      submissions.push(submission)
      const { executionTimeoutMs } = submission
      return queue.submit({ input: submission.input, policy: { executionTimeoutMs } })
    },
    warm: vi.fn(async () => {}),
  } as Partial<LocalEndpoint<LocalFact>> as LocalEndpoint<LocalFact>
  const seats = vi.fn(
    async (_request: { signal: AbortSignal }): Promise<LocalSeat> => Promise.reject(new Error('none')),
  )
  const facts = new Map([read, model, web].map((fact) => [fact.id, fact]))
  const rescan = vi.fn(async () => {
    facts.set('late', { ...read, id: 'late' })
    return true
  })
  const backend = createLocalBackend({
    functions: () => [...facts.values()],
    function: (id) => facts.get(id) ?? null,
    rescan,
    endpoint: async () => endpoint,
    balanced: async ({ endpoint: name }) => ({ name, seat: seats }),
    find: (name) => (found && name === 'ocr' ? endpoint : undefined),
    all: () => [endpoint],
    maxBodyBytes: 1_000,
    clock,
  })
  const listen = async (args: unknown[] = ['a']) => {
    const job = await backend.submit('read', { args })
    const said: Message[] = []
    const leave = job.listen(0, (word) => said.push(word))
    queue.take('w')
    return { job, said, leave, words: () => said.map(({ type, text }) => [type, text && JSON.parse(text)]) }
  }
  return { backend, queue, clock, endpoint, seats, submissions, rescan, listen }
}

describe('a function', () => {
  test('is known with its endpoint and its limit', async () => {
    const { backend, rescan } = setUp()
    expect(await backend.find('read')).toEqual({ endpoint: 'ocr', maxBodyBytes: 1_000 })
    expect(rescan).not.toHaveBeenCalled()
  })

  test('that is not known is looked for once more', async () => {
    const { backend, rescan } = setUp()
    expect(await backend.find('late')).toMatchObject({ endpoint: 'ocr' })
    expect(await backend.find('never')).toBeNull()
    rescan.mockResolvedValue(false)
    expect(await backend.find('never')).toBeNull()
  })

  test('that went away meanwhile is unknown', async () => {
    const { backend } = setUp()
    const unknown = { code: 'UNKNOWN_FUNCTION', message: expect.stringContaining('gone') }
    await expect(backend.submit('gone', { args: [] })).rejects.toMatchObject(unknown)
    await expect(backend.warm('gone', { args: [] })).rejects.toMatchObject(unknown)
  })
})

describe('a call', () => {
  test('is submitted by names, with the options that hold for the queue', async () => {
    const { backend, submissions } = setUp()
    await backend.submit('read', {
      args: ['a'],
      run: true,
      timeoutMs: 1,
      warm: false,
      s3Config: {},
      ttlMs: 20_000,
      lowPriority: true,
      webhook: 'http://w',
      idempotencyKey: 'k',
      executionTimeoutMs: 9_000,
    })
    expect(submissions).toEqual([
      {
        fact: read,
        input: { text: 'a', 'flash:call': { v: 1, fn: 'read', new: undefined } },
        parts: [],
        foreign: false,
        kind: 'run',
        ttlMs: 20_000,
        lowPriority: true,
        webhook: 'http://w',
        idempotencyKey: 'k',
        executionTimeoutMs: 9_000,
      },
    ])
  })

  test('of a method carries the constructor arguments, also when there are none', async () => {
    const { backend, submissions } = setUp()
    await backend.submit('model', { args: [1], new: ['small'], fn: 'ask' })
    await backend.submit('model', { args: [], fn: 'load' })
    expect(submissions.map(({ input }) => input['flash:call'])).toEqual([
      { v: 1, fn: 'ask', new: ['small'] },
      { v: 1, fn: 'load', new: [] },
    ])
  })

  for (const fn of ['train', undefined]) {
    test(`of ${fn ? 'an unknown method' : 'no method'} lists those there are`, async () => {
      const { backend } = setUp()
      await expect(backend.submit('model', { args: [], fn })).rejects.toMatchObject({
        code: 'BAD_INPUT',
        hint: 'it has: load, ask',
      })
    })
  }

  test('may take its time in the queue and the time it may run', async () => {
    const { backend } = setUp()
    vi.spyOn(Date, 'now').mockReturnValue(1_000)
    expect((await backend.submit('read', { args: ['a'] })).deadline).toBe(1_000 + 5_000 + 600_000)
    const longer = await backend.submit('read', { args: ['a'], executionTimeoutMs: 7_000 })
    expect(longer.deadline).toBe(1_000 + 7_000 + 600_000)
    vi.restoreAllMocks()
  })

  test('for setup alone warms the endpoint', async () => {
    const { backend, endpoint } = setUp()
    await backend.warm('read', { args: [] })
    expect(endpoint.warm).toHaveBeenCalledWith(read)
  })
})

describe('a job', () => {
  test('says what happens to it, and its result last', async () => {
    const { listen, queue } = setUp()
    const { job, words } = await listen()
    queue.progress(job.id, 'w', message('5', FrameType.progress))
    queue.item(job.id, 'w', message('"i"', FrameType.item))
    queue.log(job.id, 'w', { stream: 'stdout', text: 'hello\n' })
    queue.complete(job.id, 'w', { output: message('"result"') })
    expect(words()).toEqual([
      [FrameType.status, expect.objectContaining({ status: 'IN_QUEUE' })],
      [FrameType.status, expect.objectContaining({ status: 'IN_PROGRESS' })],
      [FrameType.progress, 5],
      [FrameType.item, 'i'],
      [FrameType.log, { stream: 'stdout', text: 'hello\n' }],
      [FrameType.value, 'result'],
    ])
    expect(job.status()).toEqual({
      id: job.id,
      status: 'COMPLETED',
      delayTime: 0,
      executionTime: 0,
      workerId: 'w',
    })
  })

  test('of a generator ends without a value', async () => {
    const { listen, queue } = setUp()
    const { job, said } = await listen()
    queue.complete(job.id, 'w', { output: STREAMED })
    expect(said.at(-1)).toEqual({ type: FrameType.end, rich: false, text: '', parts: [] })
  })

  test('that failed says why', async () => {
    const { listen, queue } = setUp()
    const { job, words } = await listen()
    const error = writeFailure(toWireError(new TypeError('no'), { stack: false }))
    queue.complete(job.id, 'w', { error })
    expect(words().at(-1)).toEqual([FrameType.error, expect.objectContaining({ name: 'TypeError' })])
    expect(job.status()).not.toHaveProperty('error')
  })

  test('that ran too long names its limit and its endpoint', async () => {
    const { listen, clock } = setUp()
    const { words } = await listen()
    clock.advance(5_000)
    expect(words().at(-1)).toEqual([
      FrameType.error,
      expect.objectContaining({
        code: 'TIMEOUT',
        message: 'endpoint "ocr": the job ran longer than its execution timeout of 5000 ms',
        hint: expect.stringContaining('executionTimeoutMs'),
      }),
    ])
  })

  test('can be cancelled', async () => {
    const { listen } = setUp()
    const { job, words } = await listen()
    job.cancel('the caller cancelled')
    expect(words().at(-1)).toEqual([FrameType.error, expect.objectContaining({ code: 'CANCELLED' })])
  })

  test('that is gone says so to who still listens, and has no status', async () => {
    const { listen, queue } = setUp()
    const { job, words } = await listen()
    queue.close()
    expect(words().at(-1)).toEqual([FrameType.error, expect.objectContaining({ code: 'JOB_NOT_FOUND' })])
    expect(job.status()).toEqual({ id: job.id, status: 'FAILED' })
    expect(job.listen(0, () => {})).toBeTypeOf('function')
  })

  test('is found again by endpoint and id, and by its id alone', async () => {
    const { backend } = setUp()
    const { id } = await backend.submit('read', { args: ['a'] })
    expect(backend.job('ocr', id)).toMatchObject({ id, endpoint: 'ocr' })
    expect(backend.jobById(id)).toMatchObject({ id, endpoint: 'ocr' })
    expect(backend.job('ocr', 'nope')).toBeNull()
    expect(backend.job('other', id)).toBeNull()
    expect(backend.jobById('nope')).toBeNull()
  })
})

describe('a request to a web app', () => {
  const cleanUps: (() => unknown)[] = []
  afterEach(async () => {
    for (const cleanUp of cleanUps.splice(0)) await cleanUp()
  })

  async function start(answer: RequestListener, lost: Error | null = null) {
    const server = createServer(answer)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => {
      server.closeAllConnections()
      server.close()
    })
    const { backend, seats, clock } = setUp()
    const release = vi.fn()
    seats.mockResolvedValue({
      workerId: 'local-1',
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      headers: { 'x-flash-worker-token': 'own' },
      release,
      limitMs: 330_000,
      expire: (limitMs) => new AppError('TIMEOUT', { message: `over after ${limitMs} ms` }),
      lost: async () => lost,
    })
    const ask = (more: Partial<BackendRequest> = {}) =>
      backend.fetch('web', {
        method: 'GET',
        path: '/',
        headers: new Headers(),
        body: null,
        signal: new AbortController().signal,
        ...more,
      })
    return { backend, ask, release, seats, clock }
  }

  const echo: RequestListener = async (request, response) => {
    let body = ''
    for await (const chunk of request) body += chunk
    const { method, url, headers } = request
    response.setHeader('set-cookie', ['a=1', 'b=2'])
    response.writeHead(201).end(JSON.stringify({ method, url, headers, body }))
  }

  test('is known with what routes it, and may be larger', async () => {
    const { backend } = setUp()
    expect(await backend.find('web')).toEqual({ endpoint: 'site', maxBodyBytes: 30_000_000, kind: 'web' })
  })

  test('arrives as it is, with the token of the worker', async () => {
    const { ask, release } = await start(echo)
    const headers = new Headers({ 'x-own': 'yes', 'x-flash-worker-token': 'guessed' })
    const body = new TextEncoder().encode('text')
    const answer = await ask({ method: 'PUT', path: '//host/../a?x', headers, body, idempotencyKey: 'k' })
    expect([answer.status, answer.headers.getSetCookie()]).toEqual([201, ['a=1', 'b=2']])
    expect(release).not.toHaveBeenCalled()
    expect(await answer.json()).toMatchObject({
      method: 'PUT',
      url: '//host/../a?x',
      body: 'text',
      headers: {
        'x-own': 'yes',
        'x-flash-worker-token': 'own',
        'idempotency-key': 'k',
        'content-length': '4',
      },
    })
    await vi.waitFor(() => expect(release).toHaveBeenCalled())
  })

  test('streams both ways', async () => {
    const { ask } = await start((request, response) => void request.pipe(response))
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const encoder = new TextEncoder()
    void writer.write(encoder.encode('one'))
    const answer = await ask({ method: 'POST', body: readable })
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('one')
    void writer.write(encoder.encode('two'))
    expect((await reader.read()).value).toBe('two')
    void writer.close()
    expect((await reader.read()).done).toBe(true)
  })

  test('comes decoded, as by fetch', async () => {
    const { ask, release } = await start((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync('hello gzip')),
    )
    const answer = await ask()
    expect(answer.headers.has('content-encoding')).toBe(false)
    expect(await answer.text()).toBe('hello gzip')
    await vi.waitFor(() => expect(release).toHaveBeenCalled())
  })

  test('that says it is encoded and is not breaks, and frees the worker', async () => {
    const { ask, release } = await start((_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).write('plain'),
    )
    await expect((await ask()).text()).rejects.toMatchObject({ code: 'TRANSPORT' })
    await vi.waitFor(() => expect(release).toHaveBeenCalled())
  })

  test('has no body where there is none', async () => {
    const { ask, release } = await start((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : 204, { 'x-a': 'b' }).end()
    })
    expect(await ask({ method: 'HEAD' })).toMatchObject({ status: 200, body: null })
    expect(await ask({ method: 'DELETE' })).toMatchObject({ status: 204, body: null })
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(2))
  })

  test('ends with its caller, before its answer and inside it', async () => {
    let closed = () => {}
    let reached = () => {}
    const { ask, release } = await start((request, response) => {
      if (request.url === '/inside') response.write('half')
      request.socket.once('close', () => closed())
      reached()
    })
    const reason = new Error('left')
    const leaving = new AbortController()
    const here = new Promise<void>((resolve) => (reached = resolve))
    const gone = new Promise<void>((resolve) => (closed = resolve))
    const answer = ask({ signal: leaving.signal })
    answer.catch(() => {})
    await here
    leaving.abort(reason)
    await expect(answer).rejects.toBe(reason)
    await gone
    const second = new Promise<void>((resolve) => (closed = resolve))
    const { body } = await ask({ path: '/inside' })
    await body!.cancel()
    await second
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(2))
  })

  test('whose worker breaks off says how it ended', async () => {
    const crash: RequestListener = (request) => void request.socket.destroy()
    const lost = new AppError('WORKER_CRASHED', { message: 'boom' })
    const crashed = await start(crash, lost)
    await expect(crashed.ask()).rejects.toBe(lost)
    expect(crashed.release).toHaveBeenCalled()
    await expect((await start(crash)).ask()).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })

  test('whose own body breaks is not sent to its end', async () => {
    const { ask } = await start(echo)
    const body = new ReadableStream({ pull: (controller) => controller.error(new Error('broken')) })
    await expect(ask({ method: 'POST', body })).rejects.toMatchObject({ code: 'CONNECTION_LOST' })
  })

  test('that is answered before it was sent whole is not sent any further', async () => {
    const { ask, release } = await start((_request, response) => void response.writeHead(413).end('no'))
    const cancel = vi.fn()
    const body = new ReadableStream({ pull: (out) => out.enqueue(new Uint8Array(65_536)), cancel })
    const answer = await ask({ method: 'POST', body })
    expect([answer.status, await answer.text()]).toEqual([413, 'no'])
    await vi.waitFor(() => expect(cancel).toHaveBeenCalled())
    expect(release).toHaveBeenCalled()
  })

  test('keeps no worker longer than the platform would', async () => {
    let reached = () => {}
    const { ask, clock, release } = await start((request, response) => {
      if (request.url === '/begun') response.write('half')
      reached()
    })
    const here = new Promise<void>((resolve) => (reached = resolve))
    const silent = ask()
    silent.catch(() => {})
    await here
    clock.advance(330_000)
    await expect(silent).rejects.toMatchObject({ code: 'TIMEOUT' })
    const begun = await ask({ path: '/begun' })
    clock.advance(330_000)
    await expect(begun.text()).rejects.toMatchObject({ code: 'TIMEOUT' })
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(2))
  })

  test('keeps no worker longer than the endpoint allows', async () => {
    let reached = () => {}
    const { ask, clock, seats } = await start(() => reached())
    const seat = await seats({ signal: new AbortController().signal })
    const expire = vi.fn(seat.expire)
    seats.mockResolvedValue({ ...seat, limitMs: 5_000, expire })
    const here = new Promise<void>((resolve) => (reached = resolve))
    const silent = ask()
    silent.catch(() => {})
    await here
    clock.advance(4_999)
    expect(expire).not.toHaveBeenCalled()
    clock.advance(1)
    await expect(silent).rejects.toMatchObject({ code: 'TIMEOUT', message: 'over after 5000 ms' })
    expect(expire).toHaveBeenCalledExactlyOnceWith(5_000)
  })

  test('gets no more than a request may have, whether that is said or seen', async () => {
    const { ask, release } = await start((request, response) => {
      if (request.url === '/said') response.setHeader('content-length', 30_000_001).flushHeaders()
      else response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(Buffer.alloc(31_000_000))
      if (request.method === 'HEAD') response.end()
    })
    const error = {
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringMatching(/has 3\d+ bytes.* 30000000 are/),
    }
    await expect(ask({ path: '/said' })).rejects.toMatchObject(error)
    expect(await ask({ path: '/said', method: 'HEAD' })).toMatchObject({ status: 200, body: null })
    const seen = await ask({ path: '/seen' })
    await expect(seen.bytes()).rejects.toMatchObject({ ...error, data: { limit: 30_000_000 } })
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(3))
  })

  test('is answered with long headers, up to a limit that is told', async () => {
    const { ask, release } = await start(({ url }, response) =>
      response.writeHead(200, { 'x-long': 'x'.repeat(url === '/long' ? 60_000 : 70_000) }).end(),
    )
    expect((await ask({ path: '/long' })).headers.get('x-long')).toHaveLength(60_000)
    await expect(ask({ path: '/longer' })).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      message: expect.stringContaining('headers'),
      data: { limit: 65_536 },
    })
    await vi.waitFor(() => expect(release).toHaveBeenCalledTimes(2))
  })

  test('that was given up before it was sent ends with the reason', async () => {
    const { ask, release } = await start(echo)
    const signal = AbortSignal.abort('left')
    await expect(ask({ signal })).rejects.toBe('left')
    expect(release).toHaveBeenCalledOnce()
  })

  test('that wants a WebSocket gets the worker itself', async () => {
    const { backend, seats } = await start(echo)
    const { signal } = new AbortController()
    expect(await backend.seat!('web', signal)).toMatchObject({ workerId: 'local-1' })
    expect(seats).toHaveBeenCalledWith({ signal })
    await expect(backend.seat!('gone', signal)).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
  })
})

test('a failure without words is still one', () => {
  expect(jobError('ocr', { id: 'j', status: 'FAILED' })).toMatchObject({ name: 'RemoteError' })
})
