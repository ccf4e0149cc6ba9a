import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  request,
  type ServerResponse,
} from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { AppError, createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createMovableClock, type EmulatorOptions } from '../emulator.ts'
import type { Seat } from '../endpoints/types.ts'
import { createCaller, startEmulator } from '../testing.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A worker's HTTP server, healthy from the start. */
async function openWorker(answer: RequestListener) {
  const server = createServer((incoming, response) => {
    if (incoming.url === '/ping') return void response.end()
    answer(incoming, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

async function start(answer: RequestListener, options: EmulatorOptions = {}) {
  const worker = await openWorker(answer)
  const clock = createMovableClock()
  const { emulator, own, errors } = await startEmulator({ clock, ...options })
  cleanUps.push(async () => {
    await emulator.close()
    expect(errors).toEqual([])
  })
  const { id, url } = emulator.addEndpoint({ name: 'api', kind: 'balanced', workersMax: 1 })
  const announced = await own('PUT', `/workers/${id}/w1`, { url: worker.url })
  expect(announced.status).toBe(204)
  const { advance } = { ...clock, ...options.clock }
  // Its health is looked at once a second.
  await vi.waitFor(() => {
    advance(1_000)
    expect(emulator.endpoints.get(id)!.counts().idle).toBe(1)
  })
  return { emulator, id, url, own, errors, server: worker.server, call: createCaller(url) }
}

const echo = async (incoming: IncomingMessage, response: ServerResponse) => {
  let body = ''
  for await (const chunk of incoming) body += chunk
  const { method, url, headers } = incoming
  response.writeHead(201, { 'content-type': 'application/json', 'x-own': 'yes', 'keep-alive': 'timeout=1' })
  response.end(JSON.stringify({ method, url, headers, body }))
}

describe('a request', () => {
  test('reaches the worker as it was, but without the key', async () => {
    const { call, url } = await start(echo)
    const answer = await call('PUT', '/a%20b/c?x=1&y', 'text', { 'x-mine': '1', 'proxy-connection': 'x' })
    expect(answer.status).toBe(201)
    expect(answer.headers.get('x-runpod-worker-id')).toBe('w1')
    expect(answer.headers.get('x-own')).toBe('yes')
    expect(answer.headers.get('keep-alive')).not.toBe('timeout=1')
    expect(answer.body).toMatchObject({ method: 'PUT', url: '/a%20b/c?x=1&y', body: 'text' })
    expect(answer.body.headers).toMatchObject({ 'x-mine': '1', host: new URL(url).host })
    for (const gone of ['authorization', 'proxy-connection', 'x-runpod-worker-id'])
      expect(answer.body.headers).not.toHaveProperty(gone)
  })

  test.each([
    ['', '/'],
    ['?q=1', '/?q=1'],
    ['/', '/'],
  ])('with the path %j asks for %s', async (path, wanted) => {
    const { call } = await start(echo)
    expect((await call('GET', path)).body.url).toBe(wanted)
  })

  test('finds the endpoint by its host name, too', async () => {
    const { emulator, id } = await start(echo)
    const ask = (host: string) =>
      new Promise<number>((resolve, reject) => {
        const headers = { host, authorization: 'emulator' }
        request(`${emulator.url}/v2/x`, { headers }, (answer) => {
          answer.resume()
          resolve(answer.statusCode!)
        })
          .on('error', reject)
          .end()
      })
    expect(await ask(`${id}.localhost:80`)).toBe(201)
    expect(await ask(`${id}.data.localhost`)).toBe(201)
    expect(await ask(`${id}.127.0.0.1:80`)).toBe(201)
    expect(await ask(`flash.localhost`)).toBe(404)
    expect(await ask(`nobody.localhost`)).toBe(404)
    expect(await ask(`${id}.evil.example`)).toBe(403)
  })

  test('streams both ways as it comes', async () => {
    const { url } = await start((incoming, response) => void incoming.pipe(response))
    const headers = { authorization: 'Bearer emulator' }
    await new Promise<void>((resolve, reject) => {
      const out = request(url, { method: 'POST', headers }, (answer) => {
        answer.setEncoding('utf8').once('data', (first) => {
          expect(first).toBe('one')
          answer.once('data', (second) => {
            expect(second).toBe('two')
            answer.once('end', resolve)
            out.end()
          })
          out.write('two')
        })
      })
      out.on('error', reject)
      out.write('one')
    })
  })

  test('HEAD and 304 have no body', async () => {
    const { call } = await start((incoming, response) => {
      response.writeHead(incoming.method === 'HEAD' ? 200 : 304, {
        etag: '"x"',
        'content-length': 99_000_000,
      })
      response.end()
    })
    const head = await call('HEAD', '/')
    expect([head.status, head.headers.get('content-length'), head.body]).toEqual([200, '99000000', ''])
  })

  test('needs the key', async () => {
    const { url } = await start(echo)
    for (const key of ['wrong', '']) expect((await createCaller(url, key)('GET', '/')).status).toBe(401)
  })

  test('of a caller that leaves ends at the worker', async () => {
    let closed = () => {}
    const gone = new Promise<void>((resolve) => (closed = resolve))
    let reached = () => {}
    const here = new Promise<void>((resolve) => (reached = resolve))
    const { url } = await start((incoming) => {
      incoming.once('close', closed)
      reached()
    })
    const leaving = new AbortController()
    const left = fetch(url, { headers: { authorization: 'emulator' }, signal: leaving.signal })
    await here
    leaving.abort()
    await expect(left).rejects.toThrow()
    await gone
  })
})

describe('limits', () => {
  const limits = { balanced: { bytes: 1_000 } }

  test('a request over the size is 413, told or not', async () => {
    const { call, url } = await start(echo, { limits })
    expect((await call('POST', '/', 'x'.repeat(1_001))).status).toBe(413)
    const body = new Blob(['x'.repeat(5_000)]).stream()
    const headers = { authorization: 'emulator' }
    const untold = await fetch(url, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
    expect([untold.status, await untold.json()]).toEqual([
      413,
      { error: expect.stringMatching(/1000 bytes/) },
    ])
  })

  test('an answer over the size is 413, or breaks off', async () => {
    const { call } = await start(
      (incoming, response) => {
        if (incoming.url === '/told') response.setHeader('content-length', 2_000)
        else response.write('x'.repeat(500))
        response.end('x'.repeat(incoming.url === '/told' ? 2_000 : 1_500))
      },
      { limits },
    )
    const told = await call('GET', '/told')
    expect([told.status, told.headers.get('x-runpod-worker-id')]).toEqual([413, 'w1'])
    await expect(call('GET', '/untold')).rejects.toThrow()
  })

  test('5.5 minutes of work', async () => {
    const clock = createTestClock()
    let reached = () => {}
    const here = new Promise<void>((resolve) => (reached = resolve))
    const { call } = await start(() => reached(), { clock })
    const answer = call('GET', '/')
    await here
    clock.advance(329_999)
    clock.advance(1)
    expect(await answer).toMatchObject({ status: 504, body: { error: expect.stringMatching(/too long/) } })
  })

  test('2 minutes without a worker', async () => {
    const clock = createTestClock()
    const { emulator, errors } = await startEmulator({ clock })
    cleanUps.push(async () => {
      await emulator.close()
      expect(errors).toEqual([])
    })
    const { id, url } = emulator.addEndpoint({ name: 'api', kind: 'balanced' })
    const seat = vi.spyOn(emulator.endpoints.get(id)!, 'seat')
    const answer = createCaller(url)('GET', '/')
    await vi.waitFor(() => expect(seat).toHaveBeenCalled(), { interval: 1 })
    clock.advance(120_000)
    expect(await answer).toMatchObject({ status: 400, body: { error: 'no workers available' } })
  })
})

test('a worker that breaks off is 502, before its answer and inside it', async () => {
  const { call } = await start((incoming, response) => {
    if (incoming.url === '/inside') response.write('half')
    setImmediate(() => incoming.socket.destroy())
  })
  expect(await call('GET', '/before')).toMatchObject({ status: 502, body: { error: expect.any(String) } })
  await expect(call('GET', '/inside')).rejects.toThrow()
})

test('affinity: the worker that is asked for, or what is known about it', async () => {
  const { call } = await start(echo)
  for (const asked of ['w1', 'strict w1', 'other'])
    expect(
      (await call('GET', '/', undefined, { 'x-runpod-worker-id': asked })).headers.get('x-runpod-worker-id'),
    ).toBe('w1')
  expect(await call('GET', '/', undefined, { 'x-runpod-worker-id': 'strict other' })).toMatchObject({
    status: 404,
    body: { error: 'affinity_worker_gone' },
  })
})

test('a worker that is asked for and stays busy is waited for, so long', async () => {
  const clock = createTestClock()
  const { call, emulator, id } = await start(() => {}, { clock })
  const seat = vi
    .spyOn(emulator.endpoints.get(id)!, 'seat')
    .mockRejectedValue(new AppError('WORKER_TIMEOUT', { message: 'no' }))
  const answer = await call('GET', '/', undefined, { 'x-runpod-worker-id': 'strict w1' })
  expect([answer.status, answer.body]).toEqual([400, { error: expect.stringMatching(/^worker_timeout/) }])
  expect(seat.mock.lastCall![0].affinity).toBe('strict w1')
})

test('an error of the emulator’s own is 500, and told to whoever runs it', async () => {
  const { call, emulator, id, errors } = await start(echo)
  const error = new Error('a defect')
  vi.spyOn(emulator.endpoints.get(id)!, 'seat').mockRejectedValue(error)
  expect(await call('GET', '/')).toMatchObject({ status: 500, body: { error: 'internal error' } })
  expect(errors.splice(0)).toEqual([error])
})

test('a queue endpoint is not for this', async () => {
  const { emulator } = await start(echo)
  const { id } = emulator.addEndpoint({ name: 'queue' })
  const call = createCaller(`${emulator.url}/lb/${id}`)
  expect(await call('GET', '/x')).toMatchObject({ status: 400, body: { error: 'not allowed for QB API' } })
  expect((await createCaller(`${emulator.url}/lb/nobody`)('GET', '/')).status).toBe(404)
})

describe('faults', () => {
  test('happen before the worker is asked, or after it has answered', async () => {
    let asked = 0
    const { call, emulator, id } = await start((_, response) => {
      asked++
      response.end('a long answer')
    })
    const { faults } = emulator
    faults.add({ kind: 'rateLimit', plane: 'balanced', retryAfterSeconds: 3, endpoint: id, times: 1 })
    const limited = await call('GET', '/')
    expect([limited.status, limited.headers.get('retry-after'), asked]).toEqual([429, '3', 0])
    faults.add({ kind: 'serverError', plane: 'balanced', status: 503, times: 1 })
    expect([(await call('GET', '/')).status, asked]).toEqual([503, 0])
    faults.add({ kind: 'lostResponse', plane: 'balanced', times: 1 })
    await expect(call('GET', '/')).rejects.toThrow()
    faults.add({ kind: 'truncatedBody', plane: 'balanced', times: 1 })
    await expect(call('GET', '/')).rejects.toThrow()
    expect(asked).toBe(2)
    expect((await call('GET', '/')).body).toBe('a long answer')
  })
})

describe('WebSockets', () => {
  /** Sends an upgrade by hand, so that the bytes are seen. */
  function upgrade(url: string, headers: string[], options: { allowHalfOpen?: boolean } = {}) {
    const { port, pathname, host } = new URL(url)
    const socket = connect({ port: Number(port), host: '127.0.0.1', ...options })
    cleanUps.push(() => socket.destroy())
    const lines = [
      `GET ${pathname}/chat?x=1 HTTP/1.1`,
      `Host: ${host}`,
      'Connection: Upgrade',
      'Upgrade: websocket',
      ...headers,
    ]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    socket.on('error', () => {})
    const until = (pattern: RegExp) =>
      vi.waitFor(() => expect(text).toMatch(pattern), { interval: 1, timeout: 5_000 })
    const ended = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    return { socket, until, ended }
  }

  test('pass through both ways, after the key was shown', async () => {
    const { url, server } = await start(echo)
    let closed = () => {}
    const gone = new Promise<void>((resolve) => (closed = resolve))
    server.on('upgrade', (incoming, socket) => {
      expect(incoming.headers).not.toHaveProperty('authorization')
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\nfirst ${incoming.url}`,
      )
      socket.on('data', (chunk: Buffer) => socket.write(`got ${chunk}`))
      socket.on('error', () => {})
      socket.once('end', closed)
    })
    const { socket, until } = upgrade(url, ['Authorization: Bearer emulator'])
    await until(
      /^HTTP\/1\.1 101 [^]*Sec-WebSocket-Accept: x\r\n[^]*X-Runpod-Worker-Id: w1\r\n\r\nfirst \/chat\?x=1$/,
    )
    socket.write('hello')
    await until(/got hello$/)
    socket.destroy()
    await gone
  })

  test('are refused without the key, at a queue, and when the worker does not want them', async () => {
    const { url, emulator } = await start((_, response) =>
      response.writeHead(403, { 'x-why': 'no' }).end('no'),
    )
    const key = 'Authorization: emulator'
    await upgrade(url, []).until(/^HTTP\/1\.1 401 /)
    await upgrade(url, [key]).until(/^HTTP\/1\.1 403 Forbidden\r\n[^]*x-why: no[^]*no$/i)
    const { id } = emulator.addEndpoint({ name: 'queue' })
    await upgrade(`${emulator.url}/lb/${id}`, [key]).until(/^HTTP\/1\.1 400 [^]*QB API/)
    await upgrade(`${emulator.url}/v2/x`, [key]).until(/^HTTP\/1\.1 400 /)
    emulator.faults.add({ kind: 'serverError', plane: 'balanced', status: 502, times: 1 })
    await upgrade(url, [key]).until(/^HTTP\/1\.1 502 /)
  })

  test('keep the bytes of their headers', async () => {
    const { url, server } = await start(echo)
    server.on('upgrade', (incoming, socket) => {
      const name = incoming.headers['x-name'] as string
      socket.on('error', () => {})
      socket.write(
        `HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Name: ${name}\r\n\r\n`,
        'latin1',
      )
    })
    const { until } = upgrade(url, ['Authorization: emulator', 'X-Name: zoë'])
    await until(/\r\nX-Name: zoë\r\n/)
  })

  test('that a worker refuses free it, although the caller stays', async () => {
    const { url, emulator, id } = await start((_, response) => response.writeHead(403).end('no'))
    const { until } = upgrade(url, ['Authorization: emulator'], { allowHalfOpen: true })
    await until(/^HTTP\/1\.1 403 /)
    await vi.waitFor(() =>
      expect(emulator.endpoints.get(id)!.counts()).toMatchObject({ running: 0, idle: 1 }),
    )
  })

  test('that a worker does not answer end after 5.5 minutes', async () => {
    const clock = createMovableClock()
    const { url, server } = await start(echo, { clock })
    const asked = new Promise<void>((resolve) => server.on('upgrade', () => resolve()))
    const { until, ended } = upgrade(url, ['Authorization: emulator'])
    await asked
    clock.advance(330_000)
    await until(/^HTTP\/1\.1 504 /)
    await ended
  })

  test('may have been spoken on before there was a worker', async () => {
    const { url, emulator, id, server } = await start(echo)
    let heard = 0
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
      socket.on('data', (chunk: Buffer) => {
        heard += chunk.length
        if (heard === 200_000) socket.write('all')
      })
    })
    const endpoint = emulator.endpoints.get(id)!
    const real = await endpoint.seat({ signal: new AbortController().signal })
    let given: (seat: Seat) => void = () => {}
    const seat = vi
      .spyOn(endpoint, 'seat')
      .mockImplementation(() => new Promise((resolve) => (given = resolve)))
    const { socket, until } = upgrade(url, ['Authorization: emulator'])
    socket.write('x'.repeat(200_000))
    await vi.waitFor(() => expect(seat).toHaveBeenCalled(), { interval: 1 })
    await createCaller(emulator.url)('GET', '/v2/serverless')
    given(real)
    await until(/all$/)
  })

  test('of a caller that does not wait for a worker are let go', async () => {
    const { url, emulator, id } = await start(echo)
    let given: (seat: Seat) => void = () => {}
    const release = vi.fn()
    const seat = vi
      .spyOn(emulator.endpoints.get(id)!, 'seat')
      .mockImplementation(() => new Promise((resolve) => (given = resolve)))
    const { socket, ended } = upgrade(url, ['Authorization: emulator'])
    await vi.waitFor(() => expect(seat).toHaveBeenCalled(), { interval: 1 })
    const { signal } = seat.mock.lastCall![0]
    socket.destroy()
    await ended
    await vi.waitFor(() => expect(signal.aborted).toBe(true), { interval: 1 })
    given({ workerId: 'w1', url: 'http://127.0.0.1:1', release })
    await vi.waitFor(() => expect(release).toHaveBeenCalled(), { interval: 1 })
  })

  test('end when the emulator does', async () => {
    const { url, server, emulator } = await start(echo)
    server.on('upgrade', (_, socket) => {
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    const { until, ended } = upgrade(url, ['Authorization: emulator'])
    await until(/101/)
    await emulator.close()
    await ended
  })
})
