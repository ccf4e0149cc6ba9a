import { FrameType, type RouteFact, type ServerFunction } from '@flash/protocol'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import {
  createServer as createHttpServer,
  request as send,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
} from 'node:http'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { type AppFacts, FACTS_FILE, sealFacts } from './facts.ts'
import { type StartOptions, startServer } from './start.ts'
import { callBody, createFakeBackend, facts, json, key, refOf } from './testing/production.ts'

const env = { FLASH_KEY: Buffer.from(key).toString('base64url') }

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const page = '<!doctype html><title>shop</title>'

/** A built app in a folder of its own. */
function createApp(files: Record<string, string | Buffer> = {}, own: Partial<AppFacts> = {}): string {
  const root = mkdtempSync(join(tmpdir(), 'flash-start-'))
  cleanUps.push(() => rmSync(root, { recursive: true, force: true }))
  const sealed = sealFacts({ ...facts, appType: 'spa', maxBodyBytes: 10_000_000, ...own }, key)
  const all = { [`dist/${FACTS_FILE}`]: sealed, 'dist/index.html': page, 'secret.txt': 'canary', ...files }
  for (const [name, content] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  return root
}

async function start(root: string, options: Partial<StartOptions> = {}) {
  const stop = new AbortController()
  const fake = createFakeBackend()
  const server = await startServer({
    root,
    dist: 'dist',
    port: 0,
    host: '127.0.0.1',
    env,
    handler: { authorize: 'public' },
    signal: stop.signal,
    graceMs: 0,
    createBackend: () => fake.backend,
    ...options,
  })
  cleanUps.push(() => {
    stop.abort()
    return server.stopped
  })
  return { ...server, ...fake, stop: () => stop.abort() }
}

test('an app with routes of a server of its own is not started without that', async () => {
  const route: RouteFact = { method: 'GET', path: '/me', schemas: [], local: true }
  const me: ServerFunction = { ...facts.functions[0]!, kind: 'route', exportPath: 'api.GET /me', route }
  const root = createApp({}, { functions: [...facts.functions, me] })
  await expect(start(root)).rejects.toMatchObject({
    code: 'LOCAL_NEEDS_SERVER',
    message: expect.stringContaining('`api.GET /me`'),
  })
})

interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** The path goes out as it is written: `fetch` would tidy it up. */
function ask(
  port: number,
  path: string,
  headers: OutgoingHttpHeaders = {},
  method = 'GET',
  body?: Uint8Array,
) {
  return new Promise<Answer>((resolve, reject) => {
    const request = send({ host: '127.0.0.1', port, path, method, headers }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode!, headers: response.headers, text }))
    })
    request.on('error', reject)
    request.end(body)
  })
}

const call = {
  'content-type': 'application/x-flash; v=1',
  'x-flash': '1',
  'sec-fetch-site': 'same-origin',
}
const navigation = { accept: 'text/html,*/*;q=0.8', 'sec-fetch-mode': 'navigate' }

describe('an app', () => {
  test('is served with its route beside it', async () => {
    const { port, url, facts } = await start(createApp({ 'dist/assets/index-BVh2Ry1A.js': 'run()' }))
    expect([url, facts.app]).toEqual([`http://127.0.0.1:${port}/`, 'shop'])
    const first = await ask(port, '/')
    expect([first.status, first.text]).toEqual([200, page])
    expect(first.headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-cache',
      'x-content-type-options': 'nosniff',
    })
    const script = await ask(port, '/assets/index-BVh2Ry1A.js')
    expect([script.status, script.text, script.headers['content-type']]).toEqual([
      200,
      'run()',
      'text/javascript; charset=utf-8',
    ])
    const answer = await ask(port, `/_flash/rpc/${refOf('read')}`, call, 'POST', callBody({ args: [] }))
    expect([answer.status, answer.headers['x-flash']]).toEqual([200, '1'])
  })

  test('below a base of its own answers there, and shows the way', async () => {
    const root = createApp({ 'dist/assets/a.js': 'run()' }, { prefix: '/app/_flash' })
    const { port, url } = await start(root)
    expect(url).toBe(`http://127.0.0.1:${port}/app/`)
    expect((await ask(port, '/app/')).text).toBe(page)
    expect((await ask(port, '/app/assets/a.js')).text).toBe('run()')
    expect((await ask(port, '/app/orders/7', navigation)).text).toBe(page)
    for (const path of ['/', '/app']) {
      const { status, headers } = await ask(port, path)
      expect([status, headers.location]).toEqual([302, '/app/'])
    }
    for (const path of ['/assets/a.js', '/other', '/application'])
      expect((await ask(port, path, navigation)).status).toBe(404)
    const answer = await ask(port, `/app/_flash/rpc/${refOf('read')}`, call, 'POST', callBody({ args: [] }))
    expect(answer.status).toBe(200)
    expect(
      (await ask(port, `/_flash/rpc/${refOf('read')}`, call, 'POST', callBody({ args: [] }))).status,
    ).toBe(405)
  })

  test('is asked whether it has changed, and its hashed files for a year not even that', async () => {
    const names: [string, boolean][] = [
      ['assets/index-BVh2Ry1A.js', true],
      ['assets/deep/jquery.min-Dx_0-9zQ.css', true],
      ['assets/index-BVh2Ry1A.js.map', true],
      ['assets/logo-original.png', false],
      ['assets/logo-Original.png', false],
      ['assets/user-FirstRun.png', false],
      ['assets/log-20261101.txt', false],
      ['assets/IMG-IMG_2034.txt', false],
      ['assets/plain.js', false],
      ['other/index-BVh2Ry1A.js', false],
    ]
    const { port } = await start(createApp(Object.fromEntries(names.map(([name]) => [`dist/${name}`, 'x']))))
    for (const [name, isHashed] of names) {
      const { headers } = await ask(port, `/${name}`)
      const wanted = isHashed ? 'public, max-age=31536000, immutable' : 'no-cache'
      expect([name, headers['cache-control']]).toEqual([name, wanted])
      const again = await ask(port, `/${name}`, { 'if-none-match': headers.etag! })
      expect([again.status, again.text]).toEqual([304, ''])
    }
  })

  test('answers ranges, also those that make no sense', async () => {
    const { port } = await start(createApp({ 'dist/movie.bin': '0123456789' }))
    for (const [range, status, text] of [
      ['bytes=2-4', 206, '234'],
      ['bytes=-3', 206, '789'],
      ['bytes=8-', 206, '89'],
      ['bytes=5-2', 200, '0123456789'],
      ['bytes=x-y', 200, '0123456789'],
      ['bytes=90-', 416, ''],
    ] as const) {
      const answer = await ask(port, '/movie.bin', { range })
      expect([range, answer.status, answer.text]).toEqual([range, status, text])
    }
  })

  test('whose files are replaced while it is served goes on', async () => {
    const root = createApp({ 'dist/old.js': 'old' })
    const { port } = await start(root)
    expect((await ask(port, '/old.js')).text).toBe('old')
    rmSync(join(root, 'dist/old.js'))
    writeFileSync(join(root, 'dist/new.js'), 'new')
    expect((await ask(port, '/old.js')).status).toBe(404)
    expect((await ask(port, '/new.js')).text).toBe('new')
  })
})

describe('never served is', () => {
  const hidden = [
    `/${FACTS_FILE}`,
    `/x/../${FACTS_FILE}`,
    `/%2eflash-facts`,
    `//${FACTS_FILE}`,
    '/.env',
    '/.git/config',
    '/assets/.hidden.js',
    '/../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '/assets/../../secret.txt',
    '/....//secret.txt',
    '/index.html%00.txt',
    '/%',
    '/%ff',
    `/_flash/../${FACTS_FILE}`,
  ]
  test.each(hidden)('%s', async (path) => {
    const files = { 'dist/.env': 'canary', 'dist/.git/config': 'canary', 'dist/assets/.hidden.js': 'canary' }
    const { port } = await start(createApp(files, { appType: 'mpa' }))
    const { status, text } = await ask(port, path)
    expect([400, 404]).toContain(status)
    expect(text).not.toMatch(/canary|flash-facts\.1/)
  })

  test('anything to other methods', async () => {
    const { port } = await start(createApp())
    for (const method of ['POST', 'PUT', 'DELETE', 'OPTIONS']) {
      const { status, headers } = await ask(port, '/', {}, method)
      expect([method, status, headers.allow]).toEqual([method, 405, 'GET, HEAD'])
    }
    const { status, text } = await ask(port, '/', {}, 'HEAD')
    expect([status, text]).toEqual([200, ''])
  })
})

describe('what is no file', () => {
  const wants: [what: string, path: string, headers: OutgoingHttpHeaders, isPage: boolean][] = [
    ['a navigation', '/orders/7', navigation, true],
    ['a navigation with a dot', '/people/ann.smith', navigation, true],
    ['a navigation without the browser saying so', '/orders', { accept: 'text/html' }, true],
    ['a program that takes anything', '/orders', { accept: '*/*' }, true],
    ['a program that says nothing', '/orders', {}, true],
    ['a request for data', '/api/orders', { accept: 'application/json' }, false],
    ['a fetch of a page', '/api/orders', { accept: '*/*', 'sec-fetch-mode': 'cors' }, false],
    ['a script that is gone', '/assets/index-AAAA1111.js', { accept: '*/*' }, false],
    ['a page among the assets', '/assets/orders', navigation, false],
    ['an image', '/logo.png', { accept: 'image/avif,*/*' }, false],
  ]
  for (const [what, path, headers, isPage] of wants) {
    test(`is, for ${what}, ${isPage ? 'the page' : '404'} of a single-page app`, async () => {
      const { port } = await start(createApp())
      const answer = await ask(port, path, headers)
      expect([answer.status, answer.text === page]).toEqual(isPage ? [200, true] : [404, false])
      expect(answer.headers['cache-control']).toBe('no-cache')
    })
  }

  test('is 404 in an app of several pages, which are found without their ending', async () => {
    const root = createApp({ 'dist/about.html': 'about', 'dist/shop/index.html': 'shop' }, { appType: 'mpa' })
    const { port } = await start(root)
    expect((await ask(port, '/about', navigation)).text).toBe('about')
    expect((await ask(port, '/shop/', navigation)).text).toBe('shop')
    expect((await ask(port, '/orders', navigation)).status).toBe(404)
  })

  test('is a problem of ours below the prefix', async () => {
    const { port } = await start(createApp())
    const answer = await ask(port, '/_flash/docs', navigation)
    expect([answer.status, JSON.parse(answer.text).code]).toEqual([404, 'NOT_FOUND'])
  })
})

test('calls go where the variables that it was given say', async () => {
  const asked: string[] = []
  const queue = createHttpServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end(JSON.stringify({ id: 'j', status: 'COMPLETED', output: 'found' }))
  })
  await new Promise<void>((resolve) => queue.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => queue.close())
  const { port: at } = queue.address() as { port: number }
  const given = { ...env, FLASH_ENDPOINT_OCR: `http://127.0.0.1:${at}/v2/abc` }
  const { port } = await start(createApp(), { env: given, createBackend: undefined })
  const answer = await ask(port, `/_flash/rpc/${refOf('read')}`, call, 'POST', callBody({ args: [] }))
  expect([answer.status, asked]).toEqual([200, ['POST /v2/abc/run']])
  expect(answer.text).toContain('"found"')
})

test('pages of elsewhere may call when they are listed', async () => {
  const handler = { authorize: 'public' as const, allowedOrigins: ['https://app.test'] }
  const { port } = await start(createApp(), { handler })
  const headers = { ...call, origin: 'https://app.test', 'sec-fetch-site': 'cross-site' }
  const answer = await ask(port, `/_flash/rpc/${refOf('read')}`, headers, 'POST', callBody({ args: [] }))
  expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([200, 'https://app.test'])
  const refused = await ask(port, '/_flash/rpc/read', headers, 'POST', callBody({ args: [] }))
  expect([refused.status, refused.headers['access-control-allow-origin']]).toEqual([403, 'https://app.test'])
  const files = await ask(port, '/', { origin: 'https://app.test' })
  expect(files.headers).not.toHaveProperty('access-control-allow-origin')
})

describe('an upgrade', () => {
  const body = Buffer.from(callBody({ args: [] }))
  const head = (line: string, headers: Record<string, string | number>) =>
    `${line} HTTP/1.1\r\n${Object.entries({ host: 'a', ...headers })
      .map(([name, value]) => `${name}: ${value}\r\n`)
      .join('')}\r\n`
  const upgrade = (to: string) => ({
    connection: 'upgrade, http2-settings, close',
    upgrade: to,
    'http2-settings': 'AAMAAABk',
  })
  const send = async (port: number, text: string, then?: Buffer) => {
    const socket = connect(port, '127.0.0.1')
    socket.write(text)
    if (then) socket.write(then)
    let answer = ''
    for await (const chunk of socket) answer += chunk
    return answer
  }

  test.each(['h2c', 'TLS/1.0', 'something-else'])(
    'to %s is not taken: what was asked for is answered',
    async (to) => {
      const { port, submitted } = await start(createApp())
      const shown = await send(port, head('GET /', upgrade(to)))
      expect(shown).toMatch(/^HTTP\/1\.1 200 /)
      expect(shown).toContain(page)
      const rpc = { ...call, ...upgrade(to), 'content-length': body.length }
      const answer = await send(port, head(`POST /_flash/rpc/${refOf('read')}`, rpc), body)
      expect(answer).toMatch(/^HTTP\/1\.1 200 /)
      expect(submitted).toHaveLength(1)
    },
  )

  test('to a WebSocket is refused with a code below the prefix', async () => {
    const { port } = await start(createApp())
    for (const to of ['websocket', 'WebSocket', 'h2c, websocket']) {
      const answer = await send(port, head('GET /_flash/rpc/x', upgrade(to)))
      expect(answer).toMatch(/^HTTP\/1\.1 403 /)
      expect(answer).toContain('"code":"FORBIDDEN"')
    }
    expect(await send(port, head('GET /live.txt', upgrade('websocket')))).toMatch(/^HTTP\/1\.1 404 /)
  })
})

test('a host that is no host is refused, and nothing is printed', async () => {
  const print = vi.spyOn(console, 'error').mockImplementation(() => {})
  const { port } = await start(createApp())
  for (const path of ['/', '/_flash/rpc/x'])
    expect((await ask(port, path, { host: 'x:99999' })).status).toBe(400)
  expect(print).not.toHaveBeenCalled()
  print.mockRestore()
})

describe('stopping', () => {
  const slow = () => {
    let finish = () => {}
    let begin = () => {}
    const begun = new Promise<void>((resolve) => (begin = resolve))
    const { backend } = createFakeBackend()
    const createBackend = () => ({
      ...backend,
      submit: async (...args: Parameters<typeof backend.submit>) => {
        const job = await backend.submit(...args)
        return {
          ...job,
          listen: (_from: number, say: (message: ReturnType<typeof json>) => void) => {
            say(json(FrameType.progress, 'begun'))
            finish = () => say(json(FrameType.value, 'done'))
            begin()
            return () => {}
          },
        }
      },
    })
    return { createBackend, begun, finish: () => finish() }
  }

  const callSlowly = (port: number) =>
    ask(port, `/_flash/rpc/${refOf('read')}`, call, 'POST', callBody({ args: [] }))

  const opened = async (port: number): Promise<Socket> => {
    const socket = connect(port, '127.0.0.1')
    await new Promise<void>((resolve) => socket.once('connect', () => resolve()))
    socket.on('error', () => {})
    socket.resume()
    return socket
  }

  test('ends at once when nothing runs, whoever holds a connection open', async () => {
    const { port, stop, stopped } = await start(createApp(), { graceMs: 60_000 })
    const silent = await opened(port)
    const kept = await opened(port)
    kept.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await new Promise<void>((resolve) => kept.once('data', () => resolve()))
    stop()
    await stopped
    for (const socket of [silent, kept]) socket.destroy()
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  })

  test('lets what runs come to its end, and takes nothing new', async () => {
    const { createBackend, begun, finish } = slow()
    const { port, stop, stopped } = await start(createApp(), { createBackend, graceMs: 60_000 })
    const answer = callSlowly(port)
    await begun
    stop()
    await expect(ask(port, '/')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    finish()
    expect((await answer).text).toContain('"done"')
    await stopped
  })

  test('answers the last requests of a connection, and closes it', async () => {
    const { createBackend, begun, finish } = slow()
    const { port, stop, stopped } = await start(createApp(), { createBackend, graceMs: 60_000 })
    const socket = await opened(port)
    let text = ''
    socket.on('data', (chunk) => (text += chunk))
    const body = Buffer.from(callBody({ args: [] }))
    const head = Object.entries({ host: 'a', ...call, 'content-length': body.length }).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    )
    socket.write(`POST /_flash/rpc/${refOf('read')} HTTP/1.1\r\n${head.join('')}\r\n`)
    socket.write(body)
    await begun
    stop()
    socket.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
    finish()
    await Promise.all([stopped, new Promise((resolve) => socket.once('close', resolve))])
    expect(text).toContain('"done"')
    expect(text).toMatch(/connection: close[^]*<title>shop/i)
  })

  test('breaks what does not end within its grace', async () => {
    const { createBackend, begun } = slow()
    const { port, stop, stopped } = await start(createApp(), { createBackend, graceMs: 30 })
    const answer = callSlowly(port).catch((error: Error) => error)
    await begun
    stop()
    await stopped
    expect(await answer).toMatchObject({ code: 'ECONNRESET' })
  })

  test('before it began is stopping at once', async () => {
    const { stopped } = await start(createApp(), { signal: AbortSignal.abort() })
    await stopped
  })
})

describe('refused at the start:', () => {
  const refusals: [
    what: string,
    root: () => string,
    options: Partial<StartOptions>,
    code: string,
    message: RegExp,
  ][] = [
    ['no key', () => createApp(), { env: {} }, 'BAD_PROJECT_KEY', /FLASH_KEY is not set/],
    [
      'a key of another form',
      () => createApp(),
      { env: { FLASH_KEY: 'abc' } },
      'BAD_PROJECT_KEY',
      /32 are needed/,
    ],
    [
      'another key',
      () => createApp(),
      { env: { FLASH_KEY: Buffer.alloc(32).toString('base64') } },
      'BAD_PROJECT_KEY',
      /another project key/,
    ],
    ['no build', () => createApp(), { dist: 'nowhere' }, 'BUILD_MISSING', /nowhere/],
    [
      'an option that is wrong',
      () => createApp(),
      { handler: { maxBodyBytes: -1 } },
      'BAD_OPTION',
      /maxBodyBytes/,
    ],
    [
      'a host that is no name',
      () => createApp(),
      { host: 'nowhere.invalid' },
      'BAD_OPTION',
      /nothing has this name|EAI_AGAIN/,
    ],
    ['a host that is none', () => createApp(), { host: '203.0.113.7' }, 'BAD_OPTION', /no such address/],
  ]
  for (const [what, root, options, code, message] of refusals) {
    test(what, async () => {
      await expect(start(root(), options)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(message),
        hint: expect.any(String),
      })
    })
  }

  test('a port that is taken', async () => {
    const other = createServer()
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    cleanUps.push(() => other.close())
    const { port } = other.address() as { port: number }
    await expect(start(createApp(), { port })).rejects.toMatchObject({
      code: 'BAD_OPTION',
      message: expect.stringMatching(new RegExp(`port ${port} of 127.0.0.1: something else listens`)),
    })
  })

  test('a project without a key, which gets none', async () => {
    const root = createApp()
    await expect(start(root, { env: {} })).rejects.toMatchObject({ code: 'BAD_PROJECT_KEY' })
    const found = createApp({ '.flash/key': `${env.FLASH_KEY}\n` })
    expect((await start(found, { env: {} })).facts.app).toBe('shop')
  })
})

test('every interface of the machine is shown as localhost, and IPv6 in its brackets', async () => {
  expect((await start(createApp(), { host: '0.0.0.0' })).url).toMatch(/^http:\/\/localhost:\d+\/$/)
  const refused = await start(createApp(), { host: '::1' }).catch((error: Error) => error)
  // Some machines have no IPv6.
  if (refused instanceof Error) expect(refused.message).toContain('of ::1')
  else expect(refused.url).toMatch(/^http:\/\/\[::1\]:\d+\/$/)
})
