import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'
import type { RpcUpgrade } from '@flash/server'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { functionFact, openRoutes, type RoutesOptions, routeFact, webFact, WORKER_TOKEN } from './testing.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Says what it was asked for, then what it hears. */
function repeat(request: IncomingMessage, socket: Duplex) {
  const { url, headers } = request
  socket.on('error', () => {})
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSet-Cookie: a=b\r\n\r\n${JSON.stringify({ url, headers })}`,
  )
  socket.on('data', (chunk: Buffer) => socket.write(`heard ${chunk}`))
}

async function start(options: Partial<RoutesOptions> = {}) {
  const routes = await openRoutes({
    facts: [
      routeFact('images', 'WS', '/live/:room'),
      routeFact('images', 'GET', '/items'),
      webFact('site'),
      functionFact('ocr', 'read'),
    ],
    worker: (_, response) => response.writeHead(403).end('no'),
    onUpgrade: repeat,
    ...options,
  })
  cleanUps.push(routes.close)
  const { port, host } = new URL(routes.url)
  return {
    ...routes,
    origin: `http://${host}`,
    upgrade(path: string, headers: Record<string, string> = {}) {
      const socket = connect(Number(port), '127.0.0.1')
      cleanUps.push(() => socket.destroy())
      const all = { Host: host, Connection: 'Upgrade', Upgrade: 'websocket', ...headers }
      const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`)
      let text = ''
      socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
      socket.on('error', () => {})
      const until = (pattern: RegExp) => vi.waitFor(() => expect(text).toMatch(pattern), { interval: 1 })
      return { socket, until }
    },
  }
}

const live = '/app/_flash/images/live/a%2Fb?x=1'

describe('a WebSocket', () => {
  test('of a route passes both ways, without the prefix', async () => {
    const { upgrade, seats } = await start()
    const { socket, until } = upgrade(live, { Authorization: 'Bearer x', 'X-Flash-Worker-Token': 'guessed' })
    await until(new RegExp(`^HTTP/1.1 101 [^]*"url":"/live/a%2Fb\\?x=1"[^]*"${WORKER_TOKEN}"`))
    socket.write('hello')
    await until(/heard hello$/)
    socket.destroy()
    await vi.waitFor(() => expect(seats).toEqual({ taken: 1, free: 1 }))
  })

  test('of a web app, from a page of the app, keeps the page’s cookies', async () => {
    const { upgrade, origin } = await start()
    const { until } = upgrade('/app/_flash/site//chat', { Origin: origin, Cookie: 'own=1' })
    await until(/"url":"\/\/chat"(?![^]*cookie)/)
    await until(/^(?![^]*Set-Cookie)/i)
  })

  test('that the endpoint does not want has its answer', async () => {
    const { upgrade } = await start({ onUpgrade: undefined })
    await upgrade(live).until(/^HTTP\/1\.1 403 Forbidden\r\n[^]*no$/)
  })

  test('that the endpoint refuses frees it when its answer breaks off, or takes too long', async () => {
    const begun = (_: IncomingMessage, response: ServerResponse, then = () => {}) => {
      response.writeHead(403, { 'content-length': '100' })
      response.write('begun', then)
    }
    const broken = await start({
      onUpgrade: undefined,
      worker: (request, response) => begun(request, response, () => response.destroy()),
    })
    const first = broken.upgrade(live)
    await once(first.socket, 'close')
    await first.until(/^HTTP\/1\.1 403(?![^]*HTTP\/1\.1)/)
    await vi.waitFor(() => expect(broken.seats).toEqual({ taken: 1, free: 1 }))
    const slow = await start({
      onUpgrade: undefined,
      worker: (request, response) => begun(request, response),
      limits: { processingMs: 50 },
    })
    const second = slow.upgrade(live)
    await once(second.socket, 'close')
    await second.until(/^HTTP\/1\.1 403(?![^]*HTTP\/1\.1)[^]*begun$/)
    await vi.waitFor(() => expect(slow.seats).toEqual({ taken: 1, free: 1 }))
  })

  test.each([
    ['/app/_flash/images/items', 426, 'WEBSOCKET_UNSUPPORTED'],
    ['/app/_flash/ocr/read/run_sync', 426, 'WEBSOCKET_UNSUPPORTED'],
    ['/app/_flash/ping', 426, 'WEBSOCKET_UNSUPPORTED'],
    ['/app/_flash/rpc/id.tag', 426, 'WEBSOCKET_UNSUPPORTED'],
    ['/app/_flash/images/nothing', 404, 'NOT_FOUND'],
    ['/app/_flash/site/../images/live/x', 400, 'BAD_PATH'],
    ['/app/_flash/site/%70ing', 400, 'RESERVED_PATH'],
    ['/app/_flash/site/%zz', 400, 'BAD_REQUEST'],
  ])('at %s is %s', async (path, status, code) => {
    const { upgrade, seats } = await start()
    await upgrade(path).until(new RegExp(`^HTTP/1.1 ${status} [^]*"code":"${code}"`))
    expect(seats.taken).toBe(0)
  })

  test('elsewhere is left alone', async () => {
    const { upgrade, server } = await start()
    server.on('upgrade', (request, socket) => {
      if (request.url === '/') socket.end('HTTP/1.1 418 Mine\r\n\r\n')
    })
    await upgrade('/').until(/^HTTP\/1\.1 418/)
  })

  test('below rpc/ is passed on after the same checks', async () => {
    const rpcUpgrade = vi.fn<RpcUpgrade>(async (_request, _path, _caller, { socket }) => {
      socket.end('HTTP/1.1 418 Mine\r\n\r\n')
    })
    const { upgrade, origin } = await start({ rpcUpgrade })
    const path = '/app/_flash/rpc/id.tag?path=%2Flive'
    await upgrade(path, { Origin: 'http://evil.test' }).until(/^HTTP\/1\.1 403/)
    await upgrade('/app/_flash/rpc/a/b', { Origin: origin }).until(/^HTTP\/1\.1 426/)
    expect(rpcUpgrade).not.toHaveBeenCalled()
    await upgrade(path, { Origin: origin }).until(/^HTTP\/1\.1 418/)
    const [request, asked, caller] = rpcUpgrade.mock.lastCall!
    expect([request.url, asked, caller]).toEqual([origin + path, 'id.tag', { kind: 'page', subject: null }])
  })

  test('of a worker that cannot be had, or crashed, says why', async () => {
    const lost = new AppError('WORKER_CRASHED', { message: 'boom' })
    const crash = (_: IncomingMessage, socket: Duplex) => socket.destroy()
    const crashed = await start({ lost, onUpgrade: crash })
    await crashed.upgrade(live).until(/^HTTP\/1\.1 502 [^]*application\/problem\+json[^]*WORKER_CRASHED/)
    const late = await start({ limits: { processingMs: 20 }, onUpgrade: () => {} })
    await late.upgrade(live).until(/^HTTP\/1\.1 504 [^]*TIMEOUT/)
    const broken = await start({ balanced: () => Promise.reject(new Error('a defect')) })
    await broken.upgrade(live).until(/^HTTP\/1\.1 500 [^]*INTERNAL/)
    expect(broken.errors).toMatchObject([{ message: 'a defect' }])
  })

  test('whose caller leaves while no worker is ready is nobody’s error', async () => {
    const aborted = vi.fn()
    let asked = () => {}
    const waiting = new Promise<void>((resolve) => (asked = resolve))
    const { upgrade, errors } = await start({
      balanced: async () => ({
        name: 'images',
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
    const { socket } = upgrade(live)
    await waiting
    socket.destroy()
    await vi.waitFor(() => expect(aborted).toHaveBeenCalled())
    expect(errors).toEqual([])
  })
})

describe('who may open one', () => {
  test.each([
    ['a page of another origin', { Origin: 'http://evil.test' }],
    ['a page of another port', { Origin: 'http://127.0.0.1:1' }],
    ['a sandboxed page', { Origin: 'null' }],
    ['a page of another site', { 'Sec-Fetch-Site': 'cross-site' }],
    [
      'one that says it is ours, from elsewhere',
      { 'Sec-Fetch-Site': 'same-origin', Origin: 'http://evil.test' },
    ],
    ['a page whose name points here', { Host: 'evil.test', Origin: 'http://evil.test' }],
    ['a program that asks by another name', { Host: 'evil.test' }],
  ])('not %s', async (_, headers) => {
    const { upgrade, seats } = await start()
    await upgrade(live, headers).until(/^HTTP\/1\.1 403 [^]*"code":"FORBIDDEN"/)
    expect(seats.taken).toBe(0)
  })

  test.each([
    ['a program of this machine', {}, []],
    ['one that asks by localhost', { Host: 'localhost:5173' }, []],
    [
      'a page of a name that the server has',
      { Host: 'dev.test:1', Origin: 'http://dev.test:1' },
      ['dev.test'],
    ],
  ])('%s', async (_, headers: Record<string, string>, allowed) => {
    const { upgrade } = await start({ allowedHosts: () => allowed })
    await upgrade(live, headers).until(/^HTTP\/1\.1 101/)
  })

  test('not whom the host does not admit', async () => {
    const admit = () => {
      throw new AppError('FORBIDDEN', { message: 'nobody' })
    }
    const { upgrade } = await start({ admit })
    await upgrade(live).until(/^HTTP\/1\.1 403/)
  })
})
