import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { createTestClock, RemoteError } from '@flash/protocol'
import createAdapter from 'crossws/adapters/node'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bindSocket, bindWeb, type LocalRuntime, serverSocket, serverWeb } from '../index.ts'
import { openRemoteSocket } from './remote-socket.ts'

const ref = 'aaaaaaaaaaaaaaaa.bbbbbbbbbbbbbbbb'
const info = { name: 'live', at: 'src/live.ts:5' }
const devKey = Symbol.for('unplugin-flash.dev')
const shared = globalThis as { [key: symbol]: Map<string, LocalRuntime> | undefined }

let closing: (() => void)[]
beforeEach(() => {
  closing = []
  vi.stubEnv('NODE_ENV', 'test')
})
afterEach(() => {
  for (const close of closing) close()
  vi.unstubAllGlobals()
  vi.unstubAllEnvs()
  delete shared[devKey]
})

interface Upgrading {
  requests: IncomingMessage[]
  url: string
  /** Sockets of the other side that are open. */
  peers: Set<unknown>
}

type Upgrade = (request: IncomingMessage, socket: Duplex, head: Buffer) => unknown

async function listen(upgrade?: Upgrade): Promise<Upgrading & { server: Server }> {
  const requests: IncomingMessage[] = []
  const peers = new Set<unknown>()
  const server = createServer()
  const adapter = createAdapter({
    hooks: {
      upgrade: () => ({ headers: { 'sec-websocket-protocol': 'flash.v1' } }),
      open(peer) {
        peers.add(peer)
        peer.send('hello')
      },
      message: (peer, message) => void peer.send(message.rawData),
      close: (peer) => void peers.delete(peer),
    },
  })
  server.on('upgrade', (request, socket, head) => {
    requests.push(request)
    // Others leave as they like.
    socket.on('error', () => {})
    if (upgrade) upgrade(request, socket, head)
    else void adapter.handleUpgrade(request, socket, head)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    adapter.closeAll(1001, undefined, true)
    server.close()
    server.closeAllConnections()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { requests, peers, url, server }
}

/** Says nothing, and leaves when the other side does. */
const silent: Upgrade = (_, socket) => socket.resume().once('end', () => socket.end())

const refuseWith =
  (status: string, headers: string, body: string): Upgrade =>
  (_, socket) =>
    socket.end(`HTTP/1.1 ${status}\r\n${headers}content-length: ${body.length}\r\n\r\n${body}`)

/** The next messages, as text; listened for only now, as the caller of `connect` does. */
function messages(socket: WebSocket, count: number): Promise<string[]> {
  const texts: string[] = []
  return new Promise((resolve) => {
    socket.addEventListener('message', async ({ data }) => {
      texts.push(typeof data === 'string' ? data : await new Response(data).text())
      if (texts.length === count) resolve(texts)
    })
  })
}

const closed = (socket: WebSocket) => new Promise((resolve) => socket.addEventListener('close', resolve))

describe('of a page', () => {
  test('goes to the rpc route of its origin, with the path beside it and our protocol', async () => {
    const { url, requests } = await listen()
    vi.stubGlobal('location', { href: `${url}/deep/page.html` })
    const live = bindSocket('/_flash')(ref, '/rooms/:id')
    const socket = await live.connect({ params: { id: 'a b' }, query: { x: [1, 2] }, protocols: ['chat'] })
    expect(socket).toBeInstanceOf(WebSocket)
    expect(socket.readyState).toBe(1)
    expect(await messages(socket, 1)).toEqual(['hello'])
    const [{ url: path, headers }] = requests as [IncomingMessage]
    expect(new URL(path!, url).pathname).toBe(`/_flash/rpc/${ref}`)
    expect(new URL(path!, url).searchParams.get('path')).toBe('/rooms/a%20b?x=1&x=2')
    expect(headers['sec-websocket-protocol']!.split(/, ?/)).toEqual(['flash.v1', 'chat'])
    socket.close()
    await closed(socket)
  })

  test('goes to another origin where the routes are there; a web app opens it by path', async () => {
    const { url, requests } = await listen()
    vi.stubGlobal('location', { href: 'https://page.test/' })
    const socket = await bindWeb(`${url}/_flash`)(ref).connect('/live?room=1')
    expect(new URL(requests[0]!.url!, url).searchParams.get('path')).toBe('/live?room=1')
    socket.close()
    await closed(socket)
  })

  test('that is refused is TRANSPORT', async () => {
    const { url } = await listen(refuseWith('403 Forbidden', '', 'no'))
    vi.stubGlobal('location', { href: url })
    const error = await bindSocket('/_flash')(ref, '/')
      .connect()
      .catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ code: 'TRANSPORT' })
  })

  test('that nobody wants any more is not opened, or closed', async () => {
    const { url, requests } = await listen(silent)
    vi.stubGlobal('location', { href: url })
    const { connect } = bindSocket('/_flash')(ref, '/')
    await expect(connect({ signal: AbortSignal.abort('early') })).rejects.toBe('early')
    expect(requests).toHaveLength(0)
    const abort = new AbortController()
    const opening = connect({ signal: abort.signal })
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    const gone = new Promise((resolve) => requests[0]!.socket.once('close', resolve))
    abort.abort('late')
    await expect(opening).rejects.toBe('late')
    await gone
  })
})

describe('of a server', () => {
  test('goes to the dev server with its token; the first message is not lost, and data are blobs', async () => {
    const { url, requests, peers } = await listen()
    vi.stubEnv('FLASH_DEV_URL', `${url}/`)
    vi.stubEnv('FLASH_DEV_TOKEN', 'secret')
    const socket = await serverSocket('abc', '/live', info).connect({ query: { x: 1 }, protocols: 'chat' })
    const next = messages(socket, 2)
    socket.send(new Uint8Array([104, 105]))
    expect(await next).toEqual(['hello', 'hi'])
    expect(socket.binaryType).toBe('blob')
    expect(requests[0]!.url).toBe('/rpc/abc?path=%2Flive%3Fx%3D1')
    expect(requests[0]!.headers).toMatchObject({
      authorization: 'Bearer secret',
      'sec-websocket-protocol': 'flash.v1,chat',
    })
    socket.close()
    await closed(socket)
    await vi.waitFor(() => expect(peers.size).toBe(0))
  })

  test('of a dev server in this process goes where that listens', async () => {
    const { url } = await listen()
    const runtime = { has: () => true, fetch: () => Promise.reject(new Error('not asked')) }
    shared[devKey] = new Map([['/app', { ...runtime, open: () => ({ url, token: 'secret' }) }]])
    const socket = await serverWeb('abc', info).connect('/live')
    expect(await messages(socket, 1)).toEqual(['hello'])
    socket.close()
    await closed(socket)
    shared[devKey] = new Map([['/app', runtime]])
    await expect(serverWeb('abc', info).connect('/live')).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'WEBSOCKET_UNSUPPORTED',
    })
  })

  const problem = JSON.stringify({ code: 'WEBSOCKET_UNSUPPORTED', message: 'not here', hint: 'there' })
  for (const [what, upgrade, expected] of [
    [
      'a problem',
      refuseWith('426 Upgrade Required', 'x-flash: 1\r\n', problem),
      { code: 'WEBSOCKET_UNSUPPORTED', hint: 'there' },
    ],
    [
      'something else',
      refuseWith('502 Bad Gateway', '', '<html>'),
      { code: 'TRANSPORT', data: { status: 502 } },
    ],
    ['a long page', refuseWith('404 Not Found', '', 'x'.repeat(200_000)), { code: 'TRANSPORT' }],
    ['nothing', (_: unknown, socket: Duplex) => socket.destroy(), { code: 'TRANSPORT' }],
  ] as [string, Upgrade, object][]) {
    test(`that is answered with ${what} says so`, async () => {
      const { url } = await listen(upgrade)
      vi.stubEnv('FLASH_DEV_URL', url)
      vi.stubEnv('FLASH_DEV_TOKEN', 'secret')
      const error = await serverSocket('abc', '/', info)
        .connect()
        .catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject(expected)
    })
  }

  test('that is not open within a minute is TIMEOUT, and let go', async () => {
    const { url, requests } = await listen(silent)
    const clock = createTestClock()
    const opening = openRemoteSocket(url, { protocols: [], headers: {}, clock })
    await vi.waitFor(() => expect(requests).toHaveLength(1))
    const gone = new Promise((resolve) => requests[0]!.socket.once('close', resolve))
    clock.advance(60_000)
    await expect(opening).rejects.toMatchObject({ code: 'TIMEOUT' })
    await gone
  })

  test('that is refused is told with the beginning of what was said, however long that is', async () => {
    const refusing = (body: string) => (_: IncomingMessage, socket: Duplex) =>
      socket.end(
        `HTTP/1.1 403 Forbidden\r\nset-cookie: a=1\r\nset-cookie: b=2\r\nconnection: close\r\n\r\n${body}`,
      )
    for (const [body, most] of [
      ['', 0],
      ['no entry', 8],
      ['x'.repeat(1_000_000), 200_000],
    ] as const) {
      const { url } = await listen(refusing(body))
      const seen: unknown[] = []
      const refuse = (answer: { status: number; text: string }) => {
        seen.push([answer.status, body.startsWith(answer.text), answer.text.length <= most])
        return new Error('refused')
      }
      await expect(openRemoteSocket(url, { protocols: [], headers: {}, refuse })).rejects.toThrow('refused')
      expect(seen).toEqual([[403, true, true]])
      await expect(openRemoteSocket(url, { protocols: [], headers: {} })).rejects.toMatchObject({
        code: 'TRANSPORT',
      })
    }
  })

  test('that breaks later ends no process', async () => {
    const { url, requests } = await listen()
    const socket = await openRemoteSocket(url, { protocols: ['flash.v1'], headers: {} })
    requests[0]!.socket.write(new Uint8Array([255, 255, 255, 255]))
    await closed(socket)
    expect(socket.readyState).toBe(3)
  })
})
