import { createTestClock, RemoteError } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { byWorker, json, key, networkError, openClient } from './testing/host.ts'

const base = 'https://abc.api.runpod.ai'
const ok = json({ ok: true })

describe('what is sent', () => {
  for (const verb of ['get', 'post', 'put', 'patch', 'delete'] as const)
    test(`${verb}`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [ok])
      expect(await client[verb]('/items')).toEqual({ ok: true })
      expect(requests).toMatchObject([{ method: verb.toUpperCase(), url: `${base}/items`, body: undefined }])
      expect(requests[0]!.headers.authorization).toBe(`Bearer ${key}`)
      expect(requests[0]!.headers).not.toHaveProperty('content-type')
    })

  for (const [what, body, type, sent] of [
    ['data', { a: [1, null] }, 'application/json', { a: [1, null] }],
    ['a number', 7, 'application/json', 7],
    ['null', null, 'application/json', null],
    ['text', 'hello', undefined, 'hello'],
    ['bytes', new TextEncoder().encode('bytes'), undefined, 'bytes'],
    ['a buffer', new TextEncoder().encode('buffer').buffer, undefined, 'buffer'],
    ['a blob', new Blob(['blob']), undefined, 'blob'],
    ['a query', new URLSearchParams({ a: 'b' }), undefined, 'a=b'],
    ['a stream', new Blob(['stream']).stream(), undefined, 'stream'],
  ] as const)
    test(`body: ${what}`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [ok])
      await client.post('/x', { body })
      expect(requests[0]!.body).toEqual(sent)
      expect(requests[0]!.headers['content-type']).toBe(type)
    })

  test('a form travels as one, and a type that is given stays', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [ok])
    const form = new FormData()
    form.set('name', 'x')
    await client.put('/x', { body: form })
    await client.put('/x', {
      body: { a: 1 },
      headers: { 'Content-Type': 'application/vnd.x+json', 'X-Own': '1' },
    })
    expect(requests[0]!.body).toEqual({ name: 'x' })
    expect(requests[1]!.headers).toMatchObject({ 'content-type': 'application/vnd.x+json', 'x-own': '1' })
  })

  test('query: lists repeat, nothing is left out, and the path may have some', async () => {
    const { client, lines } = openClient({ id: 'abc' }, [ok])
    await client.get('/s?a=1', { query: { b: [2, 'x y'], c: undefined, d: null, e: true } })
    await client.get('s', { query: new URLSearchParams('z=1') })
    expect(lines()).toEqual([`GET ${base}/s?a=1&b=2&b=x+y&e=true`, `GET ${base}/s?z=1`])
  })

  for (const [path, url] of [
    ['//evil.test/x', `${base}//evil.test/x`],
    ['@evil.test', `${base}/@evil.test`],
    [':1/x', `${base}/:1/x`],
    ['http://evil.test/x', `${base}/http://evil.test/x`],
    ['/a b#c', `${base}/a%20b`],
  ] as const)
    test(`a path never leaves the endpoint: ${path}`, async () => {
      const { client, lines } = openClient({ id: 'abc' }, [ok])
      await client.get(path)
      expect(lines()).toEqual([`GET ${url}`])
    })

  for (const [what, call, code] of [
    ['`..`', (client: Client) => client.get('/a/%2e%2e/b'), 'BAD_PATH'],
    ['a backslash', (client: Client) => client.get('/\\evil.test'), 'BAD_PATH'],
    ['/ping', (client: Client) => client.get('//ping'), 'RESERVED_PATH'],
    ['/execute', (client: Client) => client.put('/execute', { body: 'x' }), 'RESERVED_PATH'],
    ['a body of GET', (client: Client) => client.get('/x', { body: 1 } as never), 'BAD_REQUEST'],
    [
      'another key',
      (client: Client) => client.get('/x', { headers: { Authorization: 'mine' } }),
      'BAD_REQUEST',
    ],
    ['an unknown option', (client: Client) => client.post('/x', { json: {} } as object), 'BAD_REQUEST'],
    ['another app', (client: Client) => client.get('/x', { headers: { 'X-Flash-App': 'x' } }), 'BAD_REQUEST'],
    ['a cycle', (client: Client) => client.post('/x', { body: cycle() }), 'CANNOT_CARRY'],
    ['a function', (client: Client) => client.post('/x', { body: () => 1 }), 'CANNOT_CARRY'],
    [
      'too much',
      (client: Client) => client.post('/x', { body: new Uint8Array(30_000_001) }),
      'PAYLOAD_TOO_LARGE',
    ],
    ['no time', (client: Client) => client.get('/x', { timeoutMs: 0 }), 'BAD_REQUEST'],
  ] as const)
    test(`nothing is sent: ${what}`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [ok])
      await expect(call(client)).rejects.toMatchObject({ name: 'RemoteError', code })
      expect(requests).toEqual([])
    })
})

type Client = ReturnType<typeof openClient>['client']

function cycle(): object {
  const value: { self?: object } = {}
  value.self = value
  return value
}

describe('what comes back', () => {
  for (const [what, response, data] of [
    ['JSON', json([1]), [1]],
    [
      'JSON of a kind',
      new Response('{"a":1}', { headers: { 'content-type': 'application/problem+json; charset=utf-8' } }),
      { a: 1 },
    ],
    ['text', new Response('hi'), 'hi'],
    ['empty text', new Response(''), ''],
    ['nothing', new Response(null, { status: 204 }), undefined],
    [
      'nothing, with a type',
      new Response('', { headers: { 'content-type': 'application/json' } }),
      undefined,
    ],
    ['nothing at all', new Response(null), undefined],
  ] as const)
    test(`${what}`, async () => {
      const { client } = openClient({ id: 'abc' }, [response])
      expect(await client.get('/x')).toEqual(data)
    })

  for (const type of ['image/png', 'text/event-stream', 'application/octet-stream'])
    test(`${type}: the answer itself, to be read as it comes`, async () => {
      const { client } = openClient({ id: 'abc' }, [
        new Response('data', { headers: { 'content-type': type } }),
      ])
      const response = await client.get<Response>('/x')
      expect(await response.text()).toBe('data')
    })

  test('of HEAD and OPTIONS the answer itself', async () => {
    const { client } = openClient({ id: 'abc' }, [new Response('text', { headers: { allow: 'GET' } })])
    expect((await client.options('/x')).headers.get('allow')).toBe('GET')
    expect((await client.head('/x')).status).toBe(200)
  })

  test('what did not change is nothing, whatever type it has', async () => {
    for (const type of ['application/json', 'text/plain', 'image/png', '']) {
      const unchanged = byWorker(null, { status: 304, headers: { etag: '"v1"', 'content-type': type } })
      const { client, requests } = openClient({ id: 'abc' }, [unchanged])
      const headers = { 'if-none-match': '"v1"' }
      expect(await client.get('/x', { headers })).toBeUndefined()
      const head = await client.head('/x', { headers })
      expect([head.status, head.headers.get('etag')]).toEqual([304, '"v1"'])
      expect(requests).toHaveLength(2)
    }
  })

  test('what is no JSON though it says so is an error', async () => {
    const { client } = openClient({ id: 'abc' }, [
      new Response('<p>', { headers: { 'content-type': 'application/json' } }),
    ])
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'BAD_RESULT' })
  })
})

describe('errors have the status and the text', () => {
  const message = JSON.stringify({ code: 'FULL', message: 'no seats', hint: 'later' })
  for (const [what, response, wanted] of [
    [
      'a route',
      byWorker('no such thing', { status: 404 }),
      { code: 'HTTP_ERROR', data: { status: 404, body: 'no such thing' } },
    ],
    [
      'a code of its own',
      byWorker(message, { status: 409 }),
      { code: 'FULL', message: 'no seats', hint: 'later', data: { status: 409, body: message } },
    ],
    [
      'our worker',
      byWorker('{"code":"INTERNAL","error":"it failed"}', { status: 500 }),
      { code: 'INTERNAL', message: 'it failed' },
    ],
    ['an own 401', byWorker('who?', { status: 401 }), { code: 'HTTP_ERROR' }],
    [
      'a redirect',
      byWorker(null, { status: 302 }),
      { code: 'HTTP_ERROR', message: expect.stringContaining('redirect') },
    ],
    ['the platform, about the key', json({}, 401), { code: 'ACCOUNT_REFUSED' }],
    [
      'the platform, about the endpoint',
      json({ error: 'endpoint not found' }, 404),
      { code: 'ENDPOINT_NOT_DEPLOYED' },
    ],
    ['the platform, without workers', json({ error: 'no workers available' }, 400), { code: 'NO_WORKERS' }],
    [
      'the platform, of a queue',
      json({ error: 'not allowed for QB API' }, 400),
      { code: 'BAD_REQUEST', hint: expect.stringContaining('`run`') },
    ],
    [
      'a gateway',
      new Response('bad gateway', { status: 502 }),
      { code: 'HTTP_ERROR', data: { status: 502, body: 'bad gateway' } },
    ],
  ] as const)
    test(`${what}`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [response])
      const error = await client.get('/x?token=abcdefghijk').catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject(wanted)
      expect(String(error)).not.toContain('abcdefghijk')
      expect(requests).toHaveLength(1)
    })

  test('what a handler of ours answered is no word of the platform', async () => {
    const said = new Response('no such seat', { status: 404, headers: { 'x-flash-result': 'response' } })
    await expect(openClient({ id: 'abc' }, [said]).client.get('/x')).rejects.toMatchObject({
      code: 'HTTP_ERROR',
      data: { status: 404, body: 'no such seat' },
    })
  })

  test('what a route of ours threw comes as it threw it', async () => {
    const thrown = { code: 'FULL', message: 'no seats', hint: 'later', data: { seats: 3 } }
    const marked = (value: unknown) =>
      new Response(JSON.stringify(value), { status: 400, headers: { 'x-flash-result': 'error' } })
    const failing = async (value: unknown) =>
      openClient({ id: 'abc' }, [marked(value)])
        .client.get('/x')
        .catch((error: unknown) => error)
    expect(await failing(thrown)).toMatchObject({ name: 'RemoteError', ...thrown })
    expect(await failing({ ...thrown, data: undefined })).toHaveProperty('data', undefined)
    expect(await failing('odd')).toMatchObject({ code: 'HTTP_ERROR', data: { status: 400, body: '"odd"' } })
  })

  test('a worker that repeats the key does not get it into the error', async () => {
    const { client } = openClient({ id: 'abc' }, [byWorker(`you sent ${key}`, { status: 400 })])
    const error = await client.get('/x').catch((error: unknown) => error as RemoteError)
    expect(JSON.stringify([String(error), error])).not.toContain(key)
  })
})

describe('sending again', () => {
  const busy = json({ error: 'too many' }, 429, { 'retry-after': '2' })

  test('what changes nothing, when the connection breaks: three times in all', async () => {
    const lost = networkError('ECONNRESET')
    const { client } = openClient({ id: 'abc' }, [lost, lost, ok])
    expect(await client.get('/x')).toEqual({ ok: true })
    const other = openClient({ id: 'abc' }, [lost])
    await expect(other.client.get('/x')).rejects.toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining('ECONNRESET'),
    })
    expect(other.requests).toHaveLength(3)
  })

  test('anything that nobody received, and no other', async () => {
    const { client } = openClient({ id: 'abc' }, [networkError('ECONNREFUSED'), ok])
    expect(await client.post('/x', { body: 1 })).toEqual({ ok: true })
    const other = openClient({ id: 'abc' }, [networkError('ECONNRESET'), ok])
    await expect(other.client.post('/x')).rejects.toMatchObject({
      code: 'TRANSPORT',
      hint: expect.stringContaining('may have been received'),
    })
    expect(other.requests).toHaveLength(1)
    const stream = openClient({ id: 'abc' }, [networkError('ECONNREFUSED'), ok])
    await expect(stream.client.post('/x', { body: new Blob(['x']).stream() })).rejects.toMatchObject({
      code: 'TRANSPORT',
    })
    expect(stream.requests).toHaveLength(1)
  })

  for (const [what, headers] of [
    ['asks for more than a minute', { 'retry-after': '3600' }],
    ['the program of a worker said', { 'retry-after': '1', 'x-flash-result': 'response' }],
  ] as const)
    test(`not what ${what}`, async () => {
      const { client, requests } = openClient({ id: 'abc' }, [json({ error: 'busy' }, 429, headers), ok])
      await expect(client.get('/x')).rejects.toMatchObject({ code: 'HTTP_ERROR', data: { status: 429 } })
      expect(requests).toHaveLength(1)
    })

  test('what asks for it by Retry-After, of what changes nothing', async () => {
    const { client, clock } = openClient({ id: 'abc' }, [busy, ok])
    expect(await client.get('/x')).toEqual({ ok: true })
    expect(clock.waits).toContain(2_000)
    const other = openClient({ id: 'abc' }, [busy, ok])
    await expect(other.client.post('/x')).rejects.toMatchObject({ code: 'HTTP_ERROR', data: { status: 429 } })
    const without = openClient({ id: 'abc' }, [json({}, 503), ok])
    await expect(without.client.get('/x')).rejects.toMatchObject({ data: { status: 503 } })
    const date = json({}, 503, { 'retry-after': new Date(1_700_000_003_000).toUTCString() })
    expect(await openClient({ id: 'abc' }, [date, ok]).client.get('/x')).toEqual({ ok: true })
  })
})

describe('giving up', () => {
  const never = () => new Promise<Response>(() => {})

  test('after the time', async () => {
    const clock = createTestClock()
    const { client, requests } = openClient({ id: 'abc' }, [never], { clock })
    const result = client.get('/x', { timeoutMs: 1_000 }).catch((error: unknown) => error)
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    clock.advance(1_000)
    expect(await result).toMatchObject({ name: 'RemoteError', code: 'TIMEOUT' })
  })

  test('as the signal says, also while a second try is waited for', async () => {
    const reason = new Error('enough')
    for (const answer of [never, networkError('ECONNREFUSED')]) {
      const stop = new AbortController()
      const { client, requests } = openClient({ id: 'abc' }, [answer], { clock: createTestClock() })
      const result = client.get('/x', { signal: stop.signal }).catch((error: unknown) => error)
      await vi.waitFor(() => expect(requests).toHaveLength(1))
      await new Promise((resolve) => setImmediate(resolve))
      stop.abort(reason)
      expect(await result).toBe(reason)
    }
    const { client, requests } = openClient({ id: 'abc' }, [never])
    await expect(client.get('/x', { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect(requests).toEqual([])
  })
})
