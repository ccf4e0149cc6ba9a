import {
  AppError,
  createTestClock,
  createMessageReader,
  decodeValue,
  encodeMessage,
  FrameType,
  type Message,
} from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { createCapability } from './capability.ts'
import type { RpcBackend, RpcJob } from './backend.ts'
import type { CallEnvelope, RpcCaller } from './envelope.ts'
import type { Gate } from './gate.ts'
import { createRpcHandler } from './rpc.ts'

const page: RpcCaller = { kind: 'page', subject: null }
const server: RpcCaller = { kind: 'server', subject: null }
const capability = createCapability(new Uint8Array(32).fill(1))
const ref = `known.${capability.tag('known')}`

function json(type: number, value: unknown): Message {
  return { type, rich: false, text: value === undefined ? '' : JSON.stringify(value), parts: [] }
}

/** A job whose words the test says. */
function fakeJob(deadline = 9e15) {
  const said: Message[] = []
  const listeners = new Set<(message: Message) => void>()
  const cancelled: string[] = []
  const job: RpcJob = {
    id: 'job-1',
    endpoint: 'ocr',
    deadline,
    listen(from, say) {
      let items = 0
      for (const message of said) if (message.type !== FrameType.item || items++ >= from) say(message)
      listeners.add(say)
      return () => listeners.delete(say)
    },
    status: () => ({ id: 'job-1', status: 'IN_PROGRESS' }) as never,
    cancel: (reason) => void cancelled.push(reason),
  }
  const say = (message: Message) => {
    said.push(message)
    for (const listener of listeners) listener(message)
  }
  return { job, say, cancelled, listeners }
}

function setUp({ gate, lifeMs }: { gate?: Gate; lifeMs?: number } = {}) {
  const clock = createTestClock()
  const fake = fakeJob(lifeMs === undefined ? undefined : clock.now() + lifeMs)
  const calls: CallEnvelope[] = []
  const backend: RpcBackend = {
    find: async (id) => (id === 'known' ? { endpoint: 'ocr', maxBodyBytes: 1000 } : null),
    submit: async (_id, call) => {
      calls.push(call)
      return fake.job
    },
    warm: vi.fn(async () => {}),
    fetch: async () => new Response('fetched'),
    job: (endpoint, id) => (endpoint === 'ocr' && id === 'job-1' ? fake.job : null),
    jobById: (id) => (id === 'job-1' ? fake.job : null),
  }
  const onInternal = vi.fn()
  const handle = createRpcHandler({ capability, backend, clock, onInternal, ...(gate && { gate }) })
  return { ...fake, clock, calls, backend, handle, onInternal }
}

function request(
  value: unknown,
  init: { headers?: Record<string, string>; method?: string; signal?: AbortSignal; body?: Uint8Array } = {},
): Request {
  const method = init.method ?? 'POST'
  const body = init.body ?? encodeMessage(json(FrameType.call, value))
  return new Request('http://app.test/_flash/rpc/x', {
    method,
    headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1', ...init.headers },
    body: method === 'GET' ? undefined : (body as Uint8Array<ArrayBuffer>),
    signal: init.signal,
  })
}

async function frames(response: Response): Promise<Message[]> {
  const messages: Message[] = []
  const reader = createMessageReader((message) => messages.push(message))
  for await (const chunk of response.body ?? []) reader.push(chunk)
  reader.end()
  return messages
}

const types = (messages: Message[]) =>
  messages.map(({ type }) => Object.entries(FrameType).find(([, value]) => value === type)![0])
const tokenOf = (messages: Message[]) => (JSON.parse(messages[0]!.text) as { token: string }).token

describe('before a call is accepted', () => {
  for (const [what, path, init, status, code] of [
    ['another method', ref, { method: 'GET' }, 405, 'METHOD_NOT_ALLOWED'],
    ['a form of another site', ref, { headers: { 'content-type': 'text/plain' } }, 415, 'UNSUPPORTED_TYPE'],
    [
      'another version of the wire',
      ref,
      { headers: { 'content-type': 'application/x-flash; v=2' } },
      409,
      'SKEW',
    ],
    ...['v=1.5', 'v=1x', 'v=10', 'w=1', 'v=2; v=1', 'charset=v=1', ''].map(
      (parameter) =>
        [
          `the version "${parameter}"`,
          ref,
          { headers: { 'content-type': `application/x-flash; ${parameter}` } },
          409,
          'SKEW',
        ] as const,
    ),
    ...['application/x-flashy; v=1', 'application/x-flash-other;v=1', 'text/x; application/x-flash; v=1'].map(
      (type) =>
        [`the type "${type}"`, ref, { headers: { 'content-type': type } }, 415, 'UNSUPPORTED_TYPE'] as const,
    ),
    ['a missing marker', ref, { headers: { 'x-flash': '' } }, 400, 'BAD_REQUEST'],
    ['no tag', 'known', {}, 403, 'FORBIDDEN'],
    ['an empty tag', 'known.', {}, 403, 'FORBIDDEN'],
    ['a tag of another form', 'known.AAAAAAAAAAAAAAAA', {}, 403, 'FORBIDDEN'],
    ['something behind the tag', `${ref}.x`, {}, 403, 'FORBIDDEN'],
    ['a wrong tag', 'known.aaaaaaaaaaaaaaaa', {}, 409, 'SKEW'],
    ['an unknown id with its right tag', `other.${capability.tag('other')}`, {}, 404, 'UNKNOWN_FUNCTION'],
    [
      'a name of Object.prototype',
      `constructor.${capability.tag('constructor')}`,
      {},
      404,
      'UNKNOWN_FUNCTION',
    ],
    ['a body over the limit', ref, { body: new Uint8Array(1001) }, 413, 'PAYLOAD_TOO_LARGE'],
    ['noise', ref, { body: new Uint8Array([1, 2, 3]) }, 400, 'BAD_FRAMES'],
    ['an empty body', ref, { body: new Uint8Array() }, 400, 'BAD_FRAMES'],
    [
      'two messages',
      ref,
      { body: Buffer.concat([encodeMessage(json(16, { args: [] })), encodeMessage(json(16, { args: [] }))]) },
      400,
      'BAD_FRAMES',
    ],
    [
      'a message of another type',
      ref,
      { body: encodeMessage(json(FrameType.value, { args: [] })) },
      400,
      'BAD_FRAMES',
    ],
  ] as const) {
    test(`${what} is ${code}`, async () => {
      const { handle, calls } = setUp()
      const response = await handle(request({ args: [] }, init), path, page)
      expect(response.status).toBe(status)
      expect(response.headers.get('x-flash')).toBe('1')
      expect(response.headers.get('cache-control')).toBe('private, no-store')
      expect(await response.json()).toMatchObject({ code })
      expect(calls).toEqual([])
    })
  }

  for (const type of [
    'application/x-flash;v=1',
    'Application/X-Flash ; V="1"',
    'application/x-flash; a=b; v=1',
  ]) {
    test(`the type ${type} is ours`, async () => {
      const { handle } = setUp()
      const response = await handle(
        request({ args: [], run: true }, { headers: { 'content-type': type } }),
        ref,
        page,
      )
      expect(response.status).toBe(200)
    })
  }

  for (const [what, value, code] of [
    ['a list', [1], 'BAD_REQUEST'],
    ['no arguments', { fn: 'x' }, 'BAD_REQUEST'],
    ['arguments that are no list', { args: { 0: 1 } }, 'BAD_REQUEST'],
    ['an unknown field', { args: [], nope: 1 }, 'BAD_REQUEST'],
    ['a timeout below zero', { args: [], timeoutMs: -1 }, 'BAD_REQUEST'],
    ['a server option', { args: [], webhook: 'http://x' }, 'OPTION_SERVER_ONLY'],
    ['warming', { args: [], warm: true }, 'OPTION_SERVER_ONLY'],
    ['a forbidden key', JSON.parse('{"args":[{"__proto__":{"a":1}}]}'), 'BAD_INPUT'],
  ] as const) {
    test(`an envelope that is ${what} is ${code}`, async () => {
      const { handle, calls } = setUp()
      const response = await handle(request(value), ref, page)
      expect(await response.json()).toMatchObject({ code })
      expect(calls).toEqual([])
    })
  }

  test('an unexpected failure says nothing of itself, and is told to the host', async () => {
    const { handle, backend, onInternal } = setUp()
    backend.submit = async () => {
      throw new Error('secret path /etc')
    }
    const response = await handle(request({ args: [] }), ref, page)
    expect(response.status).toBe(500)
    expect(await response.text()).not.toContain('secret')
    expect(onInternal).toHaveBeenCalledOnce()
  })
})

describe('an accepted call', () => {
  test('that ends at once is answered in one piece: job, then value', async () => {
    const { handle, say, calls } = setUp()
    const answer = handle(request({ args: [1, 'a'] }), ref, page)
    await vi.waitFor(() => expect(calls).toHaveLength(1))
    say(json(FrameType.value, 42))
    const response = await answer
    expect(Number(response.headers.get('content-length'))).toBeGreaterThan(0)
    const messages = await frames(response)
    expect(types(messages)).toEqual(['job', 'value'])
    expect(calls[0]).toEqual({ args: [1, 'a'] })
    expect(capability.open(tokenOf(messages))).toMatchObject({
      endpoint: 'ocr',
      jobId: 'job-1',
      subject: null,
    })
  })

  test('that takes longer is streamed as things are said, with keep-alives between', async () => {
    const { handle, say, clock, listeners } = setUp()
    const answer = handle(request({ args: [] }), ref, page)
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    clock.advance(20)
    const response = await answer
    const reading = frames(response)
    say(json(FrameType.item, 1))
    await new Promise((resolve) => setImmediate(resolve))
    clock.advance(15_000)
    say(json(FrameType.item, 2))
    say(json(FrameType.end, undefined))
    expect(types(await reading)).toEqual(['job', 'item', 'ping', 'item', 'end'])
  })

  test('of .run() answers with the token alone and goes on without a reader', async () => {
    const { handle, cancelled, clock } = setUp()
    const messages = await frames(await handle(request({ args: [], run: true }), ref, page))
    expect(types(messages)).toEqual(['job', 'end'])
    clock.advance(60_000)
    expect(cancelled).toEqual([])
  })

  test('binary arguments arrive as they were', async () => {
    const { handle, say, calls } = setUp()
    const { encodeValue } = await import('@flash/protocol')
    const encoded = await encodeValue({ args: [new Uint8Array([1, 2, 3])] }, 'in')
    const answer = handle(
      request(null, { body: encodeMessage({ type: FrameType.call, ...encoded }) }),
      ref,
      page,
    )
    await vi.waitFor(() => expect(calls).toHaveLength(1))
    say(json(FrameType.value, null))
    await answer
    expect(calls[0]!.args[0]).toEqual(new Uint8Array([1, 2, 3]))
  })

  test('a server says which calls led to it, and a page cannot', async () => {
    const { handle, calls, say, clock } = setUp()
    say(json(FrameType.value, 1))
    const deadline = clock.now() + 60_000
    const headers = { 'x-flash-hops': '3', 'x-flash-deadline': String(deadline) }
    await handle(request({ args: [] }, { headers }), 'known', server)
    await handle(request({ args: [], timeoutMs: 5_000 }, { headers }), 'known', server)
    await handle(request({ args: [], timeoutMs: 5_000 }), 'known', server)
    await handle(request({ args: [] }, { headers: { 'x-flash-hops': '-3' } }), 'known', server)
    await handle(request({ args: [] }, { headers }), ref, page)
    expect(calls.map(({ hops, deadline }) => [hops, deadline])).toEqual([
      [3, deadline],
      [3, clock.now() + 5_000],
      [undefined, undefined],
      [undefined, undefined],
      [undefined, undefined],
    ])
  })

  test('a server may use every option and needs no tag', async () => {
    const { handle, backend } = setUp()
    const messages = await frames(await handle(request({ args: [], warm: true }), 'known', server))
    expect(types(messages)).toEqual(['end'])
    expect(backend.warm).toHaveBeenCalledOnce()
  })
})

describe('a reader that leaves', () => {
  async function start() {
    const all = setUp()
    const abort = new AbortController()
    const answer = all.handle(request({ args: [] }, { signal: abort.signal }), ref, page)
    await vi.waitFor(() => expect(all.listeners.size).toBe(1))
    all.clock.advance(20)
    const response = await answer
    const reader = response.body!.getReader()
    const messages: Message[] = []
    const parse = createMessageReader((message) => messages.push(message))
    parse.push((await reader.read()).value!)
    all.clock.advance(6_000)
    return { ...all, abort, reader, token: tokenOf(messages) }
  }

  test('and does not come back within 30 seconds cancels the job', async () => {
    const { abort, clock, cancelled } = await start()
    abort.abort()
    clock.advance(29_999)
    expect(cancelled).toEqual([])
    clock.advance(1)
    expect(cancelled).toEqual(['the caller left'])
  })

  test('after another connection took over is not waited for', async () => {
    const { abort, clock, cancelled, handle, listeners, token } = await start()
    const again = handle(request({ token, from: 0 }), 'resume', page)
    await vi.waitFor(() => expect(listeners.size).toBe(2))
    clock.advance(25)
    expect((await again).status).toBe(200)
    // Only now does the server learn that the first connection is gone.
    abort.abort()
    clock.advance(31_000)
    expect(cancelled).toEqual([])
  })

  // Five seconds: what a browser goes on reading of an answer that its page gave up.
  test.each([0, 5_500])(
    'after %i ms, maybe without having seen its token, is waited for three seconds',
    async (ms) => {
      const { handle, listeners, clock, cancelled } = setUp()
      const abort = new AbortController()
      const answer = handle(request({ args: [] }, { signal: abort.signal }), ref, page)
      await vi.waitFor(() => expect(listeners.size).toBe(1))
      clock.advance(20)
      await (await answer).body!.getReader().read()
      clock.advance(ms)
      abort.abort()
      clock.advance(2_999)
      expect(cancelled).toEqual([])
      clock.advance(1)
      expect(cancelled).toEqual(['the caller left'])
    },
  )

  test('and comes back gets what it has not seen', async () => {
    const { abort, clock, cancelled, say, handle, token } = await start()
    say(json(FrameType.item, 'first'))
    abort.abort()
    clock.advance(10_000)
    say(json(FrameType.item, 'second'))
    const again = handle(request({ token, from: 1 }), 'resume', page)
    say(json(FrameType.end, undefined))
    const messages = await frames(await again)
    expect(messages.filter(({ type }) => type === FrameType.item).map(({ text }) => text)).toEqual([
      '"second"',
    ])
    clock.advance(60_000)
    expect(cancelled).toEqual([])
  })

  test('before anything was sent to it cancels at once', async () => {
    const { handle, listeners, clock, cancelled } = setUp()
    const abort = new AbortController()
    const answer = handle(request({ args: [] }, { signal: abort.signal }), ref, page)
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    abort.abort()
    clock.advance(20)
    await answer
    expect(cancelled).toEqual(['the caller left'])
  })
})

describe('tokens', () => {
  const tokenFor = (subject: string | null) =>
    capability.seal({ endpoint: 'ocr', jobId: 'job-1', id: 'known', subject, expires: 9e15 })

  test('cancel the job they belong to', async () => {
    const { handle, cancelled } = setUp()
    const response = await handle(request({ token: tokenFor(null) }), 'cancel', page)
    expect(response.status).toBe(200)
    expect(cancelled).toEqual(['the caller cancelled'])
  })

  test('of another subject are refused', async () => {
    const { handle, cancelled } = setUp()
    const response = await handle(request({ token: tokenFor('ann') }), 'cancel', {
      kind: 'page',
      subject: 'bob',
    })
    expect(response.status).toBe(403)
    expect(cancelled).toEqual([])
  })

  test('that are invented are refused', async () => {
    const { handle } = setUp()
    expect((await handle(request({ token: 'job-1' }), 'resume', page)).status).toBe(403)
  })

  test('of a job nobody knows any more are 404', async () => {
    const { handle } = setUp()
    const token = capability.seal({
      endpoint: 'ocr',
      jobId: 'gone',
      id: 'known',
      subject: null,
      expires: 9e15,
    })
    expect(await (await handle(request({ token }), 'resume', page)).json()).toMatchObject({
      code: 'JOB_NOT_FOUND',
    })
  })

  test('tell where a job stands', async () => {
    const { handle } = setUp()
    const messages = await frames(
      await handle(request({ token: tokenFor(null), only: 'status' }), 'resume', page),
    )
    expect(types(messages)).toEqual(['status', 'end'])
    expect(decodeValue(false, messages[0]!.text)).toMatchObject({ status: 'IN_PROGRESS' })
  })

  test('are job ids for a server', async () => {
    const { handle, cancelled } = setUp()
    expect((await handle(request({ token: 'job-1' }), 'cancel', server)).status).toBe(200)
    expect(cancelled).toHaveLength(1)
  })

  for (const value of [
    { token: 1 },
    { token: 'a', from: -1 },
    { token: 'a', from: 1.5 },
    { token: 'a', only: 'all' },
    7,
  ]) {
    test(`${JSON.stringify(value)} is refused`, async () => {
      const { handle } = setUp()
      expect((await handle(request(value), 'resume', page)).status).toBe(400)
    })
  }
})

describe('calls with one idempotency key', () => {
  const keyed = (more: object = {}) => ({ args: ['a'], idempotencyKey: 'k', ...more })

  function setUpKeyed() {
    const all = setUp()
    /** A reader that has its token, and has read for a second. */
    const attach = async () => {
      const abort = new AbortController()
      const before = all.listeners.size
      const answer = all.handle(request(keyed(), { signal: abort.signal }), ref, page)
      await vi.waitFor(() => expect(all.listeners.size).toBe(before + 1))
      all.clock.advance(20)
      const messages: Message[] = []
      createMessageReader((message) => messages.push(message)).push(
        (await (await answer).body!.getReader().read()).value!,
      )
      all.clock.advance(1_000)
      return { leave: () => abort.abort(), token: tokenOf(messages) }
    }
    const run = async () => tokenOf(await frames(await all.handle(request(keyed({ run: true })), ref, page)))
    const cancel = async (token: string) =>
      expect((await all.handle(request({ token }), 'cancel', page)).status).toBe(200)
    return { ...all, attach, run, cancel }
  }

  for (const runFirst of [true, false]) {
    test(`of which one is a .run(), ${runFirst ? 'the first' : 'the second'}, live until that one is cancelled`, async () => {
      const { attach, run, cancel, clock, cancelled } = setUpKeyed()
      const early = runFirst ? await run() : undefined
      const first = await attach()
      const handle = early ?? (await run())
      const second = await attach()
      first.leave()
      await cancel(first.token)
      // Told twice, because an answer was lost.
      await cancel(first.token)
      second.leave()
      clock.advance(60_000)
      expect(cancelled).toEqual([])
      await cancel(handle)
      expect(cancelled).toEqual(['the caller cancelled'])
    })
  }

  test('live while one of them reads', async () => {
    const { attach, clock, cancelled } = setUpKeyed()
    const first = await attach()
    const second = await attach()
    first.leave()
    clock.advance(60_000)
    expect(cancelled).toEqual([])
    second.leave()
    clock.advance(29_999)
    expect(cancelled).toEqual([])
    clock.advance(1)
    expect(cancelled).toEqual(['the caller left'])
  })

  test('are cancelled when all of them are', async () => {
    const { attach, cancel, cancelled } = setUpKeyed()
    const first = await attach()
    const second = await attach()
    for (const token of [first.token, first.token]) await cancel(token)
    expect(cancelled).toEqual([])
    await cancel(second.token)
    expect(cancelled).toEqual(['the caller cancelled'])
  })

  test('wait for the one that may come back, though another left before it was told anything', async () => {
    const { attach, clock, cancelled, handle, listeners } = setUpKeyed()
    const first = await attach()
    first.leave()
    const abort = new AbortController()
    const answer = handle(request(keyed(), { signal: abort.signal }), ref, page)
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    abort.abort()
    clock.advance(20)
    await answer
    expect(cancelled).toEqual([])
    clock.advance(30_000)
    expect(cancelled).toEqual(['the caller left'])
  })

  test('have to have one input, whoever calls', async () => {
    for (const caller of [page, server, { kind: 'page', subject: 'ann' }] as RpcCaller[]) {
      const { handle, calls } = setUp()
      const send = (more: object) => handle(request(keyed({ run: true, ...more })), ref, caller)
      expect((await send({})).status).toBe(200)
      expect((await send({})).status).toBe(200)
      for (const other of [{ args: ['b'] }, { new: [1] }]) {
        const answer = await send(other)
        expect(answer.status).toBe(400)
        expect(await answer.json()).toMatchObject({
          code: 'BAD_REQUEST',
          message: expect.stringContaining('idempotencyKey "k"'),
        })
      }
      expect(calls).toHaveLength(2)
      expect((await send({ args: ['b'], fn: 'other' })).status).toBe(200)
      expect((await send({ args: ['b'], idempotencyKey: 'l' })).status).toBe(200)
    }
  })

  test('are kept apart by who calls', async () => {
    const { handle, calls } = setUp()
    const subjects = [page, server, { kind: 'page', subject: 'ann' }, { kind: 'page', subject: 'bob' }]
    for (const [n, caller] of subjects.entries())
      expect((await handle(request(keyed({ args: [n], run: true })), ref, caller as RpcCaller)).status).toBe(
        200,
      )
    expect(new Set(calls.map(({ scope }) => scope)).size).toBe(4)
  })

  test('may have another input once the first is long over, or was never accepted', async () => {
    const { handle, backend, clock } = setUp({ lifeMs: 60_000 })
    const send = (args: unknown[]) => handle(request(keyed({ args, run: true })), ref, page)
    const { submit } = backend
    backend.submit = () => Promise.reject(new AppError('TRANSPORT', { message: 'no' }))
    expect((await send(['never'])).status).toBe(502)
    backend.submit = submit
    expect((await send(['a'])).status).toBe(200)
    expect((await send(['b'])).status).toBe(400)
    clock.advance(60_000 + 1_800_000)
    expect((await send(['b'])).status).toBe(200)
  })

  test('cannot name whose they are', async () => {
    const { handle } = setUp()
    expect((await handle(request(keyed({ scope: 'x' })), ref, server)).status).toBe(400)
  })
})

describe('a job that does not end by its deadline', () => {
  test('ends its stream with TIMEOUT, is cancelled, and not listened to any more', async () => {
    const { handle, listeners, clock, cancelled } = setUp({ lifeMs: 60_000 })
    const answer = handle(request({ args: [] }), ref, page)
    await vi.waitFor(() => expect(listeners.size).toBe(1))
    clock.advance(20)
    const reading = frames(await answer)
    clock.advance(60_000)
    expect(cancelled).toEqual([])
    clock.advance(5_000)
    const last = (await reading).at(-1)!
    expect([last.type, JSON.parse(last.text).code]).toEqual([FrameType.error, 'TIMEOUT'])
    expect([listeners.size, cancelled]).toEqual([0, ['the caller left']])
  })

  test('is left alone when it is on its own; who asks later gets a moment to hear what became of it', async () => {
    const { handle, say, listeners, clock, cancelled } = setUp({ lifeMs: 60_000 })
    const token = tokenOf(await frames(await handle(request({ args: [], run: true }), ref, page)))
    clock.advance(70_000)
    for (const finishes of [false, true]) {
      const answer = handle(request({ token }), 'resume', page)
      await vi.waitFor(() => expect(listeners.size).toBe(1))
      clock.advance(20)
      const reading = frames(await answer)
      if (finishes) say(json(FrameType.value, 'late'))
      else clock.advance(5_000)
      expect((await reading).at(-1)!.text).toContain(finishes ? 'late' : 'TIMEOUT')
    }
    expect(cancelled).toEqual([])
  })
})

describe('a caller that is gone', () => {
  test('while it was decided whether it may call has called nothing', async () => {
    for (const needsBody of [true, false]) {
      let admit = (_subject: null) => {}
      const decided = new Promise<null>((resolve) => (admit = resolve))
      const { handle, calls } = setUp({ gate: { needsBody: () => needsBody, admit: () => decided } })
      const abort = new AbortController()
      const answer = handle(request({ args: [], run: true }, { signal: abort.signal }), ref, page)
      await new Promise(setImmediate)
      abort.abort()
      admit(null)
      expect((await answer).status).toBe(400)
      expect(calls).toEqual([])
    }
  })

  test('before the answer of `.run()` leaves no job, unless others know it by its key', async () => {
    for (const [key, expected] of [
      [undefined, ['the caller left']],
      ['k', []],
    ] as const) {
      const { handle, cancelled, backend, job } = setUp()
      const abort = new AbortController()
      backend.submit = async () => {
        abort.abort()
        return job
      }
      const body = { args: [], run: true, idempotencyKey: key }
      const answer = handle(request(body, { signal: abort.signal }), ref, page)
      expect((await answer).status).toBe(key ? 200 : 400)
      expect(cancelled).toEqual(expected)
    }
  })
})
