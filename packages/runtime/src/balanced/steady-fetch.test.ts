import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError, createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createEagerClock, networkError } from '../send/testing/scripted-host.ts'
import { createSteady, type SteadyOptions } from '../steady.ts'
import type { BalancedRequest } from './types.ts'

const a = { endpoint: 'ocr', url: 'https://a.test', key: 'rpa_0123456789ABCDEFGHIJ', place: 'the account' }
const b = { endpoint: 'ocr', url: 'https://b.test/deep', place: 'FLASH_ENDPOINT_OCR' }
const c = { endpoint: 'ocr', url: 'https://c.test', place: 'FLASH_ENDPOINT_OCR' }

const refused = networkError('ECONNREFUSED')
const reset = networkError('ECONNRESET')
const ok = () => new Response('fine')
const answer =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    new Response(`status ${status}`, { status, headers })

type Reply = Error | (() => Response)

const request = (method = 'GET', more: Partial<BalancedRequest> = {}): BalancedRequest => ({
  method,
  path: '/items?x=1',
  headers: new Headers(),
  body: null,
  ...more,
})

/** Answers in turn; the last reply stays. By host where there are several. */
function setUp(replies: Reply[] | Record<string, Reply>, options: Partial<SteadyOptions> = {}) {
  const seen: { url: string; init: RequestInit }[] = []
  const fetch = vi.fn(async (url: unknown, init: RequestInit = {}) => {
    seen.push({ url: String(url), init })
    const reply = Array.isArray(replies)
      ? replies[Math.min(seen.length, replies.length) - 1]!
      : replies[new URL(String(url)).hostname.split('.')[0]!]!
    if (reply instanceof Error) throw reply
    return reply()
  })
  const clock = createEagerClock()
  const metrics: string[] = []
  const steady = createSteady({
    env: {},
    fetch: fetch as unknown as typeof globalThis.fetch,
    clock,
    random: () => 0.5,
    emit: (name, value, { outcome, to, address }) =>
      void metrics.push(
        [name, outcome ?? to ?? address, name === 'in_flight_requests' && value].filter(Boolean).join(' '),
      ),
    ...options,
  })
  return { steady, clock, seen, metrics, hosts: () => seen.map(({ url }) => new URL(url).hostname[0]) }
}

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

describe('a request', () => {
  test('goes below the address, with its headers and key, and no redirect is followed', async () => {
    const { steady, seen } = setUp([answer(302, { location: 'https://evil.test' })])
    const headers = new Headers({ 'x-mine': 'yes', host: 'evil.test', connection: 'close' })
    const body = new TextEncoder().encode('hi')
    const address = { ...a, headers: { 'X-Flash-Endpoint': 'ocr' } }
    const response = await steady.fetch([address], request('POST', { headers, body, idempotencyKey: 'k' }))
    expect(response.status).toBe(302)
    expect(seen).toMatchObject([
      { url: 'https://a.test/items?x=1', init: { method: 'POST', body, redirect: 'manual' } },
    ])
    expect(Object.fromEntries(seen[0]!.init.headers as Headers)).toEqual({
      'x-mine': 'yes',
      'x-flash-endpoint': 'ocr',
      authorization: `Bearer ${a.key}`,
      'idempotency-key': 'k',
    })
  })

  test('with an authorization of its own reaches an address without our key only', async () => {
    const { steady, seen } = setUp([ok])
    const headers = new Headers({ authorization: 'Basic x' })
    await expect(steady.fetch([a], request('GET', { headers }))).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('"authorization"'),
    })
    expect(seen).toHaveLength(0)
    await steady.fetch([b], request('GET', { headers }))
    expect(seen[0]!.url).toBe('https://b.test/deep/items?x=1')
    expect((seen[0]!.init.headers as Headers).get('authorization')).toBe('Basic x')
  })

  for (const status of [200, 204, 301, 400, 404, 422, 500, 501]) {
    test(`is answered with ${status} as it is, and once`, async () => {
      const { steady, seen } = setUp([() => new Response(status === 204 ? null : 'text', { status })])
      const response = await steady.fetch([a], request())
      expect(response.status).toBe(status)
      expect(await response.text()).toBe(status === 204 ? '' : 'text')
      expect(seen).toHaveLength(1)
    })
  }
})

describe('another try', () => {
  for (const [method, reply, tries] of [
    ['POST', refused, 3],
    ['PATCH', refused, 3],
    ['GET', refused, 3],
    ['GET', reset, 3],
    ['HEAD', reset, 3],
    ['OPTIONS', reset, 3],
    ['PUT', reset, 3],
    ['DELETE', reset, 3],
    ['POST', reset, 1],
    ['PATCH', reset, 1],
  ] as const) {
    test(`of ${method} after ${(reply.cause as { code: string }).code}: ${tries} in all`, async () => {
      const { steady, seen } = setUp([reply])
      const body = method === 'POST' ? new Uint8Array(2) : null
      const error = await steady.fetch([a], request(method, { body })).catch((error: unknown) => error)
      expect(error).toBeInstanceOf(AppError)
      expect(error).toMatchObject({ code: tries > 1 ? 'RETRIES_EXHAUSTED' : 'TRANSPORT' })
      expect(seen).toHaveLength(tries)
    })
  }

  test('is not made of a stream, of which the first took the bytes', async () => {
    const { steady, seen } = setUp([refused])
    const body = new Blob(['x']).stream()
    await expect(steady.fetch([a], request('PUT', { body }))).rejects.toMatchObject({ code: 'TRANSPORT' })
    expect(seen).toHaveLength(1)
    expect(seen[0]!.init).toMatchObject({ duplex: 'half' })
  })

  for (const [method, reply, tries, waits] of [
    ['GET', answer(502), 3, [500, 1_000]],
    ['GET', answer(503), 3, [500, 1_000]],
    ['GET', answer(503, { 'retry-after': '7' }), 3, [7_000, 7_000]],
    ['GET', answer(429, { 'retry-after': '2' }), 3, [2_000, 2_000]],
    ['GET', answer(429), 1, []],
    ['GET', answer(504), 1, []],
    ['POST', answer(502), 1, []],
    ['POST', answer(503, { 'retry-after': '1' }), 1, []],
    ['GET', answer(503, { 'x-flash-result': 'error', 'retry-after': '1' }), 1, []],
    ['GET', answer(502, { 'x-flash-result': 'response' }), 1, []],
    ['GET', answer(429, { 'x-flash-result': 'response', 'retry-after': '1' }), 1, []],
    ['GET', answer(429, { 'retry-after': '3600' }), 1, []],
    ['GET', answer(503, { 'retry-after': '3600' }), 1, []],
    ['GET', answer(503, { 'x-runpod-worker-id': 'w1' }), 3, [500, 1_000]],
    ['GET', answer(503, { 'x-runpod-worker-id': 'w1', 'retry-after': '1' }), 3, [1_000, 1_000]],
  ] as const) {
    const { status, headers } = reply()
    test(`of ${method} after ${status} ${JSON.stringify([...headers].slice(1))}: ${tries} in all, and the last is the answer`, async () => {
      const { steady, seen, clock } = setUp([reply])
      const response = await steady.fetch([a], request(method))
      expect(response.status).toBe(status)
      expect(await response.text()).toBe(`status ${status}`)
      expect(seen).toHaveLength(tries)
      expect(clock.waits).toEqual(waits)
    })
  }

  test('that succeeds is the answer; the body of the one before is let go, and all is measured', async () => {
    const cancel = vi.fn()
    const lost = () => new Response(new ReadableStream({ cancel }), { status: 502 })
    const { steady, metrics } = setUp([lost, ok])
    expect(await (await steady.fetch([a], request())).text()).toBe('fine')
    expect(cancel).toHaveBeenCalledOnce()
    expect(metrics).toEqual(
      [
        'endpoint_requests TRANSPORT',
        'retry_attempt https://a.test',
        'endpoint_requests ok',
        'retry_success',
        'endpoint_latency',
      ].map((line) => line.replace('retry_attempt https://a.test', 'retry_attempt')),
    )
  })

  test('is not begun after the deadline', async () => {
    const { steady, seen } = setUp([answer(503, { 'retry-after': '30' })])
    const response = await steady.fetch([a], request('GET', { timeoutMs: 20_000 }))
    expect(response.status).toBe(503)
    expect(seen).toHaveLength(1)
  })

  test('is not made with FLASH_RETRY_ENABLED=0', async () => {
    const { steady, seen } = setUp([refused], { env: { FLASH_RETRY_ENABLED: '0' } })
    await expect(steady.fetch([a], request())).rejects.toMatchObject({ code: 'TRANSPORT' })
    expect(seen).toHaveLength(1)
  })

  test('shows no secret of a failure', async () => {
    const { steady } = setUp([new TypeError(`bad header Bearer ${a.key}`)])
    const error = await steady.fetch([a], request('POST')).catch((error: AppError) => error)
    expect((error as AppError).message).not.toContain(a.key)
  })
})

describe('several addresses', () => {
  test('take turns', async () => {
    const { steady, hosts } = setUp({ a: ok, b: ok, c: ok })
    for (let time = 0; time < 4; time++) await steady.fetch([a, b, c], request())
    expect(hosts()).toEqual(['a', 'b', 'c', 'a'])
  })

  test('are tried one after the other, each once as long as there are others', async () => {
    const { steady, hosts } = setUp({ a: refused, b: answer(503), c: refused })
    await steady.fetch([a, b, c], request()).catch(() => {})
    expect(hosts().sort()).toEqual(['a', 'b', 'c'])
    const two = setUp({ a: refused, b: ok })
    expect(await (await two.steady.fetch([a, b], request('POST'))).text()).toBe('fine')
    expect(two.hosts()).toEqual(['a', 'b'])
  })

  test('that are least busy come first; one is busy until its body has ended', async () => {
    const bodies: ReadableStreamDefaultController<Uint8Array>[] = []
    const open = () =>
      new Response(new ReadableStream({ start: (controller) => void bodies.push(controller) }))
    const { steady, hosts, metrics } = setUp({ a: open, b: open }, { settings: { balance: 'least-busy' } })
    const first = await steady.fetch([a, b], request())
    await steady.fetch([a, b], request())
    bodies[0]!.close()
    expect(await first.text()).toBe('')
    await steady.fetch([a, b], request())
    expect(hosts()).toEqual(['a', 'b', 'a'])
    expect(metrics.filter((line) => line.startsWith('in_flight'))).toEqual([
      'in_flight_requests https://a.test 1',
      'in_flight_requests https://b.test/deep 1',
      'in_flight_requests https://a.test',
      'in_flight_requests https://a.test 1',
    ])
  })

  test('are chosen by chance when that is wanted', async () => {
    const { steady, hosts } = setUp(
      { a: ok, b: ok },
      { random: () => 0.9, env: { FLASH_LB_STRATEGY: 'random' } },
    )
    await steady.fetch([a, b], request())
    expect(hosts()).toEqual(['b'])
  })
})

describe('an address in trouble', () => {
  test('is spared after five failures in a row', async () => {
    const { steady, hosts, seen } = setUp({ a: answer(502), b: ok })
    for (let time = 0; time < 5; time++) await steady.fetch([a], request('POST'))
    await expect(steady.fetch([a], request('POST'))).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
    expect(seen).toHaveLength(5)
    for (let time = 0; time < 3; time++) await steady.fetch([a, b], request())
    expect(hosts().slice(5)).toEqual(['b', 'b', 'b'])
  })

  test('that is being tried out leaves other requests to the others, and opens again for those that have none', async () => {
    let isWell = false
    let finish!: (response: Response) => void
    const probe = new Promise<Response>((resolve) => (finish = resolve))
    const fetch = (async (url: unknown) => {
      if (String(url).startsWith(b.url)) return ok()
      return isWell ? probe : answer(502)()
    }) as typeof globalThis.fetch
    const { steady, clock } = setUp([], { fetch })
    for (let time = 0; time < 5; time++) await steady.fetch([a], request('POST'))
    clock.pass(60_000)
    isWell = true
    const first = steady.fetch([a], request('POST'))
    for (let time = 0; time < 4; time++)
      expect(await (await steady.fetch([a, b], request('POST'))).text()).toBe('fine')
    await expect(steady.fetch([a], request('POST'))).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
    finish(ok())
    expect(await (await first).text()).toBe('fine')
  })

  for (const [what, reply] of [
    ['400', answer(400)],
    ['404', answer(404)],
    ['429', answer(429, { 'retry-after': '0' })],
    ['500', answer(500)],
    ['503 of a route', answer(503, { 'x-flash-result': 'error' })],
    ['502 of a handler', answer(502, { 'x-flash-result': 'response' })],
    ['503 of a worker', answer(503, { 'x-runpod-worker-id': 'w1' })],
  ] as const) {
    test(`is not one that answers ${what}`, async () => {
      const { steady } = setUp([reply])
      for (let time = 0; time < 8; time++) await steady.fetch([a], request('POST'))
    })
  }

  test('is called on with FLASH_CIRCUIT_BREAKER_ENABLED=0', async () => {
    const { steady, seen } = setUp([answer(502)], { env: { FLASH_CIRCUIT_BREAKER_ENABLED: '0' } })
    for (let time = 0; time < 8; time++) await steady.fetch([a], request('POST'))
    expect(seen).toHaveLength(8)
  })
})

describe('limits', () => {
  const reason = { mine: true }
  const hang = (async (_: unknown, { signal }: RequestInit = {}) =>
    new Promise<Response>((_, reject) => {
      signal!.addEventListener('abort', () => reject(signal!.reason))
    })) as typeof fetch

  test('a signal that is aborted already sends nothing', async () => {
    const { steady, seen } = setUp([ok])
    await expect(steady.fetch([a], request('GET', { signal: AbortSignal.abort(reason) }))).rejects.toBe(
      reason,
    )
    expect(seen).toHaveLength(0)
  })

  test('a signal may have no reason to speak of', async () => {
    const abort = new AbortController()
    const { steady } = setUp([], { fetch: hang, clock: createTestClock() })
    const sent = steady.fetch([a, b], request('GET', { signal: abort.signal }))
    abort.abort(null)
    await expect(sent).rejects.toBeNull()
  })

  test('a signal ends a try, and there is no other', async () => {
    const abort = new AbortController()
    const spied = vi.fn(hang)
    const { steady } = setUp([], { fetch: spied, clock: createTestClock() })
    const sent = steady.fetch([a], request('GET', { signal: abort.signal }))
    await vi.waitFor(() => expect(spied).toHaveBeenCalledOnce())
    abort.abort(reason)
    await expect(sent).rejects.toBe(reason)
    await new Promise(setImmediate)
    expect(spied).toHaveBeenCalledOnce()
  })

  test('a signal ends the pause before another try, and lets the answer before it go', async () => {
    const abort = new AbortController()
    const clock = createTestClock()
    const { steady, seen } = setUp([answer(502)], { clock })
    const sent = steady.fetch([a], request('GET', { signal: abort.signal }))
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    abort.abort(reason)
    await expect(sent).rejects.toBe(reason)
    clock.advance(60_000)
    await new Promise(setImmediate)
    expect(seen).toHaveLength(1)
  })

  test('timeoutMs ends it before the head of the answer, not after', async () => {
    const clock = createTestClock()
    const { steady } = setUp([], { fetch: hang, clock })
    const sent = steady.fetch([a], request('GET', { timeoutMs: 1_000 }))
    clock.advance(1_000)
    const error = await sent.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(AppError)
    expect(error).toMatchObject({ code: 'TIMEOUT' })
    let finish = () => {}
    const slow = () => {
      const body = new ReadableStream<Uint8Array>({
        start(controller) {
          finish = () => {
            controller.enqueue(new TextEncoder().encode('late'))
            controller.close()
          }
        },
      })
      return new Response(body)
    }
    const late = setUp([slow], { clock })
    const response = await late.steady.fetch([a], request('GET', { timeoutMs: 1_000 }))
    clock.advance(10_000)
    finish()
    expect(await response.text()).toBe('late')
  })
})

describe('over a real connection', () => {
  const place = { endpoint: 'ocr', place: 'a test' }
  const steady = createSteady({ env: {} })

  test('bodies stream both ways, and encoded ones come decoded', async () => {
    const { gzipSync } = await import('node:zlib')
    const url = await listen((incoming, outgoing) => {
      const chunks: Buffer[] = []
      incoming.on('data', (chunk) => chunks.push(chunk))
      incoming.on('end', () => {
        outgoing.writeHead(200, { 'content-encoding': 'gzip', 'x-method': incoming.method! })
        outgoing.end(gzipSync(Buffer.concat(chunks)))
      })
    })
    const body = new Blob(['stream me']).stream()
    const response = await steady.fetch([{ ...place, url }], request('POST', { body }))
    expect(Object.fromEntries(response.headers)).toMatchObject({ 'x-method': 'POST' })
    expect(response.headers.has('content-encoding')).toBe(false)
    expect(response.headers.has('content-length')).toBe(false)
    expect(await response.text()).toBe('stream me')
  })

  test('a body in a coding that fetch does not know comes as it is, and says so', async () => {
    const headers = { 'content-encoding': 'nothing-known', 'content-length': '3' }
    const url = await listen((_, outgoing) => void outgoing.writeHead(200, headers).end('raw'))
    const response = await steady.fetch([{ ...place, url }], request())
    expect(Object.fromEntries(response.headers)).toMatchObject(headers)
    expect(await response.text()).toBe('raw')
  })

  test('a body that is not what its coding says is TRANSPORT', async () => {
    const url = await listen(
      (_, outgoing) => void outgoing.writeHead(200, { 'content-encoding': 'gzip' }).end('raw'),
    )
    const response = await steady.fetch([{ ...place, url }], request())
    await expect(response.text()).rejects.toMatchObject({ code: 'TRANSPORT' })
  })

  test('a status that is none is TRANSPORT', async () => {
    const url = await listen((_, outgoing) => void outgoing.writeHead(799).end('x'))
    await expect(steady.fetch([{ ...place, url }], request('POST'))).rejects.toMatchObject({
      code: 'TRANSPORT',
    })
  })

  test('a head has the length of what a body would have', async () => {
    const url = await listen((_, outgoing) => void outgoing.writeHead(200, { 'content-length': '7' }).end())
    const response = await steady.fetch([{ ...place, url }], request('HEAD'))
    expect(response.headers.get('content-length')).toBe('7')
    expect(response.body).toBeNull()
  })

  test('the signal ends a body on its way, with its reason, and the other side hears of it', async () => {
    let gone = Promise.resolve()
    const url = await listen((_, outgoing) => {
      gone = new Promise((resolve) => outgoing.once('close', resolve))
      outgoing.write('begin')
    })
    const abort = new AbortController()
    const response = await steady.fetch([{ ...place, url }], request('GET', { signal: abort.signal }))
    const reader = response.body!.getReader()
    await reader.read()
    const next = reader.read()
    const reason = new Error('mine')
    abort.abort(reason)
    await expect(next).rejects.toBe(reason)
    await gone
  })

  test('a body that breaks fails, and one that is cancelled is gone', async () => {
    const closed: Promise<void>[] = []
    const url = await listen((incoming, outgoing) => {
      closed.push(new Promise((resolve) => outgoing.once('close', resolve)))
      outgoing.write('begin')
      if (incoming.method === 'POST') setTimeout(() => outgoing.destroy(), 20)
    })
    const broken = await steady.fetch([{ ...place, url }], request('POST'))
    await expect(broken.text()).rejects.toMatchObject({ name: 'RemoteError', code: 'CONNECTION_LOST' })
    const response = await steady.fetch([{ ...place, url }], request('GET'))
    await response.body!.cancel()
    await Promise.all(closed)
  })

  test('nobody listening means that nothing was sent', async () => {
    const url = await listen(() => {})
    const [server] = servers.splice(0)
    await new Promise((resolve) => server!.close(resolve))
    const clock = createEagerClock()
    const own = createSteady({ env: {}, clock, random: () => 0.5 })
    await expect(own.fetch([{ ...place, url }], request('POST'))).rejects.toMatchObject({
      code: 'RETRIES_EXHAUSTED',
      cause: { code: 'TRANSPORT', data: { sent: false } },
    })
  })
})
