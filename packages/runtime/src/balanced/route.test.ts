import { createTestClock, RemoteError } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindRoute } from '../index.ts'
import { postTo } from '../post-to.ts'
import { chunk, type Exchange, frame, type ScriptedServer, startScriptedServer } from '../scripted-server.ts'
import type { Post } from '../types.ts'
import { createFrameSend } from './frames.ts'
import { createRoute } from './route.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'
const own = { 'x-flash-result': 'response' }

let server: ScriptedServer | undefined
afterEach(async () => {
  vi.restoreAllMocks()
  await server?.close()
  server = undefined
})

type Script = (exchange: Exchange, count: number) => unknown

/** A page's stub of a route whose server does what the script says. */
async function routeOf(script: Script, method = 'POST', path = '/resize/:w') {
  server = await startScriptedServer(script)
  return bindRoute(`${server.url}/_flash`)(ref, method, path)
}

const answerData =
  (value: unknown): Script =>
  async (exchange) => {
    await exchange.head(200, { 'x-flash-result': 'data', 'content-type': 'application/json' })
    exchange.chunk(JSON.stringify(value))
    exchange.endBody()
  }

const echoEnvelope: Script = (exchange, count) => {
  const { bytes, ...envelope } = exchange.value
  return answerData({ ...envelope, text: bytes && new TextDecoder().decode(bytes) })(exchange, count)
}

const lines = (...texts: string[]): Script => {
  return async (exchange) => {
    await exchange.head(200, { 'x-flash-result': 'items', 'content-type': 'text/event-stream' })
    for (const text of texts) exchange.chunk(text)
    exchange.endBody()
  }
}

async function collect(items: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const item of items) all.push(item)
  return all
}

describe('a request', () => {
  test('goes to the rpc route as one message: method, filled path, query, headers, body', async () => {
    const route = await routeOf(echoEnvelope)
    const sent = await route({
      params: { w: 'a/b c' },
      query: { tag: ['x', 'y&z'], at: new Date(0), page: 2, no: undefined, nil: null },
      body: { deep: [1, 'ä'] },
      headers: { 'X-Mine': 'yes' },
      timeoutMs: 5_000,
      idempotencyKey: 'key 1',
    })
    expect(server!.exchanges[0]!.request).toMatchObject({ method: 'POST', url: `/_flash/rpc/${ref}` })
    expect(sent).toEqual({
      fetch: {
        method: 'POST',
        path: '/resize/a%2Fb%20c?tag=x&tag=y%26z&at=1970-01-01T00%3A00%3A00.000Z&page=2',
        headers: [
          ['content-type', 'application/json'],
          ['idempotency-key', 'key 1'],
          ['x-mine', 'yes'],
        ],
        body: true,
      },
      timeoutMs: 5_000,
      idempotencyKey: 'key 1',
      text: '{"deep":[1,"ä"]}',
    })
  })

  test('without anything has no body', async () => {
    const route = await routeOf(echoEnvelope, 'GET', '/')
    expect(await route()).toEqual({ fetch: { method: 'GET', path: '/', headers: [], body: false } })
  })

  test('of a page says nothing of who somebody is', async () => {
    const route = await routeOf(echoEnvelope, 'GET', '/')
    const headers = {
      Authorization: 'Bearer x',
      Cookie: 'a=b',
      Host: 'evil.test',
      Connection: 'close',
      'X-Flash-Worker-Token': 'x',
      'X-Api-Key': 'mine',
    }
    expect((await route({ headers })).fetch.headers).toEqual([['x-api-key', 'mine']])
  })

  const form = new FormData()
  form.set('name', 'value')
  for (const [what, body, type, text] of [
    ['text', 'hello', 'text/plain;charset=UTF-8', 'hello'],
    ['empty text', '', 'text/plain;charset=UTF-8', ''],
    ['bytes', new Uint8Array([104, 105]), 'application/octet-stream', 'hi'],
    ['a view', new DataView(new Uint8Array([0, 104, 105]).buffer, 1), 'application/octet-stream', 'hi'],
    ['a buffer', new Uint8Array([104, 105]).buffer, 'application/octet-stream', 'hi'],
    ['a blob', new Blob(['hi'], { type: 'image/png' }), 'image/png', 'hi'],
    ['a blob without a type', new Blob(['hi']), 'application/octet-stream', 'hi'],
    ['a stream', new Blob(['hi']).stream(), 'application/octet-stream', 'hi'],
    [
      'a query',
      new URLSearchParams({ a: '1 2' }),
      'application/x-www-form-urlencoded;charset=UTF-8',
      'a=1+2',
    ],
    ['null', null, 'application/json', 'null'],
    ['false', false, 'application/json', 'false'],
    ['a list of some library', Object.assign(new Set([1]), { toJSON: () => [1] }), 'application/json', '[1]'],
    ['a date', new Date(0), 'application/json', '"1970-01-01T00:00:00.000Z"'],
  ] as const) {
    test(`carries ${what}`, async () => {
      const route = await routeOf(echoEnvelope, 'PUT', '/')
      const sent = await route({ body })
      expect(sent.text).toBe(text)
      expect(sent.fetch.headers).toEqual([['content-type', type]])
    })
  }

  test('carries a form with its boundary, and a content type of the caller stays', async () => {
    const route = await routeOf(echoEnvelope, 'POST', '/')
    const sent = await route({ body: form })
    const [[, type]] = sent.fetch.headers
    expect(type).toMatch(/^multipart\/form-data; boundary=/)
    const boundary = type.split('boundary=')[1]
    expect(sent.text).toContain(`--${boundary}`)
    expect(sent.text).toContain('value')
    const typed = await route({ body: '<a/>', headers: { 'content-type': 'text/xml' } })
    expect(typed.fetch.headers).toEqual([['content-type', 'text/xml']])
  })

  const cyclic: Record<string, unknown> = {}
  cyclic.self = cyclic
  for (const [what, options, expected] of [
    ['a missing parameter', {}, { code: 'BAD_INPUT', data: { field: 'params.w' } }],
    ['an empty parameter', { params: { w: '' } }, { code: 'BAD_INPUT' }],
    [
      'a parameter that has no text',
      { params: { w: {} } },
      { code: 'BAD_INPUT', data: { field: 'params.w' } },
    ],
    [
      'a query that has no text',
      { params: { w: 1 }, query: { a: [{}] } },
      { code: 'BAD_INPUT', data: { field: 'query.a' } },
    ],
    ['a parameter that leads to another route', { params: { w: '..' } }, { code: 'BAD_INPUT' }],
    [
      'a parameter that servers read in two ways',
      { params: { w: 'a\\b' } },
      { code: 'BAD_INPUT', data: { field: 'params.w' } },
    ],
    [
      'a parameter that is no date',
      { params: { w: new Date(Number.NaN) } },
      { code: 'BAD_INPUT', data: { field: 'params.w' } },
    ],
    [
      'a query that is a text',
      { params: { w: 1 }, query: 'a=b' },
      { code: 'BAD_INPUT', data: { field: 'query' } },
    ],
    [
      'a query that is no date',
      { params: { w: 1 }, query: { a: new Date(Number.NaN) } },
      { code: 'BAD_INPUT' },
    ],
    ['a cyclic body', { params: { w: 1 }, body: cyclic }, { code: 'CANNOT_CARRY' }],
    ['a map as body', { params: { w: 1 }, body: new Map([['a', 1]]) }, { code: 'CANNOT_CARRY' }],
    [
      'a generator as body',
      { params: { w: 1 }, body: (async function* () {})() },
      { code: 'CANNOT_CARRY', message: expect.stringContaining('AsyncGenerator') },
    ],
    ['a function as body', { params: { w: 1 }, body: () => {} }, { code: 'CANNOT_CARRY' }],
    ['a limit of 0', { params: { w: 1 }, timeoutMs: 0 }, { code: 'BAD_REQUEST' }],
  ] as const) {
    test(`is not sent with ${what}`, async () => {
      const route = await routeOf(echoEnvelope)
      const error = await route(options as never).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject(expected)
      expect(server!.exchanges).toHaveLength(0)
    })
  }

  test('that is read has no body', async () => {
    const route = await routeOf(echoEnvelope, 'GET', '/')
    await expect(route({ body: {} })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })
})

describe('an answer', () => {
  test('is its data', async () => {
    const route = await routeOf(answerData({ a: [1, null] }), 'GET', '/')
    expect(await route()).toEqual({ a: [1, null] })
  })

  test('with 204, or without a body, is undefined', async () => {
    const route = await routeOf(
      async (exchange, count) => {
        await exchange.head(count === 1 ? 204 : 200, { 'x-flash-result': 'data' })
        exchange.endBody()
      },
      'HEAD',
      '/',
    )
    expect(await route()).toBeUndefined()
    expect(await route()).toBeUndefined()
  })

  test('of items is a generator of values', async () => {
    const route = await routeOf(
      lines('data: {"a":1}\n\nda', 'ta: [2]\n\n: quiet\n\nevent: other\ndata: 7\n\n'),
      'GET',
      '/',
    )
    expect(await collect(await route())).toEqual([{ a: 1 }, [2]])
  })

  test('without items ends at once', async () => {
    const route = await routeOf(lines(), 'GET', '/')
    expect(await collect(await route())).toEqual([])
  })

  test('whose items fail gives those before, then the error', async () => {
    const text =
      'data: 1\n\nevent: error\ndata: {"code":"SOLD_OUT","message":"none left","hint":"wait","data":{"n":0}}\n\ndata: 2\n\n'
    const route = await routeOf(lines(text), 'GET', '/')
    const items = await route()
    expect(await items.next()).toEqual({ done: false, value: 1 })
    const error = await items.next().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ code: 'SOLD_OUT', message: 'none left', hint: 'wait', data: { n: 0 } })
    expect(await items.next()).toEqual({ done: true, value: undefined })
  })

  for (const [what, text, code] of [
    ['are no JSON', 'data: {\n\n', 'BAD_RESULT'],
    ['fail without a code', 'event: error\ndata: {}\n\n', 'BAD_RESULT'],
    ['end in the middle', 'data: 1', 'CONNECTION_LOST'],
    ['end before an empty line', 'data: 1\n', 'CONNECTION_LOST'],
    ['end before what an error says', 'event: error\n', 'CONNECTION_LOST'],
  ] as const) {
    test(`whose items ${what} is ${code}`, async () => {
      const route = await routeOf(lines(text), 'GET', '/')
      await expect((await route()).next()).rejects.toMatchObject({ code })
    })
  }

  test('that is an error is thrown, with the stack of the call', async () => {
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(400, { 'x-flash-result': 'error', 'content-type': 'application/json' })
        exchange.chunk('{"code":"SOLD_OUT","message":"none left","hint":"wait","data":[1]}')
        exchange.endBody()
      },
      'GET',
      '/',
    )
    const error = await route().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ code: 'SOLD_OUT', message: 'none left', hint: 'wait', data: [1] })
    expect((error as Error).stack!.split('\n')[1]).toContain('route.test.ts')
  })

  test('of the author is the Response itself', async () => {
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(418, { ...own, 'x-mine': 'yes', 'content-type': 'text/plain' })
        exchange.chunk('tea')
        exchange.chunk('pot')
        exchange.endBody()
      },
      'GET',
      '/',
    )
    const response = await route()
    expect(response).toBeInstanceOf(Response)
    expect(response).toMatchObject({ status: 418, ok: false })
    expect(response.headers.get('x-mine')).toBe('yes')
    expect(response.headers.has('x-flash-result')).toBe(false)
    expect(await response.text()).toBe('teapot')
  })

  test('without a body is one too', async () => {
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(304, { ...own, etag: 'x' })
        exchange.endBody()
      },
      'GET',
      '/',
    )
    const response = await route()
    expect(response).toMatchObject({ status: 304, body: null })
    expect([...response.headers]).toEqual([['etag', 'x']])
  })

  for (const status of [200, 401]) {
    test(`of something else than a worker is TRANSPORT, and let go: ${status}`, async () => {
      const cancel = vi.fn()
      const send = async () => new Response(new ReadableStream({ cancel }), { status })
      await expect(createRoute({ send, method: 'GET', path: '/' })()).rejects.toMatchObject({
        name: 'RemoteError',
        code: 'TRANSPORT',
        hint: expect.stringContaining('a sign-in page'),
        data: { status },
      })
      expect(cancel).toHaveBeenCalledOnce()
    })
  }

  for (const [what, kind, text] of [
    ['is no JSON', 'data', '{'],
    ['is of an unknown kind', 'future', '1'],
    ['is an error that is none', 'error', '"x"'],
  ] as const) {
    test(`that ${what} is BAD_RESULT`, async () => {
      const route = await routeOf(
        async (exchange) => {
          await exchange.head(200, { 'x-flash-result': kind })
          exchange.chunk(text)
          exchange.endBody()
        },
        'GET',
        '/',
      )
      await expect(route()).rejects.toMatchObject({ code: 'BAD_RESULT' })
    })
  }

  for (const [what, text] of [
    ['status', '{"status":99,"headers":[]}'],
    ['header', '{"status":200,"headers":[["a b","c"]]}'],
    ['JSON', '{'],
  ]) {
    test(`with a head that has no ${what} is BAD_RESULT`, async () => {
      const route = await routeOf(
        (exchange) => {
          const bytes = new TextEncoder().encode(text)
          exchange.write(new Uint8Array([10, 0, 0, 0, 0, 0, 0, 0, bytes.length, ...bytes]))
          exchange.endBody()
        },
        'GET',
        '/',
      )
      await expect(route()).rejects.toMatchObject({ code: 'BAD_RESULT' })
    })
  }

  test('that has no head is BAD_RESULT', async () => {
    const route = await routeOf((exchange) => exchange.endBody(), 'GET', '/')
    await expect(route()).rejects.toMatchObject({ code: 'BAD_RESULT' })
  })

  test('may be interrupted by keep-alives and by what a newer server says', async () => {
    const route = await routeOf(
      async (exchange) => {
        await exchange.say('ping')
        await exchange.head(200, { 'x-flash-result': 'data' })
        await exchange.say('log', { stream: 'stdout', text: 'x' })
        await exchange.say('chunk')
        exchange.chunk('')
        exchange.chunk('7')
        await exchange.say('ping')
        exchange.endBody()
      },
      'GET',
      '/',
    )
    expect(await route()).toBe(7)
  })
})

describe('a failure', () => {
  test('before the call is accepted has the code of the problem', async () => {
    const route = await routeOf(
      (exchange) => exchange.refuse(409, { code: 'SKEW', message: 'reload', hint: 'now' }),
      'GET',
      '/',
    )
    const error = await route().catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ code: 'SKEW', message: 'reload', hint: 'now' })
  })

  test('of something else that answers is TRANSPORT', async () => {
    const route = await routeOf((exchange) => exchange.foreign(200, '<html>'), 'GET', '/')
    await expect(route()).rejects.toMatchObject({ code: 'TRANSPORT' })
  })

  test('that nobody listens is TRANSPORT', async () => {
    const route = await routeOf(() => {}, 'GET', '/')
    await server!.close()
    server = undefined
    await expect(route()).rejects.toMatchObject({ code: 'TRANSPORT' })
  })

  const head = { 'x-flash-result': 'data' }
  for (const [when, script] of [
    ['before there was an answer', (exchange) => exchange.cut()],
    [
      'before its head',
      async (exchange) => {
        await exchange.say('ping')
        setTimeout(exchange.cut, 20)
      },
    ],
    [
      'in its body',
      async (exchange) => {
        await exchange.head(200, head)
        exchange.chunk('[1,')
        setTimeout(exchange.cut, 20)
      },
    ],
    [
      'without its end',
      async (exchange) => {
        await exchange.head(200, head)
        exchange.chunk('[1]')
        await exchange.end()
      },
    ],
  ] as [string, Script][]) {
    test(`of the connection ${when} is CONNECTION_LOST`, async () => {
      const route = await routeOf(script, 'GET', '/')
      const error = await route().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject({ code: 'CONNECTION_LOST' })
    })
  }

  test('after the call was accepted is the error that the server says', async () => {
    const route = await routeOf(
      async (exchange, count) => {
        if (count === 2) {
          await exchange.head(200, head)
          exchange.chunk('[1,')
        }
        await exchange.fail({
          name: 'RemoteError',
          code: 'NO_WORKERS',
          message: 'nobody there',
          hint: 'wait',
        })
      },
      'GET',
      '/',
    )
    for (let time = 0; time < 2; time++)
      await expect(route()).rejects.toMatchObject({ code: 'NO_WORKERS', hint: 'wait' })
  })

  test('of bytes that are no frames is BAD_FRAMES', async () => {
    const route = await routeOf(
      (exchange) => {
        exchange.write(new Uint8Array(9).fill(255))
        exchange.response.end()
      },
      'GET',
      '/',
    )
    await expect(route()).rejects.toMatchObject({ name: 'RemoteError', code: 'BAD_FRAMES' })
  })
})

describe('a signal', () => {
  const reason = { mine: true }

  test('that is aborted already sends nothing', async () => {
    const route = await routeOf(echoEnvelope, 'GET', '/')
    await expect(route({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(server!.exchanges).toHaveLength(0)
  })

  for (const [when, begin] of [
    ['before the answer', () => {}],
    ['after it was accepted', (exchange) => exchange.say('ping')],
    [
      'while data comes',
      async (exchange) => {
        await exchange.head(200, { 'x-flash-result': 'data' })
        exchange.chunk('[1')
      },
    ],
  ] as [string, (exchange: Exchange) => unknown][]) {
    test(`ends the request ${when}, and the call has its reason`, async () => {
      const abort = new AbortController()
      let gone: Promise<void> | undefined
      const route = await routeOf(
        async (exchange) => {
          await begin(exchange)
          gone = exchange.gone
          setTimeout(() => abort.abort(reason), 20)
        },
        'GET',
        '/',
      )
      await expect(route({ signal: abort.signal })).rejects.toBe(reason)
      await gone
    })
  }

  test('ends items', async () => {
    const abort = new AbortController()
    let gone: Promise<void> | undefined
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(200, { 'x-flash-result': 'items' })
        exchange.chunk('data: 1\n\n')
        gone = exchange.gone
      },
      'GET',
      '/',
    )
    const items = await route({ signal: abort.signal })
    expect((await items.next()).value).toBe(1)
    const next = items.next()
    abort.abort(reason)
    await expect(next).rejects.toBe(reason)
    await gone
  })

  test('ends the body of a Response that is being read', async () => {
    const abort = new AbortController()
    let gone: Promise<void> | undefined
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(200, own)
        exchange.chunk('begin')
        gone = exchange.gone
      },
      'GET',
      '/',
    )
    const response: Response = await route({ signal: abort.signal })
    const reader = response.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('begin')
    const next = reader.read()
    abort.abort(reason)
    await expect(next).rejects.toBe(reason)
    await gone
  })
})

describe('what nobody wants any more', () => {
  test('is ended by leaving the loop of items, also while one is waited for', async () => {
    let gone: Promise<void> | undefined
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(200, { 'x-flash-result': 'items' })
        exchange.chunk('data: 1\n\n')
        gone = exchange.gone
      },
      'GET',
      '/',
    )
    const items = await route()
    await items.next()
    const pending = items.next()
    expect(await items.return('x')).toEqual({ done: true, value: 'x' })
    expect(await pending).toEqual({ done: true, value: undefined })
    await gone
  })

  test('is ended by cancelling the body of a Response', async () => {
    let gone: Promise<void> | undefined
    const route = await routeOf(
      async (exchange) => {
        await exchange.head(200, own)
        exchange.chunk('begin')
        gone = exchange.gone
      },
      'GET',
      '/',
    )
    const response: Response = await route()
    await response.body!.cancel()
    await gone
  })
})

describe('timeoutMs', () => {
  async function clocked(script: Script) {
    server = await startScriptedServer(script)
    const clock = createTestClock()
    const send = createFrameSend({ ref, post: postTo(`${server.url}/_flash`), clock })
    return { clock, route: createRoute({ send, method: 'GET', path: '/', clock }) }
  }

  test('ends a call that has no answer in time', async () => {
    const { clock, route } = await clocked(() => {})
    const call = route({ timeoutMs: 5_000 })
    await vi.waitFor(() => expect(server!.exchanges).toHaveLength(1))
    const exchange = server!.exchanges[0]!
    expect(exchange.value.timeoutMs).toBe(5_000)
    clock.advance(4_999)
    clock.advance(1)
    const error = await call.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ code: 'TIMEOUT' })
    await exchange.gone
  })

  test('is met by the head of items', async () => {
    let finish = () => {}
    const { clock, route } = await clocked(async (exchange) => {
      await exchange.head(200, { 'x-flash-result': 'items' })
      exchange.chunk('data: 1\n\n')
      finish = () => {
        exchange.chunk('data: 2\n\n')
        exchange.endBody()
      }
    })
    const items = await route({ timeoutMs: 5_000 })
    expect(await items.next()).toEqual({ done: false, value: 1 })
    const rest = items.next()
    clock.advance(60_000)
    finish()
    expect(await rest).toEqual({ done: false, value: 2 })
    expect(await items.next()).toMatchObject({ done: true })
  })

  test('is met by the head of a Response', async () => {
    let finish = () => {}
    const { clock, route } = await clocked(async (exchange) => {
      await exchange.head(200, own)
      finish = () => {
        exchange.chunk('late')
        exchange.endBody()
      }
    })
    const response = await route({ timeoutMs: 5_000 })
    clock.advance(60_000)
    finish()
    expect(await response.text()).toBe('late')
  })
})

test('what the caller of a call hands down applies to it, and an answer that comes too late is let go', async () => {
  const abort = new AbortController()
  const cancel = vi.fn()
  let answer: ((response: Response) => void) | undefined
  const route = createRoute({
    method: 'GET',
    path: '/',
    inherit: (options) => ({ ...options, signal: abort.signal }),
    // Does not listen to the signal.
    send: () => new Promise((resolve) => (answer = resolve)),
  })
  const call = route()
  await vi.waitFor(() => expect(answer).toBeDefined())
  abort.abort('over')
  await expect(call).rejects.toBe('over')
  answer!(new Response(new ReadableStream({ cancel })))
  await vi.waitFor(() => expect(cancel).toHaveBeenCalledOnce())
})

test('a body is pulled: what nobody reads stays on the wire', async () => {
  const head = await frame('head', { status: 200, headers: Object.entries(own) })
  let pulls = 0
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulls++
      controller.enqueue(pulls === 1 ? head : chunk(`piece ${pulls}`))
    },
  })
  const post: Post = async () => new Response(body, { headers: { 'x-flash': '1' } })
  const route = createRoute({ send: createFrameSend({ ref, post }), method: 'GET', path: '/' })
  const response: Response = await route()
  // The head, and the one piece that streams keep at hand.
  await vi.waitFor(() => expect(pulls).toBe(2))
  const reader = response.body!.getReader()
  for (const expected of [2, 3, 4])
    expect(new TextDecoder().decode((await reader.read()).value)).toBe(`piece ${expected}`)
  expect(pulls).toBe(5)
})
