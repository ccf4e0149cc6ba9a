import { createServer, type IncomingMessage, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { AppError, createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BackendSeat, RpcBackend } from '../backend.ts'
import { createHandler, type HandlerOptions } from '../handler.ts'
import { issuePreviewToken } from '../local-visitor.ts'
import { balancedFacts } from '../testing/balanced.ts'
import { facts, key, refOf } from '../testing/production.ts'
import { toUpgradeRequest } from '../upgrade.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  while (closing.length > 0) await closing.pop()!()
})

async function listen(server: Server): Promise<number> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  })
  return (server.address() as AddressInfo).port
}

type Worker = (request: IncomingMessage, socket: Socket, head: Buffer) => void

const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo='

/** Takes every WebSocket and says everything again. */
const echo: Worker = (request, socket, head) => {
  const protocol = request.headers['sec-websocket-protocol']?.split(', ')[0]
  const chosen = protocol ? `sec-websocket-protocol: ${protocol}\r\n` : ''
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\nset-cookie: a=1\r\n${chosen}sec-websocket-accept: ${accept}\r\n\r\nhello:`,
  )
  socket.write(head)
  socket.pipe(socket)
}

interface SetUp extends Partial<HandlerOptions> {
  worker?: Worker
  seat?: RpcBackend['seat']
}

async function setUp({ worker = echo, seat, ...options }: SetUp = {}) {
  const upgrades: IncomingMessage[] = []
  const released = vi.fn()
  const far = createServer((_request, response) => response.writeHead(418).end('no'))
  far.on('upgrade', (request, socket: Socket, head) => {
    upgrades.push(request)
    worker(request, socket, head)
  })
  const url = `http://127.0.0.1:${await listen(far)}/base`
  const backend = {
    find: async (id: string) => ({ endpoint: id === 'read' ? 'ocr' : 'pictures', maxBodyBytes: 1000 }),
    seat: seat ?? (async (): Promise<BackendSeat> => ({ url, headers: { 'x-key': 'k' }, release: released })),
  }
  const onError = vi.fn()
  const handler = createHandler(
    { ...facts, functions: [...facts.functions, ...balancedFacts] },
    { authorize: 'public', key, backend: backend as unknown as RpcBackend, onError, ...options },
  )
  const near = createServer()
  near.on('upgrade', handler.upgrade)
  const port = await listen(near)
  return { port, upgrades, released, onError, backend }
}

const ws = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
  'sec-websocket-protocol': 'flash.v1',
}

const pathTo = (id: string, path: string) => `/_flash/rpc/${refOf(id)}?path=${encodeURIComponent(path)}`
const room = pathTo('live', '/live/a?x=1')

interface Asked {
  path?: string
  method?: string
  headers?: Record<string, string | undefined>
  /** Sent right behind the head. */
  early?: string
}

function open(port: number, { path = room, method = 'GET', headers, early = '' }: Asked = {}) {
  const host = `127.0.0.1:${port}`
  const all = Object.entries({ host, origin: `http://${host}`, ...ws, ...headers })
  const lines = all.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}: ${value}\r\n`)
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${early}`)
  let text = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => (text += chunk))
  const closed = new Promise<string>((resolve) => socket.once('close', () => resolve(text)))
  const heard = (part: string) => vi.waitFor(() => expect(text).toContain(part))
  return { socket, closed, heard, text: () => text }
}

describe('a WebSocket', () => {
  test('is joined with the worker’s, both ways, and ends on both sides', async () => {
    const { port, upgrades, released } = await setUp()
    const { socket, closed, heard, text } = open(port, { early: 'early' })
    await heard('hello:early')
    const [head] = text().split('\r\n\r\n')
    expect(head!.split('\r\n')).toEqual([
      'HTTP/1.1 101 Switching Protocols',
      'connection: Upgrade',
      'upgrade: websocket',
      `sec-websocket-accept: ${accept}`,
      'sec-websocket-protocol: flash.v1',
    ])
    socket.write('\x00\xff', 'latin1')
    await heard('early\x00\xff')
    expect(upgrades[0]!.url).toBe('/base/live/a?x=1')
    expect(released).not.toHaveBeenCalled()
    socket.end()
    await closed
    await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1))
    await vi.waitFor(() => expect(upgrades[0]!.socket.destroyed).toBe(true))
  })

  test('that its worker breaks off is broken off', async () => {
    const { port, upgrades, released } = await setUp()
    const { closed, heard } = open(port)
    await heard('hello:')
    upgrades[0]!.socket.destroy()
    await closed
    await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1))
  })

  test('has the page’s own subprotocols, and none of its headers', async () => {
    const { port, upgrades } = await setUp()
    const headers = {
      'sec-websocket-protocol': 'flash.v1, chat.v2, chat.v1',
      'sec-websocket-extensions': 'permessage-deflate',
      cookie: 'session=1',
      authorization: 'Bearer x',
      'x-flash-app': 'other',
    }
    const { heard, text } = open(port, { headers })
    await heard('hello:')
    expect(text()).toContain('sec-websocket-protocol: chat.v2\r\n')
    expect(text()).not.toContain('set-cookie')
    expect(upgrades[0]!.headers).toEqual({
      host: expect.stringContaining('127.0.0.1'),
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-key': ws['sec-websocket-key'],
      'sec-websocket-version': '13',
      'sec-websocket-extensions': 'permessage-deflate',
      'sec-websocket-protocol': 'chat.v2, chat.v1',
      'x-key': 'k',
    })
  })

  test('reaches a web app at any path that is not reserved', async () => {
    const { port, upgrades } = await setUp()
    const { heard } = open(port, { path: pathTo('site', '//socket') })
    await heard('hello:')
    expect(upgrades[0]!.url).toBe('/base//socket')
  })

  test('of a listed origin is opened', async () => {
    const { port } = await setUp({ allowedOrigins: ['https://app.test'] })
    await open(port, { headers: { origin: 'https://app.test' } }).heard('hello:')
  })
})

describe('refused, and nothing is opened', () => {
  for (const [what, asked, status, code] of [
    ['a page of another site', { headers: { origin: 'https://evil.example' } }, 403, 'FORBIDDEN'],
    ['a page without an origin', { headers: { origin: 'null' } }, 403, 'FORBIDDEN'],
    ['no origin', { headers: { origin: undefined } }, 403, 'FORBIDDEN'],
    ['the host of somebody else', { headers: { host: 'evil.example' } }, 403, 'FORBIDDEN'],
    ['a name and a password', { headers: { host: 'a:b@127.0.0.1' } }, 400, 'BAD_REQUEST'],
    ['no host', { headers: { host: 'x:99999' } }, 400, 'BAD_REQUEST'],
    ['no tag', { path: '/_flash/rpc/live?path=/live/a' }, 403, 'FORBIDDEN'],
    ['the tag of another', { path: room.replace('live.', 'site.') }, 409, 'SKEW'],
    ['the path of another route', { path: pathTo('live', '/pictures/a') }, 400, 'BAD_REQUEST'],
    ['a route that takes none', { path: pathTo('list', '/pictures/a') }, 400, 'BAD_REQUEST'],
    ['a function', { path: pathTo('read', '/') }, 400, 'BAD_REQUEST'],
    ['no path', { path: `/_flash/rpc/${refOf('live')}` }, 400, 'BAD_REQUEST'],
    ['two paths', { path: `${room}&path=/live/b` }, 400, 'BAD_REQUEST'],
    ['`..`', { path: pathTo('site', '/a/../b') }, 400, 'BAD_PATH'],
    ['a reserved path', { path: pathTo('site', '/%65xecute') }, 400, 'RESERVED_PATH'],
    ['a line break', { path: pathTo('site', '/a\r\nb: c') }, 400, 'BAD_PATH'],
    ['another version', { headers: { 'sec-websocket-protocol': 'chat' } }, 400, 'BAD_REQUEST'],
    ['no subprotocol', { headers: { 'sec-websocket-protocol': undefined } }, 400, 'BAD_REQUEST'],
    ['another method', { method: 'POST', headers: { 'content-length': '0' } }, 400, 'BAD_REQUEST'],
    ['an address that is no call', { path: '/_flash/rpc/a/b' }, 404, 'NOT_FOUND'],
  ] as const) {
    test(what, async () => {
      const { port, upgrades } = await setUp()
      const text = await open(port, asked as Asked).closed
      expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
      expect(text).toContain(`"code":"${code}"`)
      expect(text).toContain('x-flash: 1')
      expect(upgrades).toEqual([])
    })
  }

  test('for want of an `authorize`', async () => {
    const { port, upgrades } = await setUp({ authorize: undefined })
    expect(await open(port).closed).toContain('AUTHORIZE_MISSING')
    expect(upgrades).toEqual([])
  })

  test('by `authorize`, which sees what is wanted, in its words or in ours', async () => {
    const calls: unknown[] = []
    const answers = [false, new Response('not you', { status: 401, headers: { 'x-why': 'a' } })]
    const { port, upgrades } = await setUp({
      authorize: (request, call) => {
        calls.push([call, request.headers.get('cookie'), new URL(request.url).pathname])
        return answers.shift()!
      },
    })
    expect(await open(port, { headers: { cookie: 'session=1' } }).closed).toContain('"code":"FORBIDDEN"')
    const text = await open(port).closed
    expect(text).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/)
    expect(text).toContain('x-why: a\r\n')
    expect(text).toMatch(/not you$/)
    expect(calls[0]).toEqual([
      {
        kind: 'fetch',
        endpoint: 'pictures',
        function: 'api.WS /live/:room',
        id: 'live',
        method: 'GET',
        path: '/live/a',
      },
      'session=1',
      `/_flash/rpc/${refOf('live')}`,
    ])
    expect(upgrades).toEqual([])
  })

  test('where there is nothing that opens them', async () => {
    const { port } = await setUp({ seat: null as never, backend: { find: async () => null } as never })
    expect(await open(port).closed).toContain('UNKNOWN_FUNCTION')
    const find = async () => ({ endpoint: 'pictures', maxBodyBytes: 1 })
    const other = await setUp({ backend: { find } as never })
    expect(await open(other.port).closed).toMatch(/^HTTP\/1\.1 426 [\s\S]*WEBSOCKET_UNSUPPORTED/)
  })
})

describe('on its way', () => {
  test('through another route such as this one, it is asked for as stubs do', async () => {
    const { port, upgrades } = await setUp({
      seat: async () => ({ url: `${origin}/rpc/live`, isRelay: true, headers: {}, release() {} }),
    })
    const far = createServer()
    far.on('upgrade', (request, socket: Socket, head) => {
      upgrades.push(request)
      echo(request, socket, head)
    })
    const origin = `http://127.0.0.1:${await listen(far)}`
    const { heard, text } = open(port, { headers: { 'sec-websocket-protocol': 'flash.v1' } })
    await heard('hello:')
    expect(upgrades[0]!.url).toBe('/rpc/live?path=%2Flive%2Fa%3Fx%3D1')
    expect(upgrades[0]!.headers['sec-websocket-protocol']).toBe('flash.v1')
    expect(text()).toContain('sec-websocket-protocol: flash.v1\r\n')
  })

  test('what is said early is kept, however much it is', async () => {
    let letIn = () => {}
    const waited = new Promise<void>((resolve) => (letIn = resolve))
    const worker: Worker = (...given) => void waited.then(() => echo(...given))
    const { port, upgrades } = await setUp({ worker })
    const { socket, text } = open(port)
    await vi.waitFor(() => expect(upgrades).toHaveLength(1))
    const early = 'x'.repeat(300_000)
    socket.write(early)
    await vi.waitFor(() => expect(socket.writableLength).toBeLessThan(300_000))
    letIn()
    await vi.waitFor(() => expect(text().split('hello:')[1]).toHaveLength(early.length), 5_000)
  })

  test('nothing is opened for somebody who left before', async () => {
    const signals: AbortSignal[] = []
    const { backend } = await setUp()
    const seat = vi.fn(async (_id: string, signal: AbortSignal) => {
      signals.push(signal)
      return { url: 'http://127.0.0.1:1', headers: {}, release: () => {} }
    })
    const all = { ...facts, functions: balancedFacts }
    const handler = createHandler(all, {
      authorize: 'public',
      key,
      backend: { ...backend, seat } as unknown as RpcBackend,
      onError: () => {},
    })
    const near = createServer()
    near.on('upgrade', (request, socket, head) => {
      socket.destroy()
      handler.upgrade(request, socket, head)
    })
    await open(await listen(near)).closed
    await vi.waitFor(() => expect(signals[0]?.aborted).toBe(true))
  })

  test('over TLS the endpoint has to be who it says', async () => {
    const { port: plain } = await setUp()
    const { port } = await setUp({
      seat: async () => ({ url: `https://127.0.0.1:${plain}`, headers: {}, release() {} }),
    })
    expect(await open(port).closed).toContain('"code":"TRANSPORT"')
  })
})

describe('what is no WebSocket of the route', () => {
  const ask = async (port: number, path: string, offered: string) =>
    open(port, { method: 'POST', path, headers: { upgrade: offered, connection: 'upgrade, close' } }).closed

  test('is answered by its server as if it had offered nothing, and left to others where there are any', async () => {
    const handler = createHandler(facts, { key, backend: {} as RpcBackend, authorize: 'public' })
    const near = createServer((request, response) => {
      response.end(`${request.method} ${request.url} ${request.headers.upgrade}`)
    })
    near.on('upgrade', handler.upgrade)
    const port = await listen(near)
    const call = `/_flash/rpc/${refOf('read')}`
    expect(await ask(port, call, 'h2c')).toContain(`POST ${call} undefined`)
    expect(await ask(port, '/shop', 'h2c')).toContain('POST /shop undefined')
    expect(await ask(port, '/shop', 'websocket')).toContain('POST /shop undefined')
    near.on('upgrade', (request, socket) => {
      if (request.url === '/shop') socket.end('HTTP/1.1 418 Theirs\r\n\r\n')
    })
    expect(await ask(port, '/shop', 'websocket')).toMatch(/^HTTP\/1\.1 418 Theirs/)
    expect(await ask(port, call, 'h2c')).toContain(`POST ${call} undefined`)
  })
})

describe('an upgrade request', () => {
  const incoming = { url: '/a?b', headers: { host: 'x.test' }, rawHeaders: ['Host', 'x.test', 'X', 'y'] }

  test('is a web request with the address that the page has for it', () => {
    const secured = toUpgradeRequest({ ...incoming, socket: { encrypted: true } } as never)!
    expect([secured.url, secured.headers.get('x')]).toEqual(['https://x.test/a?b', 'y'])
    expect(toUpgradeRequest({ ...incoming, socket: {} } as never)!.url).toBe('http://x.test/a?b')
  })

  test('without a host, or with the address of another one, is none', () => {
    for (const given of [{ headers: {} }, { url: 'http://evil.example/a' }, { url: undefined, headers: {} }])
      expect(toUpgradeRequest({ ...incoming, socket: {}, ...given } as never)).toBeUndefined()
  })
})

describe('in preview', () => {
  test('a program of this machine needs no origin, a page does', async () => {
    const { port } = await setUp({ authorize: undefined, previewToken: issuePreviewToken(), warn: () => {} })
    await open(port, { headers: { origin: undefined } }).heard('hello:')
    const page = { origin: undefined, 'sec-fetch-site': 'cross-site' }
    expect(await open(port, { headers: page }).closed).toContain('FORBIDDEN')
    const proxied = { origin: undefined, 'x-forwarded-for': '10.0.0.1' }
    expect(await open(port, { headers: proxied }).closed).toContain('FORBIDDEN')
  })
})

describe('an endpoint that', () => {
  /** Answers with this in place of a WebSocket. */
  const refusing =
    (head: string, body: string): Worker =>
    (_request, socket) =>
      socket.end(`HTTP/1.1 ${head}\r\nx-secret: a\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  const canary = 'postgres://shop:secret@10.0.0.7/shop'
  const thrown = (code: string, message: string) => JSON.stringify({ code, message, hint: message })
  const site = pathTo('site', '/socket')
  const ofProgram = '401 No\r\nx-flash-result: response'
  const ofThrown = '400 No\r\nx-flash-result: error'

  for (const [what, path, worker, shown] of [
    [
      'by what its hook answers',
      room,
      refusing(ofProgram, 'no key'),
      '"data":{"status":401,"body":"no key"}',
    ],
    [
      'by what its web app answers',
      site,
      refusing(ofProgram, 'no key'),
      '"data":{"status":401,"body":"no key"}',
    ],
    [
      'by a web app of its own make',
      site,
      refusing('401 No', 'no key'),
      '"data":{"status":401,"body":"no key"}',
    ],
    ['by a code of its author', room, refusing(ofThrown, thrown('FULL', 'no seats')), 'no seats'],
  ] as const) {
    test(`refuses ${what} is told by what it said, without its headers`, async () => {
      const { port, released, onError } = await setUp({ worker })
      const text = await open(port, { path }).closed
      expect(text).toMatch(/^HTTP\/1\.1 502 /)
      expect(text).toContain('"code":"HTTP_ERROR"')
      expect(text).toContain(shown)
      expect(text).not.toContain('x-secret')
      expect(released).toHaveBeenCalledTimes(1)
      expect(onError).not.toHaveBeenCalled()
    })
  }

  test('finds an input bad says so', async () => {
    const worker = refusing(ofThrown, thrown('BAD_INPUT', 'query.page: too small'))
    const { port } = await setUp({ worker })
    const text = await open(port).closed
    expect(text).toContain('"code":"BAD_INPUT"')
    expect(text).toContain('query.page: too small')
  })

  const breakingOff: Worker = (_request, socket) => {
    const head = 'HTTP/1.1 502 Bad Gateway\r\ncontent-length: 1000\r\n\r\n'
    socket.write(`${head}${canary}`, () => socket.destroy())
  }
  const platform = (): Error =>
    new AppError('ACCOUNT_REFUSED', { message: canary, hint: 'look whether RUNPOD_API_KEY is complete' })
  for (const [what, path, worker, more] of [
    ['a gateway says', room, refusing('502 Bad Gateway', canary), {}],
    ['a gateway said until it broke off', room, breakingOff, {}],
    ['a code of ours has', room, refusing(ofThrown, thrown('SETUP_FAILED', canary)), {}],
    ['an error has that cannot be read', room, refusing(ofThrown, canary), {}],
    ['the web app’s platform says', site, refusing('401 No', canary), { refusal: platform }],
    [
      'another route says',
      site,
      refusing('502 No\r\nx-flash: 1', thrown('HTTP_ERROR', canary)),
      { isRelay: true },
    ],
    ['another route says badly', site, refusing('502 No\r\nx-flash: 1', canary), { isRelay: true }],
    ['somebody in front of another route says', site, refusing('502 No', canary), { isRelay: true }],
  ] as const) {
    test(`cannot be reached is said without what ${what}`, async () => {
      const given = await setUp({ worker })
      const { seat } = given.backend
      const { port, onError } = await setUp({
        seat: async () => ({ ...(await seat('', new AbortController().signal)), ...more }),
      })
      const text = await open(port, { path }).closed
      expect(text).toMatch(/^HTTP\/1\.1 500 /)
      expect(text).toContain('"code":"INTERNAL"')
      expect(text).not.toContain('secret')
      expect(text).not.toContain('RUNPOD')
      const [[error, requestId]] = onError.mock.calls as [[Error, string]]
      expect(text).toContain(`"requestId":"${requestId}"`)
      expect(error).toBeInstanceOf(Error)
      expect(given.released).toHaveBeenCalledTimes(1)
    })
  }

  test('speaks none of the subprotocols opens none', async () => {
    const worker: Worker = (request, ...rest) => {
      delete request.headers['sec-websocket-protocol']
      echo(request, ...rest)
    }
    const { port, released } = await setUp({ worker })
    const text = await open(port, { headers: { 'sec-websocket-protocol': 'flash.v1, a' } }).closed
    expect(text).toMatch(/^HTTP\/1\.1 502 /)
    expect(text).toContain('"code":"TRANSPORT"')
    expect(released).toHaveBeenCalledTimes(1)
    const { heard, text: said } = open(port)
    await heard('hello:')
    expect(said()).toContain('sec-websocket-protocol: flash.v1\r\n')
  })

  test('is not there is said without its address', async () => {
    const release = vi.fn()
    const { port } = await setUp({ seat: async () => ({ url: 'http://127.0.0.1:1', headers: {}, release }) })
    const text = await open(port).closed
    expect(text).toContain('"code":"TRANSPORT"')
    expect(text).toMatch(/\(request [\da-f-]{36}\)/)
    expect(text).not.toContain('127.0.0.1:1"')
    expect(release).toHaveBeenCalledTimes(1)
  })

  test('has no workers, or breaks, is told as far as pages may know', async () => {
    const failures = [new AppError('NO_WORKERS', { message: 'at 10.0.0.7' }), new Error('at 10.0.0.7')]
    const { port, onError } = await setUp({ seat: () => Promise.reject(failures.shift()) })
    for (const code of ['NO_WORKERS', 'INTERNAL']) {
      const text = await open(port).closed
      expect(text).toContain(`"code":"${code}"`)
      expect(text).not.toContain('10.0.0.7')
    }
    expect(onError).toHaveBeenCalledTimes(2)
  })

  test('takes too long is given up', async () => {
    const clock = createTestClock()
    const { port, upgrades, released } = await setUp({ worker: () => {}, clock })
    const { closed } = open(port)
    await vi.waitFor(() => expect(upgrades).toHaveLength(1))
    clock.advance(150_000)
    expect(await closed).toMatch(/^HTTP\/1\.1 504 [\s\S]*"code":"TIMEOUT"/)
    expect(released).toHaveBeenCalledTimes(1)
  })

  test('is awaited by somebody who leaves is left, and that is no failure', async () => {
    const left = vi.fn()
    const { port, upgrades, released, onError } = await setUp({
      worker: (_request, socket) => socket.once('end', left).resume(),
    })
    const { socket, closed } = open(port)
    await vi.waitFor(() => expect(upgrades).toHaveLength(1))
    socket.end()
    await vi.waitFor(() => expect(left).toHaveBeenCalled())
    await vi.waitFor(() => expect(released).toHaveBeenCalledTimes(1))
    expect(await closed).toBe('')
    expect(onError).not.toHaveBeenCalled()
  })
})
