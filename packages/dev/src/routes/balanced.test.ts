import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:http2'
import { AppError } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { functionFact, openRoutes, type RoutesOptions, routeFact, webFact, WORKER_TOKEN } from './testing.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Says what it got. */
async function echo(request: IncomingMessage, response: ServerResponse) {
  let body = ''
  for await (const chunk of request) body += chunk
  const { method, url, headers } = request
  response.writeHead(201, { 'content-type': 'application/json', 'set-cookie': 'a=b' })
  response.end(JSON.stringify({ method, url, headers, body }))
}

async function start(options: Partial<RoutesOptions> = {}) {
  const routes = await openRoutes({
    facts: [
      routeFact('images', 'POST', '/resize/:width'),
      routeFact('images', 'GET', '/items'),
      routeFact('images', 'GET', '/files/**:path'),
      routeFact('images', 'WS', '/live'),
      webFact('site'),
      functionFact('site/ask', 'ask'),
      webFact('two', 'one'),
      webFact('two', 'other'),
    ],
    worker: echo,
    ...options,
  })
  cleanUps.push(routes.close)
  return routes
}

const json = { 'content-type': 'application/json' }

describe('a route', () => {
  test('gets its path without the prefix, and the body as it is', async () => {
    const { ask, seats, url } = await start()
    const answer = await ask('POST', '/images/resize/a%2Fb?x=1&x=2', { ...json, 'x-own': 'yes' }, '{"a":1}')
    expect(answer.status).toBe(201)
    expect(answer.json).toMatchObject({
      method: 'POST',
      url: '/resize/a%2Fb?x=1&x=2',
      body: '{"a":1}',
      headers: { 'x-own': 'yes', host: new URL(url).host },
    })
    expect(answer.headers).toMatchObject({
      'x-flash': '1',
      'cache-control': 'private, no-store',
      'x-runpod-worker-id': 'local-1',
    })
    await vi.waitFor(() => expect(seats).toEqual({ taken: 1, free: 1 }))
  })

  test('gets the token of its worker, and none of the caller', async () => {
    const { ask } = await start()
    const answer = await ask('GET', '/images/items', {
      authorization: 'Bearer session-token',
      'x-flash-worker-token': 'guessed',
      cookie: 'own=1',
    })
    expect(answer.json.headers).toMatchObject({ 'x-flash-worker-token': WORKER_TOKEN, cookie: 'own=1' })
    expect(answer.json.headers).not.toHaveProperty('authorization')
    expect(answer.headers['set-cookie']).toEqual(['a=b'])
  })

  test('keeps what belongs to the page and the app', async () => {
    const { ask } = await start()
    const answer = await ask('GET', '/images/items', {
      'sec-fetch-site': 'same-origin',
      cookie: 'own=1',
      'x-flash-hops': '-9',
    })
    expect(answer.json.headers).not.toHaveProperty('cookie')
    expect(answer.json.headers).not.toHaveProperty('x-flash-hops')
    expect(answer.headers).not.toHaveProperty('set-cookie')
  })

  test('comes to its worker over the connection of the one before', async () => {
    const ports: unknown[] = []
    const worker = async (request: IncomingMessage, response: ServerResponse) => {
      ports.push(request.socket.remotePort)
      await echo(request, response)
    }
    const { ask } = await start({ worker })
    for (const body of ['one', 'two'])
      expect((await ask('POST', '/images/resize/1', json, body)).json.body).toBe(body)
    expect(ports[1]).toBe(ports[0])
  })

  test('may say itself how long its answer is kept', async () => {
    const { ask } = await start({
      worker: (_, response) => response.writeHead(200, { 'cache-control': 'max-age=60' }).end(),
    })
    expect((await ask('GET', '/images/items')).headers).toMatchObject({
      'x-flash': '1',
      'cache-control': 'max-age=60',
    })
  })

  test('of GET answers HEAD', async () => {
    const { ask } = await start({
      worker: (request, response) => response.writeHead(200, { 'x-method': request.method }).end(),
    })
    expect((await ask('HEAD', '/images/items')).headers['x-method']).toBe('HEAD')
  })

  test('has other methods refused, with those that there are', async () => {
    const { ask, seats } = await start()
    const refused = await ask('PUT', '/images/items', json, '{}')
    expect([refused.status, refused.headers.allow]).toEqual([405, 'GET, HEAD, OPTIONS'])
    expect(refused.json).toMatchObject({ code: 'METHOD_NOT_ALLOWED', hint: 'use GET or HEAD' })
    expect(refused.headers['content-type']).toBe('application/problem+json')
    const options = await ask('OPTIONS', '/images/resize/3')
    expect([options.status, options.headers.allow]).toEqual([204, 'OPTIONS, POST'])
    expect(await ask('GET', '/images/live')).toMatchObject({
      status: 426,
      json: { code: 'UPGRADE_REQUIRED' },
    })
    expect(seats.taken).toBe(0)
  })

  test.each(['application/json', 'multipart/form-data; boundary=x', 'image/png', 'text/plain', ''])(
    'takes a body of any type: %s',
    async (type) => {
      const { ask } = await start()
      const headers: Record<string, string> = type ? { 'content-type': type } : { 'content-length': '1' }
      expect((await ask('POST', '/images/resize/3', headers, 'x')).status).toBe(201)
    },
  )
})

describe('addresses', () => {
  test('whoever misses is told what begins alike', async () => {
    const { ask } = await start()
    const { hint } = (await ask('GET', '/images/itmes')).json
    expect(hint).toMatch(/^(?:there is|nearest are): \S+ \S*\/images\//)
  })

  test.each([
    ['GET', '/images/nothing'],
    ['GET', '/images/items/'],
    ['GET', '/images'],
    ['GET', '/Images/items'],
    ['GET', '/nobody/at/all'],
    ['GET', '/../images/items'],
    ['GET', '//images/items'],
    ['GET', '/two/x'],
  ])('%s %s has nobody', async (method, path) => {
    const { ask, seats } = await start()
    const answer = await ask(method, path)
    expect(answer).toMatchObject({ status: 404, json: { code: 'NOT_FOUND' } })
    expect(answer.json.hint).toContain('GET /app/_flash/images/items')
    expect(seats.taken).toBe(0)
  })

  test('are looked for once more when nobody answers', async () => {
    const facts = [webFact('site')]
    const rescan = vi.fn(async () => {
      facts.push(routeFact('late', 'GET', '/x'))
      return true
    })
    const { ask } = await start({ facts, rescan })
    expect((await ask('GET', '/late/x')).json.url).toBe('/x')
    expect(rescan).toHaveBeenCalledTimes(1)
    await ask('GET', '/site/x')
    await ask('GET', '/ping')
    expect(rescan).toHaveBeenCalledTimes(1)
  })

  test('elsewhere pass', async () => {
    const { url } = await start()
    for (const path of ['/', '/app/_flashy', '/_flash/site/x'])
      expect((await fetch(url + path)).headers.get('x-from')).toBe('vite')
  })
})

describe('a web app', () => {
  test.each([
    ['GET', '/site', '/'],
    ['GET', '/site/', '/'],
    ['GET', '/site?q=1', '/?q=1'],
    ['PROPFIND', '/site/a%20b/c?x', '/a%20b/c?x'],
    ['GET', '/s%69te/x', '/x'],
    ['GET', '/site//host/x', '//host/x'],
    ['GET', '/site/a%2F%2Fb', '/a%2F%2Fb'],
    ['OPTIONS', '/site/x', '/x'],
    ['GET', '/two/one/x', '/x'],
    ['POST', '/two/other', '/'],
  ])('answers %s %s as %s', async (method, path, inner) => {
    const { ask } = await start()
    expect((await ask(method, path)).json).toMatchObject({ method, url: inner })
  })

  test.each([
    ['/site/../images/items', 'BAD_PATH', 400],
    ['/site/a/%2e%2e/b', 'BAD_PATH', 400],
    ['/site/%252e%252e/b', 'BAD_PATH', 400],
    ['/site/..%2fping', 'BAD_PATH', 400],
    ['/site/a\\b', 'BAD_PATH', 400],
    ['/site/%5c..', 'BAD_PATH', 400],
    ['/site/%00', 'BAD_PATH', 400],
    ['/site/ping', 'RESERVED_PATH', 400],
    ['/site/%70ing?x', 'RESERVED_PATH', 400],
    ['/site//ping', 'RESERVED_PATH', 400],
    ['/site/./ping', 'RESERVED_PATH', 400],
    ['/site/%2570ing', 'RESERVED_PATH', 400],
    ['/site/_runpod/x', 'RESERVED_PATH', 400],
    ['/site/execute', 'RESERVED_PATH', 400],
    ['/site/%zz', 'BAD_REQUEST', 400],
  ])('never gets %s: %s', async (path, code, status) => {
    const { ask, seats } = await start()
    expect(await ask('GET', path)).toMatchObject({ status, json: { code } })
    expect(seats.taken).toBe(0)
  })

  test('takes any content type', async () => {
    const { ask } = await start()
    const answer = await ask('POST', '/site/x', { 'content-type': 'text/odd' }, 'body')
    expect(answer.json).toMatchObject({ body: 'body', headers: { 'content-type': 'text/odd' } })
  })

  test('leaves the functions below it to their queue', async () => {
    const { ask, seats, errors } = await start()
    expect((await ask('POST', '/site/ask/run_sync', json, '{"input":{}}')).status).toBe(500)
    expect(errors).toMatchObject([{ message: 'no queue here' }])
    expect(seats.taken).toBe(0)
    expect((await ask('GET', '/site/ask/run_sync')).json.url).toBe('/ask/run_sync')
  })
})

describe('who may ask', () => {
  test.each([
    ['a page of another site', { 'sec-fetch-site': 'cross-site' }],
    ['a page of another origin', { origin: 'http://evil.test' }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
  ])('not %s', async (_, headers) => {
    const { ask, seats } = await start()
    for (const path of ['/site/x', '/images/items', '/nobody', '/site/../x'])
      expect(await ask('GET', path, headers)).toMatchObject({ status: 403, json: { code: 'FORBIDDEN' } })
    expect(seats.taken).toBe(0)
  })

  test('not whom the host does not admit', async () => {
    const admit = () => {
      throw new AppError('FORBIDDEN', { message: 'nobody' })
    }
    const { ask, seats } = await start({ admit })
    expect((await ask('GET', '/site/x')).status).toBe(403)
    expect(seats.taken).toBe(0)
  })
})

describe('limits', () => {
  test('a body over the size is refused, told or not', async () => {
    const { ask, seats } = await start({ limits: { bytes: 1_000 } })
    const told = await ask('POST', '/site/x', {}, 'x'.repeat(1_001))
    const sizes = { size: 1_001, limit: 1_000 }
    expect(told).toMatchObject({ status: 413, json: { code: 'PAYLOAD_TOO_LARGE', data: sizes } })
    expect(seats.taken).toBe(0)
    const untold = await ask('POST', '/site/x', { 'transfer-encoding': 'chunked' }, 'x'.repeat(5_000))
    expect(untold).toMatchObject({
      status: 413,
      json: { code: 'PAYLOAD_TOO_LARGE', data: { size: 5_000, limit: 1_000 } },
    })
  })

  test('an answer over the size is refused with both sizes', async () => {
    const { ask } = await start({
      limits: { bytes: 1_000 },
      worker: (_request, response) => void response.end('x'.repeat(1_001)),
    })
    expect(await ask('GET', '/site/x')).toMatchObject({
      status: 413,
      json: { code: 'PAYLOAD_TOO_LARGE', data: { size: 1_001, limit: 1_000 } },
    })
  })

  test('headers over the size are refused with what is allowed', async () => {
    const { ask } = await start({
      worker: ({ url }, response) =>
        void response.writeHead(200, { 'x-long': 'x'.repeat(url === '/long' ? 40_000 : 70_000) }).end(),
    })
    expect((await ask('GET', '/site/long')).headers['x-long']).toHaveLength(40_000)
    expect(await ask('GET', '/site/longer')).toMatchObject({
      status: 413,
      json: { code: 'PAYLOAD_TOO_LARGE', data: { limit: 65_536 } },
    })
  })

  test('a request has no more time than its endpoint gives, and its handler hears of the end', async () => {
    const left = vi.fn()
    const { ask, seats } = await start({
      time: { limitMs: 30 },
      worker: (_request, response) => void response.once('close', left),
    })
    expect(await ask('GET', '/site/x')).toMatchObject({
      status: 504,
      json: { code: 'TIMEOUT', message: expect.stringContaining('over after 30 ms') },
    })
    await vi.waitFor(() => expect(left).toHaveBeenCalled())
    expect(seats.free).toBe(1)
  })

  test('an endpoint that takes too long is 504', async () => {
    const { ask } = await start({ limits: { processingMs: 30 }, worker: () => {} })
    expect(await ask('GET', '/site/x')).toMatchObject({ status: 504, json: { code: 'TIMEOUT' } })
  })
})

describe('a worker', () => {
  const breaking = (request: IncomingMessage, response: ServerResponse) => {
    if (request.url === '/inside') response.write('half')
    setImmediate(() => request.socket.destroy())
  }

  test('that crashed is 502, with how it ended', async () => {
    const lost = new AppError('WORKER_CRASHED', { message: 'exited with code 3; its last output:\nboom' })
    const { ask, seats } = await start({ worker: breaking, lost })
    const answer = await ask('GET', '/site/x')
    expect(answer).toMatchObject({ status: 502, json: { code: 'WORKER_CRASHED', message: lost.message } })
    expect(answer.headers).toMatchObject({ 'x-flash': '1', 'content-type': 'application/problem+json' })
    await expect(ask('GET', '/site/inside')).rejects.toThrow()
    await vi.waitFor(() => expect(seats).toEqual({ taken: 2, free: 2 }))
  })

  test('that only closed the connection is 502', async () => {
    const { ask } = await start({ worker: breaking })
    expect(await ask('GET', '/site/x')).toMatchObject({ status: 502, json: { code: 'CONNECTION_LOST' } })
  })

  test('that cannot be had says why', async () => {
    const at = { file: 'src/site.ts', line: 2, column: 1 }
    const error = new AppError('MODULE_FAILED', { message: 'no', at })
    const { ask } = await start({ balanced: () => Promise.reject(error) })
    expect(await ask('GET', '/site/x')).toMatchObject({ status: 500, json: { code: 'MODULE_FAILED', at } })
  })

  test('that fails for a reason of our own is told to the terminal only', async () => {
    const error = new Error('a defect')
    const { ask, errors } = await start({ balanced: () => Promise.reject(error) })
    const answer = await ask('GET', '/site/x')
    expect(answer).toMatchObject({ status: 500, json: { code: 'INTERNAL' } })
    expect(answer.text).not.toContain('defect')
    expect(errors).toEqual([error])
  })
})

describe('streams', () => {
  test('both ways as they come', async () => {
    const { url } = await start({ worker: (request, response) => void request.pipe(response) })
    let send: (text: string | null) => void = () => {}
    const body = new ReadableStream({
      start(controller) {
        send = (text) =>
          text === null ? controller.close() : controller.enqueue(new TextEncoder().encode(text))
      },
    })
    send('one')
    const answer = await fetch(`${url}/app/_flash/site/x`, {
      method: 'POST',
      body,
      duplex: 'half',
    } as RequestInit)
    const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader()
    expect((await reader.read()).value).toBe('one')
    send('two')
    expect((await reader.read()).value).toBe('two')
    send(null)
    expect((await reader.read()).done).toBe(true)
  })

  test('end at the worker when the caller leaves', async () => {
    let closed = () => {}
    const gone = new Promise<void>((resolve) => (closed = resolve))
    const { url, seats, errors } = await start({
      worker(request, response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n')
        request.socket.once('close', closed)
      },
    })
    const leaving = new AbortController()
    const answer = await fetch(`${url}/app/_flash/site/events`, { signal: leaving.signal })
    const reader = answer.body!.getReader()
    expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n')
    leaving.abort()
    await gone
    await vi.waitFor(() => expect(seats).toEqual({ taken: 1, free: 1 }))
    expect(errors).toEqual([])
  })

  test('a caller that leaves while no worker is ready is nobody’s error', async () => {
    let asked = () => {}
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const aborted = vi.fn()
    const { url, errors } = await start({
      balanced: async () => ({
        name: 'site',
        seat: ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => {
              aborted()
              reject(signal.reason)
            })
            asked()
          }),
      }),
    })
    const leaving = new AbortController()
    const answer = fetch(`${url}/app/_flash/site/x`, { signal: leaving.signal })
    await waiting
    leaving.abort()
    await expect(answer).rejects.toThrow()
    await vi.waitFor(() => expect(aborted).toHaveBeenCalled())
    expect(errors).toEqual([])
  })

  test('an upload comes no faster than the worker reads it', async () => {
    let sent = 0
    let received = 0
    let underWay = 0
    const { url } = await start({
      limits: { bytes: Number.POSITIVE_INFINITY },
      async worker(request, response) {
        for await (const chunk of request) {
          for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
          received += chunk.length
          underWay = Math.max(underWay, sent - received)
        }
        response.end(String(received))
      },
    })
    const chunk = new Uint8Array(1_000_000)
    const pull = (controller: ReadableStreamDefaultController) => {
      if (sent === 100_000_000) return controller.close()
      sent += chunk.length
      controller.enqueue(chunk)
    }
    const body = new ReadableStream({ pull }, { highWaterMark: 0 })
    const headers = { 'content-type': 'multipart/form-data; boundary=x' }
    const init = { method: 'POST', body, headers, duplex: 'half' } as RequestInit
    const answer = await fetch(`${url}/app/_flash/images/resize/3`, init)
    expect(await answer.text()).toBe('100000000')
    expect(underWay).toBeLessThan(30_000_000)
  })
})

test('over HTTP/2 a request is the same', async () => {
  const { url, close } = await start({ isHttp2: true, lost: null })
  const session = connect(url)
  const ask = async (headers: Record<string, string>, body = '') => {
    const stream = session.request({ ':method': 'POST', ...headers })
    stream.end(body)
    let text = ''
    stream.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    const [answer] = await once(stream, 'response')
    await once(stream, 'end')
    return { headers: answer as Record<string, unknown>, json: JSON.parse(text) }
  }
  const answer = await ask({ ':path': '/app/_flash/site/a?x=1', 'x-own': 'yes' }, 'body')
  expect(answer.headers).toMatchObject({ ':status': 201, 'x-flash': '1', 'x-runpod-worker-id': 'local-1' })
  expect(answer.json).toMatchObject({
    method: 'POST',
    url: '/a?x=1',
    body: 'body',
    headers: { host: new URL(url).host, 'x-own': 'yes', 'x-flash-worker-token': WORKER_TOKEN },
  })
  const refused = await ask({ ':path': '/app/_flash/site/ping' })
  expect(refused).toMatchObject({ headers: { ':status': 400 }, json: { code: 'RESERVED_PATH' } })
  session.destroy()
  await close()
})
