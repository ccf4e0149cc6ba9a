import { request } from 'node:http'
import { Readable } from 'node:stream'
import { AppError, RemoteError } from '@flash/protocol'
import { currentCaller } from '@flash/runtime/server'
import * as v from 'valibot'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contextStorage } from '../execute/context.ts'
import { createDeferred } from '../local/session.ts'
import { createEndpoint, type TestEndpoint } from './testing.ts'

let endpoint: TestEndpoint
beforeEach(async () => (endpoint = await createEndpoint()))
afterEach(() => endpoint.close())

const ask = (path: string, init?: RequestInit) => fetch(endpoint.url + path, init)
const form = (fields: Record<string, string | Blob | string[]>) => {
  const body = new FormData()
  for (const [name, value] of Object.entries(fields))
    for (const one of [value].flat()) body.append(name, one as string)
  return body
}
const told = async (response: Response) => ({
  status: response.status,
  result: response.headers.get('x-flash-result'),
  ...((await response.json()) as object),
})

describe('routing', () => {
  test('by method and path; the path that says more comes first', async () => {
    endpoint.route('GET', '/items/**:rest', ({ params }: any) => ['rest', params])
    endpoint.route('GET', '/items/:id', ({ params }: any) => ['id', params])
    endpoint.route('GET', '/items/new', () => 'new')
    endpoint.route('PUT', '/items/:id', () => 'put')
    const bodies = ['/items/new', '/items/a%20b', '/items/a/b%2Fc', '/items'].map(async (path) =>
      (await ask(path)).json(),
    )
    expect(await Promise.all(bodies)).toEqual([
      'new',
      ['id', { id: 'a b' }],
      ['rest', { rest: 'a/b/c' }],
      ['rest', { rest: '' }],
    ])
    expect(await (await ask('/items/new', { method: 'PUT' })).json()).toBe('put')
  })

  test('nothing at a path is 404, another method 405 with those that there are', async () => {
    endpoint.route('GET', '/items', () => 'all')
    endpoint.route('POST', '/items', () => 'made')
    expect(await told(await ask('/other'))).toMatchObject({ status: 404, result: 'error', code: 'NOT_FOUND' })
    const refused = await ask('/items', { method: 'DELETE' })
    expect(refused.headers.get('allow')).toBe('GET, HEAD, OPTIONS, POST')
    expect(await told(refused)).toMatchObject({ status: 405, code: 'METHOD_NOT_ALLOWED' })
  })

  describe('a path that could lead elsewhere is 400, whoever answers there', () => {
    const raw = (path: string, headers: Record<string, string> = {}) =>
      new Promise<{ status: number; code?: string; id?: string }>((resolve, reject) => {
        const sent = request(endpoint.url, { path, headers }, async (answer) => {
          let text = ''
          for await (const chunk of answer) text += chunk
          resolve({ status: answer.statusCode!, ...JSON.parse(text) })
        })
        sent.once('error', reject).end()
      })
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket' }

    for (const path of [
      '/items/..%2f..%2fping',
      '/items/%00',
      '/items/a\\b',
      '/a/../items/1',
      '/items/%2e%2e',
      '/%',
    ]) {
      test(path, async () => {
        endpoint.route('GET', '/items/:id', ({ params }: any) => params)
        endpoint.route('WS', '/items/:id', {})
        const refused = { status: 400, code: 'BAD_PATH' }
        expect(await raw(path)).toMatchObject(refused)
        expect(await raw(path, upgrade)).toMatchObject(refused)
        endpoint.web(() => ({ fetch: () => Response.json({}) }))
        expect(await raw(path)).toMatchObject(refused)
      })
    }

    test('and others are as they were', async () => {
      endpoint.route('GET', '/items/:id', ({ params }: any) => params)
      expect(await raw('/items/a%2Fb?to=/../x%00')).toEqual({ status: 200, id: 'a/b' })
      expect(await raw('/items/.b..')).toEqual({ status: 200, id: '.b..' })
      expect(await raw('/items/%ff')).toMatchObject({ status: 404, code: 'NOT_FOUND' })
    })
  })

  test('HEAD is answered by GET, OPTIONS by the methods, unless they have routes', async () => {
    endpoint.route('GET', '/a', () => 'body')
    const head = await ask('/a', { method: 'HEAD' })
    expect([head.status, head.headers.get('content-type'), await head.text()]).toEqual([
      200,
      'application/json',
      '',
    ])
    const options = await ask('/a', { method: 'OPTIONS' })
    expect([options.status, options.headers.get('allow')]).toEqual([204, 'GET, HEAD, OPTIONS'])
    endpoint.route('OPTIONS', '/a', () => new Response('mine'))
    endpoint.route('HEAD', '/a', () => new Response(null, { status: 202 }))
    expect(await (await ask('/a', { method: 'OPTIONS' })).text()).toBe('mine')
    expect((await ask('/a', { method: 'HEAD' })).status).toBe(202)
  })

  test('a plain request to a WebSocket needs an upgrade', async () => {
    endpoint.route('WS', '/live', {})
    expect(await told(await ask('/live'))).toMatchObject({ status: 426, code: 'UPGRADE_REQUIRED' })
  })
})

describe('values', () => {
  const seen = ({ params, query, body }: any) => ({ params, query, body })

  test('text becomes what a schema of zod names, defaults included', async () => {
    endpoint.route('GET', '/items/:id', seen, {
      params: z.object({ id: z.number().int() }),
      query: z.object({ page: z.number().default(1), all: z.boolean().optional(), tag: z.array(z.string()) }),
    })
    expect(await (await ask('/items/7?all=1&tag=a')).json()).toEqual({
      params: { id: 7 },
      query: { page: 1, all: true, tag: ['a'] },
    })
  })

  test('what does not fit is 422 naming the field, and all others', async () => {
    endpoint.route('POST', '/items/:id', seen, {
      query: z.object({ page: z.number(), size: z.number() }),
      body: z.object({ items: z.array(z.object({ name: z.string() })) }),
    })
    const refused = await told(await ask('/items/1?page=x&size=y', { method: 'POST' }))
    expect(refused).toMatchObject({
      status: 422,
      result: 'error',
      code: 'BAD_INPUT',
      message: expect.stringMatching(/^query\.page: .*; query\.size: /),
      data: {
        field: 'query.page',
        issues: [
          { path: 'query.page', message: expect.any(String) },
          { path: 'query.size', message: expect.any(String) },
        ],
      },
    })
    const body = JSON.stringify({ items: [{ name: 5 }] })
    const headers = { 'content-type': 'application/json' }
    const other = await told(await ask('/items/1?page=1&size=2', { method: 'POST', body, headers }))
    expect(other).toMatchObject({ status: 422, data: { field: 'body.items.0.name' } })
    const missing = await told(await ask('/items/1?page=1&size=2', { method: 'POST' }))
    expect(missing).toMatchObject({ status: 422, data: { field: 'body' } })
  })

  test('without a schema they are texts, and lists where a name comes again', async () => {
    endpoint.route('GET', '/items/:id', seen)
    expect(await (await ask('/items/7?a=1&b=x&b=y&b=z')).json()).toEqual({
      params: { id: '7' },
      query: { a: '1', b: ['x', 'y', 'z'] },
    })
  })

  test('a schema that does not tell its JSON Schema gets text, and is named once', async () => {
    const page = v.object({ page: v.pipe(v.string(), v.transform(Number)) })
    endpoint.route('GET', '/items', seen, { query: page, params: v.object({}) })
    expect(await (await ask('/items?page=2')).json()).toMatchObject({ query: { page: 2 } })
    await ask('/items?page=3')
    expect(endpoint.written.stderr).toMatch(
      /^SCHEMA_NOT_COERCED: the schema of "query" of GET \/items does not tell[^\n]*\n {2}[^\n]*\n$/,
    )
    endpoint.route('GET', '/strict', seen, { query: v.object({ page: v.number() }) })
    expect(await told(await ask('/strict?page=2'))).toMatchObject({
      status: 422,
      data: { field: 'query.page' },
    })
  })

  test('what is no schema is the fault of the route', async () => {
    endpoint.route('GET', '/items', seen, { query: {} })
    expect(await told(await ask('/items'))).toMatchObject({ status: 500, code: 'BAD_CONFIG' })
  })
})

describe('bodies', () => {
  const post = (path: string, body: BodyInit | undefined, type?: string) =>
    ask(path, {
      method: 'POST',
      body,
      headers: type ? { 'content-type': type } : {},
      duplex: 'half',
    } as object)

  test('JSON, text, and forms are parsed; what is empty is nothing', async () => {
    endpoint.route('POST', '/', ({ body }: any) => [
      body instanceof FormData ? Array.from(body.entries()) : (body ?? 'nothing'),
    ])
    const bodies = [
      post('/', '{"a":[1]}', 'application/json; charset=utf-8'),
      post('/', '{"a":1}', 'application/vnd.api+json'),
      post('/', 'hello', 'text/plain'),
      post(
        '/',
        new URLSearchParams([
          ['a', '1'],
          ['a', '2'],
        ]),
      ),
      post('/', '', 'application/json'),
      post('/', undefined),
      post('/', 'raw', 'application/octet-stream'),
    ].map(async (sent) => ((await (await sent).json()) as unknown[])[0])
    expect(await Promise.all(bodies)).toEqual([
      { a: [1] },
      { a: 1 },
      'hello',
      [
        ['a', '1'],
        ['a', '2'],
      ],
      'nothing',
      'nothing',
      'nothing',
    ])
  })

  test('a handler may read the request itself, whatever was read for it', async () => {
    endpoint.route('POST', '/', async ({ request, body }: any) => [await request.text(), body ?? null])
    expect(await (await post('/', '{"a": 1}', 'application/json')).json()).toEqual(['{"a": 1}', { a: 1 }])
    expect(await (await post('/', 'raw', 'application/octet-stream')).json()).toEqual(['raw', null])
  })

  test('what a handler looks at is its own to take apart, and the same each time', async () => {
    endpoint.route('POST', '/', async (input: any) => {
      const { params: _params, query: _query, body: _body, ...rest } = { ...input }
      const { request, headers } = input
      const isSame = rest.request === request && rest.headers === headers
      return [Object.keys(rest), isSame, headers.get('content-type'), request.method, await request.json()]
    })
    const names = ['state', 'headers', 'request']
    const wanted = [names, true, 'application/json', 'POST', { a: 1 }]
    expect(await (await post('/', '\uFEFF{"a": 1}', 'application/json')).json()).toEqual(wanted)
  })

  test('a request that is looked at when all is over has no body any more', async () => {
    let input: any
    endpoint.route('POST', '/', (given: any) => void (input = given))
    expect((await post('/', 'x'.repeat(1_000_000), 'a/b')).status).toBe(204)
    await ask('/')
    await expect(input.request.text()).rejects.toThrow('the request is answered')
  })

  test('a client that left before a handler looks at its body', async () => {
    const leave = new AbortController()
    const read = new Promise<unknown>((resolve) => {
      endpoint.route('POST', '/', async (input: any) => {
        const { signal } = contextStorage().getStore()!
        const gone = new Promise((resolve) => signal.addEventListener('abort', resolve))
        leave.abort()
        await gone
        resolve(await input.request.text().catch((error: unknown) => error))
      })
    })
    const body = new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(10)) })
    const init = { method: 'POST', body, duplex: 'half', signal: leave.signal }
    await expect(ask('/', init as RequestInit)).rejects.toThrow()
    expect(await read).toBeInstanceOf(Error)
  })

  test('forms are objects to a schema: repeated fields are lists, files stay files', async () => {
    const schema = z.object({
      n: z.number(),
      tags: z.array(z.string()),
      one: z.array(z.number()),
      file: z.file().optional(),
      on: z.boolean(),
    })
    const handler = async ({ body: { file, ...rest } }: any) => ({
      ...rest,
      file: file && [file.name, await file.text()],
    })
    endpoint.route('POST', '/', handler, { body: schema })
    const file = new File(['content'], 'a.txt')
    const sent = form({ n: '5', tags: ['a', 'b'], one: '1', on: 'true', file })
    expect(await (await post('/', sent)).json()).toEqual({
      n: 5,
      tags: ['a', 'b'],
      one: [1],
      on: true,
      file: ['a.txt', 'content'],
    })
    const fields = new URLSearchParams('n=5&tags=a&one=x&on=0')
    expect(await told(await post('/', fields))).toMatchObject({ status: 422, data: { field: 'body.one.0' } })
  })

  test('multipart without a schema is left to the request', async () => {
    endpoint.route('POST', '/', async ({ request, body }: any) => {
      const { file } = Object.fromEntries(await request.formData())
      return [body ?? null, file.name, file.size]
    })
    expect(await (await post('/', form({ file: new File(['abc'], 'b.bin') }))).json()).toEqual([
      null,
      'b.bin',
      3,
    ])
  })

  test('what is not of its type is 400', async () => {
    endpoint.route('POST', '/', () => 1, { body: z.any() })
    for (const [type, message] of [
      ['application/json', 'the body is not JSON'],
      ['multipart/form-data; boundary=x', 'the body is no form of its content type'],
    ])
      expect(await told(await post('/', '{', type))).toMatchObject({
        status: 400,
        code: 'BAD_REQUEST',
        message,
      })
  })

  test('text of any kind where a schema wants it', async () => {
    endpoint.route('POST', '/', ({ body }: any) => body, { body: z.string() })
    expect(await (await post('/', 'a,b', 'text/csv')).json()).toBe('a,b')
    expect(await told(await post('/', 'a', 'image/png'))).toMatchObject({ status: 422 })
  })

  test('text is read by its charset, and one that nobody knows is 415', async () => {
    endpoint.route('POST', '/', ({ body }: any) => body)
    endpoint.route('POST', '/csv', ({ body }: any) => body, { body: z.string() })
    const [latin, wide] = [Buffer.from('caf\u00e9', 'latin1'), Buffer.from('\ufeffcaf\u00e9', 'utf16le')]
    for (const [path, body, type] of [
      ['/', 'caf\u00e9', 'text/plain'],
      ['/', 'caf\u00e9', 'text/plain; charset="UTF-8"'],
      ['/', latin, 'text/plain;charset=latin1'],
      ['/', latin, 'text/plain; format=flowed; Charset="ISO-8859-1"'],
      ['/csv', wide, 'text/csv; charset=utf-16le'],
    ] as const)
      expect([type, await (await post(path, body, type)).json()]).toEqual([type, 'caf\u00e9'])
    expect(await told(await post('/', 'x', 'text/plain; charset=klingon'))).toMatchObject({
      status: 415,
      code: 'UNSUPPORTED_TYPE',
      message: 'the body has the charset "klingon", which is not known here',
      hint: expect.stringContaining('utf-8'),
    })
  })

  test('a body over the limit is 413, however it is read', async () => {
    const small = await createEndpoint({}, { maxBodyBytes: 10 })
    try {
      small.route('POST', '/json', ({ body }: any) => body)
      small.route('POST', '/raw', async ({ request }: any) => (await request.text()).length)
      for (const [path, type] of [
        ['/json', 'application/json'],
        ['/raw', 'a/b'],
      ])
        for (const body of ['x'.repeat(20), new Blob(['x'.repeat(8), 'y'.repeat(8)]).stream()]) {
          const init = { method: 'POST', body, headers: { 'content-type': type }, duplex: 'half' }
          const refused = await told(await fetch(small.url + path, init as object))
          expect(refused).toMatchObject({ status: 413, result: 'error', code: 'PAYLOAD_TOO_LARGE' })
        }
    } finally {
      await small.close()
    }
  })

  test('an upload of any size waits for a handler that reads it as it comes', async () => {
    await endpoint.close()
    endpoint = await createEndpoint({}, { maxBodyBytes: Number.POSITIVE_INFINITY })
    const [begun, go] = [createDeferred<void>(), createDeferred<void>()]
    endpoint.route('POST', '/upload', async ({ request }: any) => {
      let bytes = 0
      for await (const chunk of request.body) {
        if (bytes === 0) begun.resolve()
        bytes += chunk.length
        await go.promise
      }
      return bytes
    })
    const piece = new Uint8Array(100_000)
    let sent = 0
    const pull = (controller: ReadableStreamDefaultController) =>
      sent++ < 500 ? controller.enqueue(piece) : controller.close()
    const answer = post('/upload', new ReadableStream({ pull }), 'a/b')
    await begun.promise
    await new Promise((resolve) => setTimeout(resolve, 200))
    expect(sent).toBeLessThan(250)
    go.resolve()
    expect(await (await answer).json()).toBe(50_000_000)
  })
})

describe('results', () => {
  test('data is JSON, nothing is 204', async () => {
    endpoint.route('GET', '/data', () => ({ at: new Date(0), gone: undefined }))
    endpoint.route('GET', '/null', () => null)
    endpoint.route('GET', '/nothing', () => {})
    const data = await ask('/data')
    expect([data.status, data.headers.get('x-flash-result'), data.headers.get('content-type')]).toEqual([
      200,
      'data',
      'application/json',
    ])
    expect(await data.json()).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    expect(await (await ask('/null')).text()).toBe('null')
    const nothing = await ask('/nothing')
    expect([nothing.status, nothing.headers.get('x-flash-result'), await nothing.text()]).toEqual([
      204,
      'data',
      '',
    ])
  })

  test('a Response is given as it is, bytes, blobs and streams are the body', async () => {
    endpoint.route('GET', '/response', () => new Response('mine', { status: 418, headers: { 'x-a': '1' } }))
    endpoint.route('GET', '/bytes', () => new Uint8Array([1, 2]))
    endpoint.route('GET', '/buffer', () => new Uint8Array([3]).buffer)
    endpoint.route('GET', '/blob', () => new Blob(['b'], { type: 'image/png' }))
    endpoint.route('GET', '/stream', () => new Blob(['streamed']).stream())
    endpoint.route('GET', '/node', () => Readable.from([Buffer.from('of '), Buffer.from('node')]))
    const mine = await ask('/response')
    expect([
      mine.status,
      mine.headers.get('x-a'),
      mine.headers.get('x-flash-result'),
      await mine.text(),
    ]).toEqual([418, '1', 'response', 'mine'])
    const raw = ['/bytes', '/buffer', '/blob', '/stream', '/node'].map(async (path) => {
      const response = await ask(path)
      return [
        response.headers.get('content-type'),
        response.headers.get('x-flash-result'),
        await response.text(),
      ]
    })
    expect(await Promise.all(raw)).toEqual([
      ['application/octet-stream', 'response', '\x01\x02'],
      ['application/octet-stream', 'response', '\x03'],
      ['image/png', 'response', 'b'],
      ['application/octet-stream', 'response', 'streamed'],
      ['application/octet-stream', 'response', 'of node'],
    ])
  })

  test('an iterable is server-sent events, made as they are read, its error the last one', async () => {
    const closed = vi.fn()
    endpoint.route('GET', '/items', async function* () {
      yield { n: 1 }
      yield undefined
      throw new RemoteError('FULL', 'no more', { data: { n: 3 } })
    })
    endpoint.route('GET', '/endless', function* () {
      try {
        for (let n = 0; ; n++) yield n
      } finally {
        closed()
      }
    })
    const items = await ask('/items')
    expect([items.headers.get('content-type'), items.headers.get('x-flash-result')]).toEqual([
      'text/event-stream',
      'items',
    ])
    expect(await items.text()).toBe(
      'data: {"n":1}\n\ndata: null\n\nevent: error\ndata: {"code":"FULL","message":"no more","data":{"n":3}}\n\n',
    )
    const endless = await ask('/endless')
    await endless.body!.cancel()
    await vi.waitFor(() => expect(closed).toHaveBeenCalledTimes(1))
    expect(endpoint.written.stderr).toBe('')
  })

  test('a schema checks data, and each item', async () => {
    const options = { response: z.object({ n: z.number() }) }
    endpoint.route('GET', '/good', () => ({ n: 1, secret: 2 }), options)
    endpoint.route('GET', '/bad', () => ({ n: 'x' }), options)
    const left = vi.fn()
    endpoint.route(
      'GET',
      '/items',
      async function* () {
        try {
          yield { n: 1, secret: 2 }
          yield { n: 'x' }
        } finally {
          left()
        }
      },
      options,
    )
    expect(await (await ask('/good')).json()).toEqual({ n: 1 })
    expect(await told(await ask('/bad'))).toMatchObject({ status: 500, code: 'OUTPUT_INVALID' })
    expect(await (await ask('/items')).text()).toMatch(
      /^data: \{"n":1\}\n\nevent: error\ndata: \{"code":"OUTPUT_INVALID"/,
    )
    await vi.waitFor(() => expect(left).toHaveBeenCalledTimes(1))
    expect(endpoint.written.stderr.match(/OUTPUT_INVALID/g)).toHaveLength(2)
  })

  test('what JSON cannot say is told', async () => {
    endpoint.route('GET', '/map', () => ({ a: new Map() }))
    expect(await told(await ask('/map'))).toMatchObject({
      status: 500,
      code: 'OUTPUT_NOT_JSON',
      message: expect.stringContaining('result.a is a Map'),
      hint: 'return plain data: an array or object for a map or set, text for a bigint or an error',
    })
  })

  test('every key is data, as JSON.stringify has it', async () => {
    endpoint.route('GET', '/q', ({ query }: any) => query)
    endpoint.route('POST', '/b', ({ body }: any) => ({ body, at: new Date(0) }))
    const query = await ask('/q?__proto__=1&constructor=2&prototype=3')
    expect(await query.text()).toBe('{"__proto__":"1","constructor":"2","prototype":"3"}')
    const body = '{"__proto__":{"isAdmin":true},"constructor":[null]}'
    const init = { method: 'POST', body, headers: { 'content-type': 'application/json' } }
    expect(await (await ask('/b', init)).text()).toBe(`{"body":${body},"at":"1970-01-01T00:00:00.000Z"}`)
    expect(({} as { isAdmin?: unknown }).isAdmin).toBeUndefined()
  })
})

describe('errors', () => {
  const throwing = (error: unknown) => {
    endpoint.route('GET', '/', () => {
      throw error
    })
    return ask('/').then(told)
  }

  test("the author's own are told whole, with 400", async () => {
    const error = new RemoteError('TOO_DARK', 'no light', { hint: 'add some', data: { lux: 1 } })
    expect(await throwing(error)).toEqual({
      status: 400,
      result: 'error',
      code: 'TOO_DARK',
      message: 'no light',
      hint: 'add some',
      data: { lux: 1 },
    })
    expect(endpoint.written.stderr).toBe('')
  })

  test('of another copy of the product too', async () => {
    class RemoteError extends Error {
      code = 'MINE'
    }
    class Special extends RemoteError {}
    expect(await throwing(new Special('other copy'))).toMatchObject({ status: 400, code: 'MINE' })
  })

  test("the product's have their own status", async () => {
    expect(await throwing(new AppError('NOT_FOUND', { message: 'no such user' }))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
    })
    expect(await throwing(new RemoteError('TIMEOUT', 'of another call'))).toMatchObject({ status: 504 })
  })

  for (const [what, error] of [
    ['an error', new RangeError('a secret')],
    ['one with a code', Object.assign(new Error('a secret'), { code: 'ENOENT' })],
    ['what is no error', 'a secret'],
  ] as const) {
    test(`${what} is 500 without its words; the log has them`, async () => {
      const { message, ...rest } = (await throwing(error)) as Record<string, unknown>
      expect(rest).toEqual({ status: 500, result: 'error', code: 'INTERNAL' })
      const [, id] = /^the handler failed at (request [\da-f-]{36}); the log where it runs says why$/.exec(
        String(message),
      )!
      expect(endpoint.written.stderr).toContain(id)
      expect(endpoint.written.stderr).toContain('a secret')
    })
  }

  test('a handler that is none', async () => {
    endpoint.route('GET', '/', 'text')
    expect(await told(await ask('/'))).toMatchObject({ status: 500, code: 'BAD_ROUTE' })
  })
})

describe('the context', () => {
  test('belongs to the request, also in what makes its body', async () => {
    const here = () => {
      const { jobId, endpoint, idempotencyKey, attempt, deadline } = contextStorage().getStore()!
      return { jobId, endpoint, idempotencyKey, attempt, deadline }
    }
    endpoint.route('GET', '/items', async function* () {
      yield here()
      await new Promise(setImmediate)
      yield here()
    })
    endpoint.route('GET', '/stream', () => {
      const pull = (controller: ReadableStreamDefaultController) => {
        controller.enqueue(new TextEncoder().encode(JSON.stringify(here())))
        controller.close()
      }
      return new ReadableStream({ pull })
    })
    const headers = { 'idempotency-key': 'k' }
    const items = (await (await ask('/items', { headers })).text()).match(/\{.*\}/g)!
    expect(items[0]).toBe(items[1])
    const expected = {
      jobId: expect.any(String),
      endpoint: 'shop',
      idempotencyKey: 'k',
      attempt: 1,
      deadline: expect.any(Number),
    }
    expect(JSON.parse(items[0]!)).toEqual(expected)
    expect(await (await ask('/stream', { headers })).json()).toEqual(expected)
  })

  test('knows how many calls led to it, and until when its answer is of use', async () => {
    endpoint.route('GET', '/', () => {
      const { deadline, hops } = currentCaller()!
      return [deadline, hops]
    })
    const given = async (headers: Record<string, string>) => (await ask('/', { headers })).json()
    const soon = Date.now() + 60_000
    expect(await given({ 'x-flash-hops': '3', 'x-flash-deadline': `${soon}` })).toEqual([soon, 3])
    const own = [expect.any(Number), 0]
    expect(await given({})).toEqual(own)
    expect(await given({ 'x-flash-hops': '-1', 'x-flash-deadline': 'soon' })).toEqual(own)
  })

  test('logs, and says what only jobs have', async () => {
    endpoint.route('GET', '/:name', ({ params }: any) => {
      const context = contextStorage().getStore() as any
      context.log('hello', { n: 1 })
      context[params.name]()
    })
    for (const name of ['progress', 'refreshWorker'])
      expect(await told(await ask(`/${name}`))).toMatchObject({
        code: 'NO_CONTEXT',
        message: expect.stringContaining(`getContext().${name}()`),
      })
    expect(endpoint.written.stdout).toBe('hello { n: 1 }\n'.repeat(2))
  })

  test('a client that leaves aborts its signal, and that of the request', async () => {
    let aborted: unknown[] = []
    endpoint.route('GET', '/', ({ request }: any) => {
      const signals = [request.signal, contextStorage().getStore()!.signal]
      return new Promise((_, reject) => {
        for (const signal of signals)
          signal.addEventListener('abort', () => {
            aborted.push(signal.reason.name)
            reject(signal.reason)
          })
        setImmediate(() => leave.abort())
      })
    })
    const leave = new AbortController()
    await expect(ask('/', { signal: leave.signal })).rejects.toThrow()
    await vi.waitFor(() => expect(aborted).toEqual(['AbortError', 'AbortError']))
    expect(endpoint.written.stderr).toBe('')
  })
})
