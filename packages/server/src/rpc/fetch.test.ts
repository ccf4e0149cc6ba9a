import {
  AppError,
  createMessageReader,
  createTestClock,
  encodeMessage,
  FrameType,
  type Message,
  RemoteError,
} from '@flash/protocol'
import { createServer, request as open, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { toNodeHandler } from 'srvx/node'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BackendRequest, RpcBackend } from '../backend.ts'
import { createCapability } from '../capability.ts'
import type { RpcCaller } from '../envelope.ts'
import type { GateCall } from '../gate.ts'
import { createRpcHandler } from '../rpc.ts'
import { routesOf } from '../target.ts'
import { type Asked, balancedFacts, fetchBody, readFrames } from '../testing/balanced.ts'

const page: RpcCaller = { kind: 'page', subject: null }
const server: RpcCaller = { kind: 'server', subject: null }
const capability = createCapability(new Uint8Array(32).fill(1))
const refOf = (id: string) => `${id}.${capability.tag(id)}`

type Answer = (request: BackendRequest, id: string) => Response | Promise<Response>

function setUp(answer: Answer = () => new Response('hello')) {
  const clock = createTestClock()
  const requests: BackendRequest[] = []
  const judged: GateCall[] = []
  const backend = {
    find: async (id: string) => {
      const fact = balancedFacts.find((one) => one.id === id)
      if (id === 'queue') return { endpoint: 'ocr', maxBodyBytes: 1000, kind: 'function' as const }
      if (!fact) return null
      const { endpoint, kind, route } = fact
      return { endpoint, maxBodyBytes: 1000, kind, route, routes: routesOf(balancedFacts, fact) }
    },
    submit: vi.fn(),
    fetch: async (id: string, request: BackendRequest) => {
      requests.push(request)
      return answer(request, id)
    },
  }
  const onInternal = vi.fn(() => 'r-1')
  const rpc = createRpcHandler({
    backend: backend as unknown as RpcBackend,
    capability,
    clock,
    onInternal,
    gate: {
      needsBody: () => false,
      admit: async (_request, call) => {
        judged.push(call)
        if (call.path === '/secret') throw new AppError('FORBIDDEN', { message: 'not you' })
        return null
      },
    },
  })
  const post = (id: string, body: Uint8Array<ArrayBuffer>, caller = page, signal?: AbortSignal) =>
    rpc(
      new Request(`http://app/_flash/rpc/${id}`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' },
        body,
        signal,
      }),
      caller === page ? refOf(id) : id,
      caller,
    )
  const ask = async (id: string, asked: Asked, caller = page) => {
    const response = await post(id, fetchBody(asked), caller)
    if (response.status !== 200) return { code: (await response.json()).code as string, read: undefined }
    return { code: undefined, read: readFrames(await toMessages(response)) }
  }
  return { clock, requests, judged, backend, onInternal, post, ask, rpc }
}

async function toMessages(response: Response): Promise<Message[]> {
  const messages: Message[] = []
  const reader = createMessageReader((message) => messages.push(message))
  for await (const chunk of response.body!) reader.push(chunk)
  reader.end()
  return messages
}

describe('a request', () => {
  test('reaches the endpoint with method, path, query and body, and its answer comes back', async () => {
    const { ask, requests, judged } = setUp(async ({ body }) => {
      const size = (body as Uint8Array).length
      return Response.json({ size }, { status: 201, headers: { 'x-flash-result': 'data', 'x-own': 'a' } })
    })
    const { read } = await ask('resize', {
      method: 'POST',
      path: '/resize/40?fit=cover',
      headers: [['content-type', 'image/png']],
      body: new Uint8Array(7),
      options: { timeoutMs: 5_000, idempotencyKey: 'k 1' },
    })
    expect(read).toMatchObject({ status: 201, text: '{"size":7}', isComplete: true })
    expect(read!.headers.get('x-flash-result')).toBe('data')
    expect(read!.headers.get('x-own')).toBe('a')
    const [request] = requests
    expect(request).toMatchObject({
      method: 'POST',
      path: '/resize/40?fit=cover',
      timeoutMs: 5_000,
      idempotencyKey: 'k 1',
    })
    expect(Object.fromEntries(request!.headers)).toEqual({
      'content-type': 'image/png',
      'idempotency-key': 'k 1',
    })
    expect(judged).toEqual([
      { kind: 'fetch', id: 'resize', endpoint: 'pictures', method: 'POST', path: '/resize/40' },
    ])
  })

  for (const [what, path, sent] of [
    ['a path that looks like a host', '//evil.example/x?y', '//evil.example/x?y'],
    ['encoded letters', '/%61dmin/%7Ea/b%2Fc%2f', '/admin/~a/b%2Fc%2F'],
    ['dots for the same place', '/a/./b', '/a/b'],
    ['blanks and text beyond ASCII', '/a b/ü?q=ü', '/a%20b/%C3%BC?q=%C3%BC'],
    ['a blank behind a reserved path', '/ping ', '/ping%20'],
    ['a fragment', '/a#b', '/a'],
  ] as const) {
    test(`is judged as it is sent: ${what}`, async () => {
      const { ask, requests, judged } = setUp()
      expect((await ask('site', { path })).read).toMatchObject({ status: 200, text: 'hello' })
      expect(requests[0]!.path).toBe(sent)
      expect(judged[0]!.path).toBe(sent.split('?')[0])
    })
  }

  for (const [what, id, asked, code] of [
    ['the path of another route', 'resize', { method: 'POST', path: '/pictures/a' }, 'BAD_REQUEST'],
    ['a path that another route answers', 'list', { path: '/pictures/new' }, 'BAD_REQUEST'],
    ['the same, asked for as HEAD', 'list', { method: 'HEAD', path: '/pictures/new' }, 'BAD_REQUEST'],
    ['the same, written otherwise', 'list', { path: '/pictures/n%65w' }, 'BAD_REQUEST'],
    ['the method of another route', 'resize', { method: 'GET', path: '/resize/40' }, 'BAD_REQUEST'],
    ['a part too many', 'resize', { method: 'POST', path: '/resize/40/x' }, 'BAD_REQUEST'],
    ['`//host` for a route', 'resize', { method: 'POST', path: '//host/resize/40' }, 'BAD_REQUEST'],
    ['`..`', 'site', { path: '/a/../b' }, 'BAD_PATH'],
    ['`..` of a route', 'resize', { method: 'POST', path: '/resize/..' }, 'BAD_PATH'],
    ['encoded `..`', 'list', { path: '/pictures/%2e%2e/x' }, 'BAD_PATH'],
    ['`..` behind an encoded slash', 'list', { path: '/pictures/a%2f..%2fx' }, 'BAD_PATH'],
    ['a backslash', 'site', { path: '/a\\b' }, 'BAD_PATH'],
    ['a line break', 'site', { path: '/a\r\nx: y' }, 'BAD_PATH'],
    ['a reserved path', 'site', { path: '/ping' }, 'RESERVED_PATH'],
    ['an encoded reserved path', 'site', { path: '/%70ing' }, 'RESERVED_PATH'],
    ['one encoded twice', 'site', { path: '/%2570ing?x' }, 'RESERVED_PATH'],
    ['a reserved path with slashes', 'site', { path: '//_runpod/x' }, 'RESERVED_PATH'],
    ['an upgrade that is none', 'live', { path: '/live/a' }, 'BAD_REQUEST'],
    ['a method of ours', 'live', { method: 'WS', path: '/live/a' }, 'BAD_REQUEST'],
    ['a method in small letters', 'site', { method: 'post' }, 'BAD_REQUEST'],
    ['a method no request has', 'site', { method: 'TRACE' }, 'BAD_REQUEST'],
    ['a path without a slash', 'site', { path: 'http://evil.example/' }, 'BAD_REQUEST'],
    ['a path that is too long', 'site', { path: `/${'a'.repeat(16_384)}` }, 'PAYLOAD_TOO_LARGE'],
    ['a header with a line break', 'site', { headers: [['x', 'a\r\nb: c']] }, 'BAD_REQUEST'],
    ['a header without a name', 'site', { headers: [['', 'a']] }, 'BAD_REQUEST'],
    ['a header beyond Latin', 'site', { headers: [['x', '日']] }, 'BAD_REQUEST'],
    ['a body of a GET', 'site', { body: new Uint8Array(1) }, 'BAD_REQUEST'],
    ['no time at all', 'site', { options: { timeoutMs: 0 } }, 'BAD_REQUEST'],
    ['a key with a line break', 'site', { options: { idempotencyKey: 'a\nb' } }, 'BAD_REQUEST'],
    ['an unknown field', 'site', { options: { args: [] } }, 'BAD_REQUEST'],
    [
      'too much',
      'resize',
      { method: 'POST', path: '/resize/1', body: new Uint8Array(1_000) },
      'PAYLOAD_TOO_LARGE',
    ],
    ['what the app refuses', 'site', { path: '/%73ecret' }, 'FORBIDDEN'],
    ['a function with a queue', 'queue', { path: '/' }, 'BAD_REQUEST'],
    ['something that is not there', 'gone', { path: '/' }, 'UNKNOWN_FUNCTION'],
  ] as const) {
    test(`is refused: ${what}`, async () => {
      const { ask, requests } = setUp()
      expect((await ask(id, asked as unknown as Asked)).code).toBe(code)
      expect(requests).toEqual([])
    })
  }

  for (const [what, text, parts] of [
    ['no JSON', '{', 0],
    ['no object', '[]', 0],
    ['a call of a function', '{"args":[]}', 0],
    ['no object for the request', '{"fetch":"GET /"}', 0],
    [
      'an unknown field of it',
      '{"fetch":{"method":"GET","path":"/","headers":[],"body":false,"url":"x"}}',
      0,
    ],
    ['headers that are no list', '{"fetch":{"method":"GET","path":"/","headers":{},"body":false}}', 0],
    ['headers that are no pairs', '{"fetch":{"method":"GET","path":"/","headers":[["a"]],"body":false}}', 0],
    ['headers of numbers', '{"fetch":{"method":"GET","path":"/","headers":[["a",1]],"body":false}}', 0],
    ['a body that is not there', '{"fetch":{"method":"PUT","path":"/","headers":[],"body":true}}', 0],
    ['a body that is not meant', '{"fetch":{"method":"PUT","path":"/","headers":[],"body":false}}', 1],
    ['two bodies', '{"fetch":{"method":"PUT","path":"/","headers":[],"body":true}}', 2],
    ['no word of a body', '{"fetch":{"method":"PUT","path":"/","headers":[]}}', 0],
  ] as const) {
    test(`is refused that is ${what}`, async () => {
      const { post, requests } = setUp()
      const message = {
        type: FrameType.call,
        rich: false,
        text,
        parts: Array.from({ length: parts }, () => new Uint8Array(1)),
      }
      const response = await post('site', encodeMessage(message))
      expect(await response.json()).toMatchObject({ code: 'BAD_REQUEST' })
      expect(requests).toEqual([])
    })
  }

  test('with the tag of another route, or none, is refused before its body is read', async () => {
    const { rpc } = setUp()
    for (const [path, code] of [
      [`resize.${capability.tag('list')}`, 'SKEW'],
      ['resize', 'FORBIDDEN'],
    ] as const) {
      const request = new Request('http://app/x', {
        method: 'POST',
        headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' },
        body: 'no frames',
      })
      expect(await (await rpc(request, path, page)).json()).toMatchObject({ code })
    }
  })
})

describe('headers', () => {
  const asked: [string, string][] = [
    ['Accept', 'text/plain'],
    ['X-Own', 'a'],
    ['X-Own', 'b'],
    ['Cookie', 'session=1'],
    ['Origin', 'https://bank.example'],
    ['Sec-Fetch-Site', 'same-origin'],
    ['X-Forwarded-For', '10.0.0.1'],
    ['Authorization', 'Bearer x'],
    ['Host', 'evil.example'],
    ['Connection', 'close'],
    ['Transfer-Encoding', 'chunked'],
    ['Content-Length', '99'],
    ['X-Flash-App', 'other'],
    ['X-Flash-Worker-Token', 'x'],
    ['X-Runpod-Worker-Id', 'strict w1'],
  ]

  test('of a page travel as far as they are its own', async () => {
    const { ask, requests } = setUp()
    await ask('site', { headers: asked })
    expect([...requests[0]!.headers]).toEqual([
      ['accept', 'text/plain'],
      ['x-own', 'a, b'],
    ])
  })

  test('of a server may speak for others, but not for the platform', async () => {
    const { ask, requests } = setUp()
    await ask('site', { headers: asked }, server)
    expect([...requests[0]!.headers.keys()]).toEqual([
      'accept',
      'authorization',
      'cookie',
      'origin',
      'sec-fetch-site',
      'x-forwarded-for',
      'x-own',
    ])
  })

  const given = new Headers([
    ['content-type', 'text/plain'],
    ['content-length', '5'],
    ['set-cookie', 'a=1'],
    ['set-cookie', 'b=2'],
    ['connection', 'x-own'],
    ['x-runpod-worker-id', 'w1'],
    ['x-flash-result', 'items'],
    ['x-flash-hops', '1'],
  ])

  test('of an answer: no cookies and nothing of the platform for pages', async () => {
    const { ask } = setUp(() => new Response('hello', { headers: given }))
    expect([...(await ask('site', {})).read!.headers]).toEqual([
      ['content-length', '5'],
      ['content-type', 'text/plain'],
      ['x-flash-result', 'items'],
    ])
    const read = (await ask('site', {}, server)).read!
    expect(read.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(read.headers.has('connection')).toBe(false)
  })

  test('of an answer in a coding that nobody decoded say so', async () => {
    const headers = { 'content-encoding': 'nothing-known', 'content-length': '5' }
    const { ask } = setUp(() => new Response('hello', { headers }))
    const read = (await ask('site', {})).read!
    expect(Object.fromEntries(read.headers)).toMatchObject(headers)
  })
})

describe('an answer', () => {
  test('without a body, to a HEAD of a GET route', async () => {
    const { ask } = setUp(() => new Response(null, { status: 204 }))
    const { read } = await ask('list', { method: 'HEAD', path: '/pictures' })
    expect(read).toMatchObject({ status: 204, text: '', isComplete: true })
  })

  test('comes as it is made, and only as it is read', async () => {
    let pulled = 0
    const { post } = setUp(
      () =>
        new Response(
          new ReadableStream({
            pull(controller) {
              controller.enqueue(new Uint8Array(1_000).fill(++pulled))
              if (pulled === 100) controller.close()
            },
          }),
        ),
    )
    const response = await post('site', fetchBody({}))
    const reader = response.body!.getReader()
    await reader.read()
    await new Promise((resolve) => setImmediate(resolve))
    expect(pulled).toBeLessThan(10)
    let size = 0
    for (let step = await reader.read(); !step.done; step = await reader.read()) size += step.value.length
    expect(pulled).toBe(100)
    expect(size).toBeGreaterThan(100_000)
  })

  test('in pieces that are not too large', async () => {
    const bytes = new Uint8Array(2_500_000).map((_, at) => at)
    const { post } = setUp(() => new Response(bytes))
    const messages = await toMessages(await post('site', fetchBody({})))
    const chunks = messages.filter(({ type }) => type === FrameType.chunk)
    expect(chunks.length).toBeGreaterThanOrEqual(3)
    expect(Buffer.compare(Buffer.concat(chunks.flatMap(({ parts }) => parts)), bytes)).toBe(0)
  })

  test('that breaks off is an error without what it broke with', async () => {
    const { ask } = setUp(
      () =>
        new Response(
          new ReadableStream({
            start: (controller) => controller.enqueue(Buffer.from('half')),
            pull: (controller) => controller.error(new Error('socket of 10.0.0.7 closed')),
          }),
        ),
    )
    const { read } = await ask('site', {})
    expect(read).toMatchObject({ status: 200, text: 'half', isComplete: false })
    expect(read!.error).toMatchObject({ name: 'RemoteError', code: 'CONNECTION_LOST' })
    expect(JSON.stringify(read!.error)).not.toContain('10.0.0.7')
  })

  for (const [what, thrown, code] of [
    ['an error of ours', new AppError('NO_WORKERS', { message: 'none' }), 'NO_WORKERS'],
    ['one as callers get it', new RemoteError('TRANSPORT', 'nobody'), 'TRANSPORT'],
    ['an error of somebody else', new RemoteError('OWN', 'x'), 'INTERNAL'],
    ['anything', new Error('secret'), 'INTERNAL'],
  ] as const) {
    test(`that never came is an error: ${what}`, async () => {
      const { ask, onInternal } = setUp(() => Promise.reject(thrown))
      const { error } = (await ask('site', {})).read!
      expect(error.code).toBe(code)
      expect(error.message).not.toContain('secret')
      expect(onInternal).toHaveBeenCalledTimes(code === 'INTERNAL' ? 1 : 0)
    })
  }

  test('that takes too long ends the request', async () => {
    const { clock, post, requests } = setUp(() => new Promise(() => {}))
    const response = await post('site', fetchBody({ options: { timeoutMs: 300 } }))
    const read = toMessages(response)
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    clock.advance(300)
    expect(readFrames(await read).error).toMatchObject({ code: 'TIMEOUT' })
    expect(requests[0]!.signal.aborted).toBe(true)
  })

  test('in time has all the time for its body', async () => {
    let end = () => {}
    const body = new ReadableStream({ start: (controller) => void (end = () => controller.close()) })
    const { clock, post, requests } = setUp(() => new Response(body))
    const response = await post('site', fetchBody({ options: { timeoutMs: 300 } }))
    const reader = response.body!.getReader()
    await reader.read()
    clock.advance(1_000)
    end()
    while (!(await reader.read()).done);
    expect(requests[0]!.signal.aborted).toBe(false)
  })

  test('that is awaited keeps the connection alive', async () => {
    const { clock, post } = setUp(() => new Promise(() => {}))
    const reader = (await post('site', fetchBody({}))).body!.getReader()
    for (let count = 0; count < 3; count++) {
      const step = reader.read()
      await new Promise((resolve) => setImmediate(resolve))
      clock.advance(15_000)
      expect((await step).value![0]).toBe(FrameType.ping)
    }
  })
})

describe('a caller that leaves', () => {
  test('ends the request that is on its way, and its answer', async () => {
    const { post, requests } = setUp(
      ({ signal }) =>
        new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
    )
    const response = await post('site', fetchBody({}))
    await response.body!.cancel()
    expect(requests[0]!.signal.aborted).toBe(true)
  })

  test('ends it by its signal as well', async () => {
    const cancel = vi.fn()
    const { post, requests } = setUp(
      () => new Response(new ReadableStream({ start: (c) => c.enqueue(Buffer.from('a')), cancel })),
    )
    const caller = new AbortController()
    const response = await post('site', fetchBody({}), page, caller.signal)
    const reader = response.body!.getReader()
    await reader.read()
    caller.abort()
    expect(requests[0]!.signal.aborted).toBe(true)
    await reader.cancel()
    await vi.waitFor(() => expect(cancel).toHaveBeenCalled())
  })

  test.each([0, 1, 2])(
    'is not told that an answer is complete of which it had %i messages',
    async (count) => {
      const chunks = ['a', 'b']
      const { post } = setUp(
        () =>
          new Response(
            new ReadableStream({
              pull(controller) {
                const next = chunks.shift()
                return next ? controller.enqueue(Buffer.from(next)) : new Promise(() => {})
              },
            }),
          ),
      )
      const caller = new AbortController()
      const response = await post('site', fetchBody({}), page, caller.signal)
      const reader = response.body!.getReader()
      for (let at = 0; at < count; at++) await reader.read()
      await new Promise((resolve) => setImmediate(resolve))
      caller.abort()
      let last = 0
      for (let step = await reader.read(); !step.done; step = await reader.read()) last = step.value[0]!
      expect(last).toBe(FrameType.error)
    },
  )

  test('before it is answered sends nothing', async () => {
    const { post, requests } = setUp()
    const response = await post('site', fetchBody({}), page, AbortSignal.abort())
    expect((await response.json()).code).toBe('BAD_REQUEST')
    expect(requests).toEqual([])
  })
})

describe('which calls led to a request', () => {
  const led = { 'x-flash-hops': '3', 'x-flash-deadline': '1800000000000' }
  const send = async (caller: RpcCaller, options?: Record<string, unknown>) => {
    const { rpc, requests, clock } = setUp()
    const asked = new Request('http://app/_flash/rpc/site', {
      method: 'POST',
      headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1', ...led },
      body: fetchBody({ headers: [['x-flash-hops', '9']], options }),
    })
    await (await rpc(asked, caller === page ? refOf('site') : 'site', caller)).text()
    const { headers } = requests[0]!
    return { now: clock.now(), headers: [headers.get('x-flash-hops'), headers.get('x-flash-deadline')] }
  }

  test('is known of servers, and of nobody else', async () => {
    expect((await send(server)).headers).toEqual(['3', '1800000000000'])
    expect((await send(page)).headers).toEqual([null, null])
  })

  test('leaves no more time than the request has', async () => {
    const { now, headers } = await send(server, { timeoutMs: 5_000 })
    expect(headers).toEqual(['3', String(now + 5_000)])
  })
})

describe('the body of a request', () => {
  const ends: (() => void)[] = []
  afterEach(() => {
    for (const end of ends.splice(0)) end()
  })

  /** Sends a message to a real server in pieces, over connections that are kept. */
  async function listen(rpc: (request: Request, path: string, caller: RpcCaller) => Promise<Response>) {
    const node = createServer(
      toNodeHandler((given) => rpc(given, new URL(given.url).pathname.slice(1), page)) as never,
    )
    await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve))
    ends.push(() => void (node.closeAllConnections(), node.close()))
    const { port } = node.address() as AddressInfo
    return (id: string) => {
      const sent = open({
        port,
        host: '127.0.0.1',
        method: 'POST',
        path: `/${refOf(id)}`,
        headers: {
          'content-type': 'application/x-flash; v=1',
          'x-flash': '1',
          'transfer-encoding': 'chunked',
        },
      })
      const answer = new Promise<{ status: number; text: string }>((resolve, reject) => {
        sent.on('error', reject)
        sent.on('response', async (incoming: IncomingMessage) => {
          let text = ''
          for await (const chunk of incoming) text += chunk
          resolve({ status: incoming.statusCode!, text })
        })
      })
      ends.push(() => void sent.destroy())
      return { sent, answer }
    }
  }
  const message = (path: string) => fetchBody({ method: 'PUT', path, body: new Uint8Array(500) })

  test('is not waited for before the caller is judged', async () => {
    const { rpc, requests } = setUp()
    const start = await listen(rpc)
    const { sent, answer } = start('site')
    sent.write(message('/secret').subarray(0, -499))
    const { status, text } = await answer
    expect([status, JSON.parse(text).code]).toEqual([403, 'FORBIDDEN'])
    expect(requests).toEqual([])
  })

  test('of a refused caller is taken, and leads nowhere', async () => {
    const { rpc, requests } = setUp()
    const { sent, answer } = (await listen(rpc))('site')
    const bytes = message('/secret')
    sent.write(bytes.subarray(0, -499))
    expect((await answer).status).toBe(403)
    await new Promise<void>((resolve) => sent.end(bytes.subarray(-499), resolve))
    expect(requests).toEqual([])
  })

  test('comes behind, in whatever pieces', async () => {
    const { rpc, requests, judged } = setUp(async ({ body }) =>
      Response.json({ size: (body as Uint8Array).length }),
    )
    const { sent, answer } = (await listen(rpc))('site')
    const bytes = message('/own')
    for (let at = 0; at < bytes.length; at += 50) sent.write(bytes.subarray(at, at + 50))
    sent.end()
    expect((await answer).text).toContain('{"size":500}')
    expect(requests).toHaveLength(1)
    expect(judged.map(({ path }) => path)).toEqual(['/own'])
  })

  for (const [what, pieces, code] of [
    ['ends too early', [message('/own').subarray(0, -1)], 'BAD_FRAMES'],
    ['has another one behind it', [message('/own'), message('/own').subarray(0, 400)], 'BAD_FRAMES'],
    [
      'is larger than what is allowed',
      [fetchBody({ method: 'PUT', body: new Uint8Array(2_000) })],
      'PAYLOAD_TOO_LARGE',
    ],
    ['never comes', [], 'BAD_FRAMES'],
  ] as const) {
    test(`that ${what} is refused`, async () => {
      const { rpc, requests } = setUp()
      const { sent, answer } = (await listen(rpc))('site')
      for (const piece of pieces) sent.write(piece)
      sent.end()
      expect(JSON.parse((await answer).text).code).toBe(code)
      expect(requests).toEqual([])
    })
  }

  test('that breaks off while the caller is judged leads nowhere', async () => {
    const { backend, requests } = setUp()
    let judging = () => {}
    const begun = new Promise<void>((resolve) => (judging = resolve))
    let admit = (_subject: null) => {}
    const rpc = createRpcHandler({
      backend: backend as unknown as RpcBackend,
      capability,
      gate: {
        needsBody: () => false,
        admit: () => {
          judging()
          return new Promise<null>((resolve) => (admit = resolve))
        },
      },
    })
    let answered: Promise<Response> | undefined
    const start = await listen((...given) => (answered = rpc(...given)))
    const { sent, answer } = start('site')
    answer.catch(() => {})
    sent.end(message('/own'))
    await begun
    sent.destroy()
    await vi.waitFor(async () => expect((await answered)?.status).toBe(400))
    admit(null)
    await new Promise((resolve) => setImmediate(resolve))
    expect(requests).toEqual([])
  })
})
