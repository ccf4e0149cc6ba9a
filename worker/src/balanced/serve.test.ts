import { Agent, request as send } from 'node:http'
import { connect } from 'node:net'
import { gzipSync } from 'node:zlib'
import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type BalancedOptions, type BalancedServer, serveBalanced } from './serve.ts'

const open: BalancedServer[] = []
afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

async function serve(fetch: BalancedOptions['fetch'], more: Partial<BalancedOptions> = {}) {
  const server = await serveBalanced({ fetch, port: 0, host: '127.0.0.1', ...more })
  open.push(server)
  return { server, url: `http://127.0.0.1:${server.port}` }
}

function createGate<T = void>() {
  let settle: { resolve(value: T): void; reject(error: unknown): void }
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }))
  promise.catch(() => {})
  return { promise, ...settle! }
}

/** All that comes back for these bytes until the connection ends. */
function exchange(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = ''
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes))
    socket
      .on('data', (data) => (answer += data))
      .on('error', () => {})
      .on('close', () => resolve(answer))
  })
}

describe('health', () => {
  test('204 while it starts, then 200; a request waits for that', async () => {
    const ready = createGate()
    const fetched = vi.fn(() => new Response('here'))
    const { url } = await serve(fetched, { ready: ready.promise })
    const starting = await fetch(`${url}/ping`)
    expect([starting.status, await starting.text()]).toEqual([204, ''])
    const answer = fetch(`${url}/early`)
    await fetch(`${url}/ping?again`)
    expect(fetched).not.toHaveBeenCalled()
    ready.resolve()
    expect(await (await answer).text()).toBe('here')
    const healthy = await fetch(`${url}/ping`)
    expect([healthy.status, await healthy.json()]).toEqual([200, { status: 'healthy' }])
  })

  test('503 when it could not start, for requests too', async () => {
    const ready = createGate()
    const { url } = await serve(() => new Response(), { ready: ready.promise })
    const early = fetch(url)
    ready.reject(new Error('no model'))
    expect((await early).status).toBe(503)
    expect((await fetch(`${url}/ping`)).status).toBe(503)
    const late = await fetch(url)
    expect([late.status, await late.json()]).toMatchObject([503, { code: 'WORKER_UNAVAILABLE' }])
  })

  test('on a port of its own, and on another path', async () => {
    const { server, url } = await serve(() => new Response('page'), { healthPort: 0, port: 0 })
    expect(server.healthPort).toBe(server.port)
    expect((await fetch(`${url}/ping`)).status).toBe(200)
    const free = await serve(() => new Response())
    const { healthPort: taken } = free.server
    await free.server.close()
    const apart = await serve(() => new Response('page'), { healthPort: taken, healthPath: '/alive' })
    const checks = `http://127.0.0.1:${apart.server.healthPort}`
    expect(apart.server.healthPort).toBe(taken)
    expect((await fetch(`${checks}/alive`)).status).toBe(200)
    expect((await fetch(`${checks}/other`)).status).toBe(404)
    expect((await fetch(`${apart.url}/alive`)).status).toBe(200)
    expect(await (await fetch(`${apart.url}/ping`)).text()).toBe('page')
  })

  test('a port that is taken is told, and nothing is left open', async () => {
    const { server } = await serve(() => new Response())
    await expect(serve(() => new Response(), { port: server.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    })
    await expect(serve(() => new Response(), { healthPort: server.port })).rejects.toThrow(/EADDRINUSE/)
  })
})

describe('requests', () => {
  test('method, path, headers, body and the other end arrive', async () => {
    const { url } = await serve(async (request, info) =>
      Response.json({
        method: request.method,
        url: request.url,
        tags: request.headers.get('x-tag'),
        body: await request.text(),
        from: info.remoteAddress,
      }),
    )
    const answer = await fetch(`${url}/a%20b?c=1`, { method: 'PUT', body: 'text', headers: { 'x-tag': '1' } })
    expect(await answer.json()).toEqual({
      method: 'PUT',
      url: `${url}/a%20b?c=1`,
      tags: '1',
      body: 'text',
      from: '127.0.0.1',
    })
    expect(await (await fetch(url)).json()).toMatchObject({ method: 'GET', body: '' })
  })

  test('status, headers, cookies and an empty body come back', async () => {
    const { url } = await serve(({ method }) => {
      const headers = new Headers({ 'x-a': '1' })
      headers.append('set-cookie', 'a=1')
      headers.append('set-cookie', 'b=2')
      return new Response(method === 'HEAD' ? 'unseen' : null, { status: 202, statusText: 'Fine', headers })
    })
    const answer = await fetch(url, { method: 'POST' })
    expect([answer.status, answer.statusText, answer.headers.get('x-a')]).toEqual([202, 'Fine', '1'])
    expect(answer.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect(await (await fetch(url, { method: 'HEAD' })).text()).toBe('')
  })

  test('bodies stream, both ways', async () => {
    const { url } = await serve(
      ({ body }) =>
        new Response(body!.pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream())),
    )
    const { port } = new URL(url)
    const heard = await new Promise<string[]>((resolve, reject) => {
      const pieces: string[] = []
      const sent = send({ port, method: 'POST', path: '/' }, (answer) => {
        answer.setEncoding('utf8').on('data', (text) => {
          pieces.push(text)
          if (pieces.length === 1) sent.end('second')
        })
        answer.on('end', () => resolve(pieces)).on('error', reject)
      })
      sent.write('first')
    })
    expect(heard).toEqual(['first', 'second'])
  })

  test('an answer waits for a reader that is slow', async () => {
    let made = 0
    const endless = () =>
      new ReadableStream({
        pull: (controller) =>
          ++made > 2_000 ? controller.close() : controller.enqueue(new Uint8Array(65_536)),
      })
    const { url } = await serve(() => new Response(endless()))
    const answer = await fetch(url)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const before = made
    expect(before).toBeLessThan(1_000)
    expect((await answer.arrayBuffer()).byteLength).toBe(2_000 * 65_536)
  })

  test('a client that leaves aborts the signal, and the body of the answer', async () => {
    const aborted = createGate<unknown>()
    const cancelled = createGate<unknown>()
    const { url } = await serve(({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve(signal.reason))
      return new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(new Uint8Array(1)),
          cancel: cancelled.resolve,
        }),
      )
    })
    const leave = new AbortController()
    const answer = await fetch(url, { signal: leave.signal })
    await answer.body!.getReader().read()
    leave.abort()
    expect(await aborted.promise).toMatchObject({ name: 'AbortError' })
    expect(await cancelled.promise).toMatchObject({ message: 'the client is gone' })
  })

  test('a client that leaves before the answer aborts the signal', async () => {
    const started = createGate()
    const aborted = createGate()
    const write = vi.fn()
    const { url } = await serve(
      ({ signal }) =>
        new Promise((_, reject) => {
          started.resolve()
          signal.addEventListener('abort', () => {
            aborted.resolve()
            reject(signal.reason)
          })
        }),
      { write },
    )
    const leave = new AbortController()
    const answer = fetch(url, { signal: leave.signal }).catch(() => {})
    await started.promise
    leave.abort()
    await aborted.promise
    await answer
    expect(write).not.toHaveBeenCalled()
  })

  for (const [what, body] of [
    ['that says so', 'x'.repeat(11)],
    ['as it comes', new Blob(['x'.repeat(6), 'y'.repeat(6)]).stream()],
  ] as const) {
    test(`a body over the limit is refused: ${what}`, async () => {
      const { url } = await serve(async (request) => new Response(await request.text()), { maxBodyBytes: 10 })
      const answer = await fetch(url, { method: 'POST', body, duplex: 'half' } as RequestInit)
      expect([answer.status, await answer.json()]).toMatchObject([413, { code: 'PAYLOAD_TOO_LARGE' }])
      expect((await fetch(url, { method: 'POST', body: 'x'.repeat(10) })).status).toBe(200)
    })
  }

  test('a body that nobody reads, or not to its end, leaves the connection usable', async () => {
    const { server } = await serve(async (request) => {
      if (request.headers.has('x-begin')) await request.body!.getReader().read()
      if (request.headers.has('x-cancel')) await request.body!.cancel()
      return new Response(request.method)
    })
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const ask = (method: string, headers: Record<string, string> = {}, body?: Buffer) =>
      new Promise<string>((resolve, reject) => {
        const sent = send({ agent, port: server.port, method, headers }, (answer) => {
          answer.setEncoding('utf8').on('data', resolve)
        })
        sent.on('error', reject).end(body)
      })
    const large = Buffer.alloc(5_000_000)
    for (const headers of [{}, { 'x-begin': '1' }, { 'x-cancel': '1' }] as Record<string, string>[]) {
      expect(await ask('POST', headers, large)).toBe('POST')
      expect(await ask('GET')).toBe('GET')
    }
    agent.destroy()
  })

  test('a client that leaves within its body fails reading it', async () => {
    const read = createGate<unknown>()
    const { server } = await serve(async (request) => {
      read.resolve(await request.text().catch((error: unknown) => error))
      return new Response()
    })
    const sent = send({ port: server.port, method: 'POST', headers: { 'content-length': 100 } })
    sent.on('error', () => {})
    sent.write('begin', () => setImmediate(() => sent.destroy()))
    expect(await read.promise).toMatchObject({ message: 'the client left before its body was whole' })
  })

  test('what a handler throws is 500 without its words, and told in the log', async () => {
    const write = vi.fn()
    const { url } = await serve(
      () => {
        throw new Error('a secret')
      },
      { write },
    )
    const answer = await fetch(url)
    expect([answer.status, await answer.json()]).toEqual([
      500,
      { error: 'the worker failed at the request; its log says why', code: 'INTERNAL' },
    ])
    expect(write.mock.calls[0]![0]).toMatch(/^GET \/, request [\w-]{36}:\nError: a secret\n +at/)
  })

  test('an answer that breaks off breaks the connection', async () => {
    const write = vi.fn()
    const broken = () =>
      new ReadableStream({
        pull(controller) {
          controller.error(new Error('half way'))
        },
        start: (controller) => controller.enqueue(new Uint8Array(1)),
      })
    const { url } = await serve(() => new Response(broken()), { write })
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
    expect(write.mock.calls[0]![0]).toContain('half way')
  })

  for (const [what, give] of [
    ['nothing', () => undefined],
    ['an error of the network', () => Response.error()],
    ['a text', () => 'text'],
    [
      'a body that was read',
      async () => {
        const response = new Response('read')
        await response.text()
        return response
      },
    ],
  ] as [string, () => Response | Promise<Response>][]) {
    test(`${what} instead of an answer is 500, and told in the log`, async () => {
      const write = vi.fn()
      const { url } = await serve(give, { write })
      const answer = await fetch(url)
      expect([answer.status, await answer.json()]).toMatchObject([500, { code: 'INTERNAL' }])
      expect(write.mock.calls[0]![0]).toMatch(/^GET \/, request .*:\nTypeError: `fetch` gave /)
    })
  }

  for (const [what, length, body] of [
    ['longer', '4', 'bodyHTTP/1.1 200 OK'],
    ['shorter', '40', 'body'],
    ['not', 'four', 'body'],
  ]) {
    test(`a body that is ${what} of the length that it says never meets the next answer`, async () => {
      const write = vi.fn()
      const { server } = await serve(() => new Response(body, { headers: { 'content-length': length! } }), {
        write,
      })
      const text = await exchange(server.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(2))
      expect(text).not.toContain('bodyHTTP')
      expect(text.match(/HTTP\/1.1 200/g)).toHaveLength(1)
      expect(write.mock.calls[0]![0]).toContain('ERR_HTTP_CONTENT_LENGTH_MISMATCH')
    })
  }

  test('headers of another connection are not passed on', async () => {
    const headers = { 'transfer-encoding': 'gzip', 'keep-alive': 'timeout=1', 'content-length': '4' }
    const { server } = await serve(({ method }) =>
      method === 'PUT' ? new Response(null, { status: 204, headers }) : new Response('body', { headers }),
    )
    const close = 'Host: a\r\nConnection: close\r\n\r\n'
    const text = await exchange(server.port, `GET / HTTP/1.1\r\n${close}`)
    expect(text).toMatch(/content-length: 4\r\n/)
    expect(text).not.toMatch(/gzip|timeout=1/)
    expect(await exchange(server.port, `PUT / HTTP/1.1\r\n${close}`)).not.toContain('content-length')
  })

  test('what another server answers can be passed on, also when its body was compressed', async () => {
    const packed = gzipSync('whole '.repeat(100))
    const headers = { 'content-encoding': 'gzip', 'content-length': String(packed.length), 'x-a': '1' }
    const { url: other } = await serve(() => new Response(packed, { headers }))
    const { url } = await serve(() => fetch(other))
    const answer = await fetch(url)
    expect([await answer.text(), answer.headers.get('x-a')]).toEqual(['whole '.repeat(100), '1'])
    const { url: plain } = await serve(() => new Response(packed, { headers }))
    expect(await (await fetch(plain)).text()).toBe('whole '.repeat(100))
  })

  test('an item that is no bytes ends what makes the others', async () => {
    const cancelled = createGate<unknown>()
    const items = () =>
      new ReadableStream({ start: (controller) => controller.enqueue(7), cancel: cancelled.resolve })
    const { url } = await serve(() => new Response(items()))
    await expect(fetch(url).then((answer) => answer.text())).rejects.toThrow()
    await cancelled.promise
  })

  for (const [what, line, status] of [
    ['a method of proxies', 'TRACE / HTTP/1.1\r\nHost: a', 400],
    ['a whole address', 'GET http://elsewhere/x?y=1 HTTP/1.1\r\nHost: a', 200],
    ['a host that is none', 'GET /x HTTP/1.1\r\nHost: a b/c', 200],
    ['a path that looks like a host', 'GET //elsewhere/x HTTP/1.1\r\nHost: a', 200],
  ] as const) {
    test(`${what} is ${status}`, async () => {
      const seen = vi.fn((request: Request) => new Response(request.url))
      const { server } = await serve(seen)
      const text = await exchange(server.port, `${line}\r\nConnection: close\r\n\r\n`)
      expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `))
      if (status === 200) expect(text).not.toContain('http://elsewhere')
      if (line.includes('?')) expect(text).toContain('/x?y=1')
    })
  }
})

describe('requests behind another one on their connection', () => {
  const count = 20

  async function pipeline(more: Partial<BalancedOptions> = {}) {
    const [all, aborted] = [createGate(), createGate()]
    const cancelled = createGate()
    const counts = { started: 0, aborted: 0, cancelled: 0 }
    const made = await serve(
      ({ signal, url }) => {
        const first = createGate<Response>()
        signal.addEventListener('abort', () => {
          first.resolve(new Response())
          if (++counts.aborted > count) aborted.resolve()
        })
        if (++counts.started > count) all.resolve()
        if (url.endsWith('/first')) return first.promise
        if (url.endsWith('/quick')) return new Response('quick')
        const pull = (controller: ReadableStreamDefaultController) =>
          controller.enqueue(new Uint8Array(65_536))
        const cancel = () => void (++counts.cancelled === count / 2 && cancelled.resolve())
        return new Response(new ReadableStream({ pull, cancel }))
      },
      { clock: createTestClock(), ...more },
    )
    const ask = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`
    const client = connect(made.server.port, '127.0.0.1', () =>
      client.write(ask('/first') + `${ask('/quick')}${ask('/stream')}`.repeat(count / 2)),
    )
    client.on('error', () => {})
    await all.promise
    return { ...made, client, aborted: aborted.promise, cancelled: cancelled.promise }
  }

  test('end with it', async () => {
    const warn = vi.fn()
    process.on('warning', warn)
    const { client, aborted, cancelled } = await pipeline()
    client.destroy()
    await aborted
    await cancelled
    process.off('warning', warn)
    expect(warn).not.toHaveBeenCalled()
  })

  test('end with the worker', async () => {
    const clock = createTestClock()
    const { aborted, cancelled, server } = await pipeline({ clock, shutdownMs: 1_000 })
    const closed = server.close()
    clock.advance(1_000)
    expect(await closed).toBe(1)
    await aborted
    await cancelled
  })

  test('are waited for no more once it is gone', async () => {
    const first = createGate<Response>()
    const left = createGate()
    const started = createGate()
    const { server } = await serve(
      ({ signal, url }) => {
        signal.addEventListener('abort', () => left.resolve())
        if (url.endsWith('/first')) return first.promise
        started.resolve()
        return new Response('quick')
      },
      { clock: createTestClock() },
    )
    const client = connect(server.port, '127.0.0.1', () =>
      client.write('GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /quick HTTP/1.1\r\nHost: a\r\n\r\n'),
    )
    await started.promise
    client.destroy()
    await left.promise
    first.resolve(new Response())
    expect(await server.close()).toBe(0)
  })

  test('are answered in their order', async () => {
    const first = createGate<Response>()
    const { server } = await serve(({ url }) => {
      if (url.endsWith('/first')) return first.promise
      first.resolve(new Response('1st'))
      return new Response('2nd')
    })
    const close = 'Connection: close\r\n'
    const text = await exchange(
      server.port,
      `GET /first HTTP/1.1\r\nHost: a\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n${close}\r\n`,
    )
    expect(text).toMatch(/1st[^]*2nd/)
  })
})

describe('the end', () => {
  test('what runs comes to its end, health checks say 503, new requests go elsewhere', async () => {
    const [started, finish] = [createGate(), createGate()]
    const { server, url } = await serve(async () => {
      started.resolve()
      await finish.promise
      return new Response('whole')
    })
    const answer = fetch(url)
    await started.promise
    const closed = server.close()
    expect(server.close()).toBe(closed)
    expect((await fetch(`${url}/ping`)).status).toBe(503)
    expect((await fetch(url)).status).toBe(503)
    finish.resolve()
    expect(await (await answer).text()).toBe('whole')
    expect(await closed).toBe(0)
    await expect(fetch(url)).rejects.toThrow()
  })

  test('what runs too long is aborted', async () => {
    const clock = createTestClock()
    const started = createGate()
    const aborted = createGate<unknown>()
    const { server, url } = await serve(
      ({ signal }) =>
        new Promise<Response>(() => {
          signal.addEventListener('abort', () => aborted.resolve(signal.reason))
          started.resolve()
        }),
      { clock, shutdownMs: 5_000 },
    )
    const answer = fetch(url).catch((error) => error)
    await started.promise
    const closed = server.close()
    clock.advance(5_000)
    expect(await closed).toBe(1)
    expect(await aborted.promise).toMatchObject({ code: 'CANCELLED' })
    expect(await answer).toBeInstanceOf(Error)
  })

  test('requests that wait for a start do not wait for ever', async () => {
    const { server, url } = await serve(() => new Response(), { ready: new Promise(() => {}) })
    const early = fetch(url)
    await fetch(`${url}/ping`)
    const closed = server.close()
    expect((await early).status).toBe(503)
    expect(await closed).toBe(0)
  })
})
