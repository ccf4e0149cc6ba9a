import { connect } from 'node:net'
import WebSocket from 'crossws/websocket'
import { defineWebSocketHandler, H3 } from 'h3'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { TOKEN_HEADER } from '@flash/protocol'
import { contextStorage } from '../execute/context.ts'
import { createEndpoint, type TestEndpoint } from './testing.ts'

let endpoint: TestEndpoint
beforeEach(async () => (endpoint = await createEndpoint()))
afterEach(() => endpoint.close())

/** A client, and all that it hears. */
function dial(path: string, protocols: string[] = []) {
  const socket = new WebSocket(endpoint.url.replace('http', 'ws') + path, protocols)
  const heard: unknown[] = []
  socket.addEventListener('message', ({ data }) => heard.push(data))
  const closed = new Promise<{ code: number; reason: string }>((resolve) =>
    socket.addEventListener('close', ({ code, reason }) => resolve({ code, reason })),
  )
  const opened = new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve())
    socket.addEventListener('error', () => reject(new Error('not opened')))
  })
  opened.catch(() => {})
  return { socket, heard, closed, opened }
}

/** The answer to a request for a WebSocket, as bytes. */
function ask(path: string, headers: Record<string, string> = {}): Promise<string> {
  const wanted = {
    Host: 'shop.example',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
    ...headers,
  }
  const lines = Object.entries(wanted).map(([name, value]) => `${name}: ${value}\r\n`)
  return new Promise((resolve, reject) => {
    let text = ''
    const socket = connect(endpoint.server.port, '127.0.0.1', () =>
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`),
    )
    socket.on('data', (data) => (text += data)).on('error', reject)
    socket.on('close', () => resolve(text))
  })
}

describe('a route', () => {
  test('talks both ways: text and bytes, its params, its own URL, its context', async () => {
    const seen: unknown[] = []
    endpoint.route('WS', '/live/:room', {
      open(peer: any) {
        const { jobId, endpoint, signal } = contextStorage().getStore()!
        seen.push(
          peer.context.params,
          new URL(peer.request.url).pathname,
          typeof jobId,
          endpoint,
          signal.aborted,
        )
        signal.addEventListener('abort', () => seen.push('aborted'))
        peer.send('welcome')
      },
      message(peer: any, message: any) {
        peer.send(typeof message.rawData === 'string' ? `echo ${message.text()}` : message.uint8Array())
      },
      close: (_: unknown, { code, reason }: any) => void seen.push([code, reason]),
    })
    const { socket, heard, opened, closed } = dial('/live/a%20b?x=1')
    socket.binaryType = 'arraybuffer'
    await opened
    socket.send('hi')
    socket.send(new Uint8Array([1, 2]))
    await vi.waitFor(() => expect(heard).toHaveLength(3))
    expect(heard.slice(0, 2)).toEqual(['welcome', 'echo hi'])
    expect(new Uint8Array(heard[2] as ArrayBuffer)).toEqual(new Uint8Array([1, 2]))
    socket.close(4001, 'bye')
    await closed
    await vi.waitFor(() => expect(seen).toHaveLength(7))
    expect(seen.slice(0, 5)).toEqual([{ room: 'a b' }, '/live/a%20b', 'string', 'shop', false])
    expect(seen.slice(5)).toEqual(expect.arrayContaining([[4001, 'bye'], 'aborted']))
  })

  test('publishes to all who listen at the same path', async () => {
    endpoint.route('WS', '/chat', {
      open: (peer: any) => void peer.subscribe('all'),
      message: (peer: any, message: any) => void peer.publish('all', message.text()),
    })
    const [one, other] = [dial('/chat'), dial('/chat')]
    await Promise.all([one.opened, other.opened])
    one.socket.send('hello')
    await vi.waitFor(() => expect(other.heard).toEqual(['hello']))
    expect(one.heard).toEqual([])
  })

  test('new connections have new hooks, open ones keep theirs', async () => {
    const hooksOf = (version: string) => ({ message: (peer: any) => void peer.send(version) })
    endpoint.route('WS', '/live', hooksOf('old'))
    const old = dial('/live')
    await old.opened
    endpoint.route('WS', '/live', hooksOf('new'))
    const fresh = dial('/live')
    await fresh.opened
    for (const { socket } of [old, fresh]) socket.send('?')
    await vi.waitFor(() => expect([old.heard, fresh.heard]).toEqual([['old'], ['new']]))
  })

  test('refuses by its own answer, and chooses a protocol', async () => {
    endpoint.route('WS', '/live', {
      upgrade(request: Request) {
        if (!new URL(request.url).searchParams.has('key')) return new Response('no key', { status: 401 })
        return { protocol: 'chat', headers: { 'x-own': '1' } }
      },
    })
    expect(await ask('/live')).toMatch(/^HTTP\/1\.1 401 [^]*no key$/)
    const { socket, opened } = dial('/live?key=1', ['other', 'chat'])
    await opened
    expect(socket.protocol).toBe('chat')
  })

  test('a refusal is known as one of the worker’s program, whatever else it says it is', async () => {
    const headers = { 'x-flash-result': 'error', 'x-flash': '1', 'x-own': '1' }
    const redirect = Response.redirect('http://shop.example/', 302)
    const refusals = {
      returned: () => new Response('no', { status: 401, headers }),
      thrown: () => {
        throw new Response('no', { status: 401, headers })
      },
      redirected: () => redirect,
    }
    for (const [name, upgrade] of Object.entries(refusals)) {
      endpoint.route('WS', `/${name}`, { upgrade })
      const answer = await ask(`/${name}`)
      expect(answer).toMatch(name === 'redirected' ? /^HTTP\/1\.1 302 / : /^HTTP\/1\.1 401 [^]*no$/)
      expect(answer.match(/^x-flash.*$/gm)).toEqual(['x-flash-result: response'])
    }
    expect(endpoint.written.stderr).toBe('')
  })

  test('an answer of somebody else that an error carries is none of the program’s', async () => {
    endpoint.route('WS', '/live', {
      upgrade() {
        throw Object.assign(new Error('not fetched'), { response: new Response('no', { status: 401 }) })
      },
    })
    expect(await ask('/live')).not.toContain('x-flash-result')
    expect(endpoint.written.stderr).toContain('not fetched')
  })

  test('the refusal of a web app is known as one too', async () => {
    endpoint.web(new Hono().get('/live', (c) => c.text('no key', 401)))
    expect((await ask('/live')).match(/^x-flash.*$/gm)).toEqual(['x-flash-result: response'])
  })

  test('a hook that throws ends its connection, and the log says why', async () => {
    endpoint.route('WS', '/live', {
      message() {
        throw new Error('a secret')
      },
    })
    endpoint.route('WS', '/refuse', {
      upgrade() {
        throw new Error('not today')
      },
    })
    const { socket, opened, closed } = dial('/live')
    await opened
    socket.send('x')
    expect(await closed).toEqual({ code: 1011, reason: 'the worker failed' })
    expect(endpoint.written.stderr).toMatch(/^the hook "message" of a WebSocket threw: Error: a secret/)
    expect(await ask('/refuse')).toMatch(/^HTTP\/1\.1 500 /)
    expect(endpoint.written.stderr).toContain('not today')
  })

  test('what is none is refused and closed', async () => {
    endpoint.route('GET', '/plain', () => 'plain')
    endpoint.route('POST', '/plain', () => 'plain')
    const refused = await ask('/plain')
    expect(refused).toMatch(/^HTTP\/1\.1 426 [^]*connection: close/i)
    expect(refused).toContain('"code":"WEBSOCKET_UNSUPPORTED"')
    expect(await ask('/nothing')).toMatch(/^HTTP\/1\.1 404 [^]*"code":"NOT_FOUND"/)
  })

  test('another kind of upgrade is a plain request where Node can tell', async () => {
    endpoint.route('GET', '/plain', () => 'plain')
    const [major] = process.versions.node.split('.').map(Number)
    const answer = await ask('/plain', { Upgrade: 'h2c', Connection: 'Upgrade, close' })
    expect(answer).toMatch(major! >= 24 ? /^HTTP\/1\.1 200 [^]*"plain"/ : /^HTTP\/1\.1 426 /)
  })
})

describe('a web app', () => {
  test('of h3 opens by its own hooks, with its middleware', async () => {
    const app = new H3()
    app.use((event) => void event.res.headers.set('x-seen', '1'))
    app.get(
      '/socket/:name',
      defineWebSocketHandler({
        open: (peer) => void peer.send(new URL(peer.request.url).pathname),
        message: (peer, message) => void peer.send(`h3 ${message.text()}`),
      }),
    )
    endpoint.web(app)
    const { socket, heard, opened } = dial('/socket/a')
    await opened
    socket.send('x')
    await vi.waitFor(() => expect(heard).toEqual(['/socket/a', 'h3 x']))
    expect(await ask('/other')).toMatch(/^HTTP\/1\.1 404 /)
  })

  test('of any kind opens when its answer has hooks; else its answer is the refusal', async () => {
    const disposed = vi.fn()
    const app = new Hono()
      .get('/live', () =>
        Object.assign(new Response(null, { status: 426 }), {
          crossws: { message: (peer: any, message: any) => void peer.send(message.text()) },
        }),
      )
      .get('/fine', (c) => c.text('no socket'))
      .get('/private', (c) => c.text('not you', 401))
    endpoint.web(() => ({ fetch: app.fetch, dispose: disposed }))
    const { socket, heard, opened, closed } = dial('/live')
    await opened
    socket.send('x')
    await vi.waitFor(() => expect(heard).toEqual(['x']))
    expect(await ask('/fine')).toMatch(/^HTTP\/1\.1 426 /)
    expect(await ask('/private')).toMatch(/^HTTP\/1\.1 401 [^]*not you/)
    endpoint.web({ fetch: () => new Response('new') })
    await fetch(endpoint.url)
    expect(disposed).not.toHaveBeenCalled()
    socket.close()
    await closed
    await vi.waitFor(() => expect(disposed).toHaveBeenCalledTimes(1))
  })
})

test('a refusal may be long, and may break off; what is no request is refused too', async () => {
  let left = 200
  const pull = (controller: ReadableStreamDefaultController) =>
    left-- > 0 ? controller.enqueue(Buffer.alloc(65_536, 'x')) : controller.close()
  const broken = () => Promise.reject(new Error('half way'))
  endpoint.web({
    fetch: ({ url }: Request) =>
      new Response(new ReadableStream({ pull: url.endsWith('/long') ? pull : broken }), { status: 403 }),
  })
  const long = await ask('/long')
  expect(long.replaceAll(/[^x]/g, '').length).toBeGreaterThanOrEqual(200 * 65_536)
  expect(await ask('/broken')).not.toContain('half way')
  expect(await ask('/long', { 'Content-Length': '5' })).toMatch(/^HTTP\/1\.1 413 /)
})

test('the end tells all who are connected', async () => {
  endpoint.route('WS', '/live', {})
  const { opened, closed } = dial('/live')
  await opened
  expect(await endpoint.server.close()).toBe(0)
  expect(await closed).toEqual({ code: 1001, reason: 'the worker ends' })
})

test('where a token is wanted, nothing is opened without it, and nobody sees it', async () => {
  await endpoint.close()
  endpoint = await createEndpoint({}, { token: () => 'secret' })
  const seen = vi.fn()
  endpoint.route('WS', '/live', {
    upgrade(request: Request) {
      seen(request.headers.get(TOKEN_HEADER))
      return new Response('seen', { status: 403 })
    },
  })
  endpoint.route('WS', '/open', {
    open(peer: any) {
      seen(peer.request.headers.get(TOKEN_HEADER))
      peer.terminate()
    },
  })
  endpoint.route('GET', '/', ({ headers }: any) => headers.has(TOKEN_HEADER))
  for (const token of ['', 'wrong!', 'secret2'])
    expect(await ask('/live', token ? { [TOKEN_HEADER]: token } : {})).toMatch(
      /^HTTP\/1\.1 403 [^]*FORBIDDEN/,
    )
  expect(seen).not.toHaveBeenCalled()
  expect(await ask('/live', { [TOKEN_HEADER]: 'secret' })).toMatch(/seen$/)
  await ask('/open', { [TOKEN_HEADER]: 'secret' })
  expect(seen.mock.calls).toEqual([[null], [null]])
  expect((await fetch(endpoint.url)).status).toBe(403)
  const headers = { [TOKEN_HEADER]: 'secret' }
  expect(await (await fetch(endpoint.url, { headers })).json()).toBe(false)
})

test('before the worker has started, connections wait; when it cannot start, they are refused', async () => {
  await endpoint.close()
  endpoint = await createEndpoint({}, { ready: () => Promise.reject(new Error('no model')) })
  endpoint.route('WS', '/live', {})
  expect(await ask('/live')).toMatch(/^HTTP\/1\.1 500 [^]*"INTERNAL"/)
})
