import { AsyncLocalStorage } from 'node:async_hooks'
import { bindRoute, bindWeb } from '@flash/runtime'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { type CalledFunction, serverRoute, serverSocket, serverWeb } from './calls.ts'
import { createForwardBackend } from './forward.ts'
import { bindServer } from './gateway.ts'
import { createHandler } from './handler.ts'
import { balancedFacts } from './testing/balanced.ts'
import { type FakeWeb, type FakeWebAnswer, type FakeWebRequest, startFakeWeb } from './testing/fake-web.ts'
import { functions } from './testing/jobs.ts'
import { facts as queueFacts, key as keyBytes, refOf, serve } from './testing/production.ts'

const facts = {
  app: 'shop',
  prefix: '/_flash',
  functions: [...balancedFacts, ...Object.values(functions)],
}
const key = Buffer.from(keyBytes).toString('base64url')
const info = { name: 'pictures', at: 'src/a.ts:1' }

const data = (value: unknown): FakeWebAnswer => ({
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', 'x-flash-result': 'data' },
})
const failure = (value: unknown, status: number): FakeWebAnswer => ({
  status,
  body: JSON.stringify(value),
  headers: { 'content-type': 'application/json', 'x-flash-result': 'error' },
})

let web: FakeWeb
let answer: (request: FakeWebRequest) => FakeWebAnswer | Promise<FakeWebAnswer>
beforeEach(async () => {
  answer = ({ method, url, body }) => data({ method, url, body })
  web = await startFakeWeb((request) => answer(request))
})
afterEach(async () => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  await web.close()
})

const env = () => ({ FLASH_ENDPOINT_PICTURES: web.origin })
const nowhere = { findDev: () => undefined, findBundles: () => undefined }

describe('a stub in built server code', () => {
  const bind = () => bindServer(facts, key, { env: env(), ...nowhere })

  test('calls a route at its address', async () => {
    const resize = bind().serverRoute('resize', 'POST', '/resize/:width', info)
    expect(await resize({ params: { width: 40 }, query: { fit: 'cover' }, body: 'picture' })).toEqual({
      method: 'POST',
      url: '/resize/40?fit=cover',
      body: 'picture',
    })
  })

  test('rejects with what the route threw', async () => {
    answer = () => failure({ code: 'TOO_DARK', message: 'no picture', data: 1 }, 400)
    const resize = bind().serverRoute('resize', 'POST', '/resize/:width', info)
    await expect(resize({ params: { width: 1 } })).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'TOO_DARK',
      data: 1,
    })
  })

  test('asks a web app, cookies and all', async () => {
    answer = ({ headers }) => ({ body: headers.cookie, headers: { 'set-cookie': ['a=1', 'b=2'] } })
    const response = await bind()
      .serverWeb('site', info)
      .get('/me', { headers: { cookie: 'session=1' } })
    expect(await response.text()).toBe('session=1')
    expect(response.headers.getSetCookie()).toEqual(['a=1', 'b=2'])
  })

  test('sends an authorization of its own where no key of ours goes, and says where one does', async () => {
    answer = ({ headers }) => data(headers.authorization)
    const options = { params: { width: 1 }, headers: { authorization: 'Basic x' } }
    const resize = bind().serverRoute('resize', 'POST', '/resize/:width', info)
    expect(await resize(options)).toBe('Basic x')
    const place = { FLASH_ENDPOINT_PICTURES: 'abc', RUNPOD_API_KEY: 'rpa_0123456789ABCDEFGHIJ' }
    const named = bindServer(facts, key, { env: place, ...nowhere })
    await expect(named.serverRoute('resize', 'POST', '/resize/:width', info)(options)).rejects.toMatchObject({
      code: 'BAD_REQUEST',
      message: expect.stringContaining('"authorization"'),
    })
  })

  test('streams a body that is not there yet', async () => {
    let push = (_text: string) => {}
    let end = () => {}
    const body = new ReadableStream({
      start(controller) {
        push = (text) => controller.enqueue(new TextEncoder().encode(text))
        end = () => controller.close()
      },
    })
    const sent = bind()
      .serverWeb('site', info)
      .fetch('/upload', { method: 'POST', body, duplex: 'half' } as RequestInit)
    push('first,')
    push('second')
    end()
    expect(await (await sent).json()).toMatchObject({ body: 'first,second' })
    expect(web.requests[0]!.headers['transfer-encoding']).toBe('chunked')
  })

  test('refuses what is too large, and paths of the platform, before anything is sent', async () => {
    const { serverWeb } = bindServer(facts, key, { env: env(), ...nowhere, maxBodyBytes: 10 })
    const site = serverWeb('site', info)
    for (const body of ['x'.repeat(11), new Blob(['x'.repeat(11)])])
      await expect(site.post('/', { body })).rejects.toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
    expect((await site.post('/', { body: new Blob(['ok']) })).status).toBe(200)
    await expect(site.get('/ping')).rejects.toMatchObject({ code: 'RESERVED_PATH' })
    await expect(site.get('/a/%2e%2e%2fb')).rejects.toMatchObject({ code: 'BAD_PATH' })
    expect(web.requests.filter(({ body }) => body !== '')).toHaveLength(1)
  })

  test('is of something that is there, and takes requests', async () => {
    await expect(bind().serverWeb('nobody', info).get('/')).rejects.toMatchObject({
      code: 'UNKNOWN_FUNCTION',
    })
    await expect(bind().serverWeb('read', info).get('/')).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  })

  test('opens WebSockets at the address, and says why one was refused', async () => {
    const live = bind().serverSocket('live', '/live/:room', info)
    const opening = live.connect({ params: { room: 'a' }, query: { x: '1' }, protocols: ['chat'] })
    await expect(opening).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(web.upgrades[0]).toMatchObject({
      url: '/live/a?x=1',
      headers: { 'sec-websocket-protocol': 'chat' },
    })
    await expect(bind().serverWeb('site', info).connect('/x')).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(web.upgrades[1]!.headers).not.toHaveProperty('sec-websocket-protocol')
  })
})

describe('a stub in the bundle of another endpoint', () => {
  const infoOf = (id: string, more: Partial<CalledFunction> = {}): CalledFunction => {
    const { id: _, endpoint, ...fn } = balancedFacts.find((fact) => fact.id === id)!
    return { name: endpoint, at: 'src/a.ts:1', app: 'shop', fn, ...more }
  }
  const shared = globalThis as { [key: symbol]: unknown }
  const storageKey = Symbol.for('unplugin-flash.context')
  const bundlesKey = Symbol.for('unplugin-flash.bundles')
  const storage = new AsyncLocalStorage<object>()
  const inside = <T>(hops: number, work: () => T, signal = new AbortController().signal): T =>
    storage.run(
      { endpoint: 'outer', signal, deadline: 9e15, [Symbol.for('unplugin-flash.hops')]: hops },
      work,
    )
  beforeEach(() => {
    shared[storageKey] = storage
    vi.stubEnv('FLASH_LOCAL_URL', undefined)
    vi.stubEnv('FLASH_ENDPOINT_PICTURES', web.origin)
  })
  afterEach(() => {
    delete shared[storageKey]
    delete shared[bundlesKey]
  })

  test('says how long the chain of calls is, and until when an answer is of use', async () => {
    const resize = serverRoute('resize', 'POST', '/resize/:width', infoOf('resize'))
    expect(await inside(2, () => resize({ params: { width: 4 } }))).toMatchObject({ url: '/resize/4' })
    expect(web.requests[0]!.headers).toMatchObject({
      'x-flash-hops': '3',
      'x-flash-deadline': '9000000000000000',
    })
    await expect(inside(16, () => resize({ params: { width: 4 } }))).rejects.toMatchObject({
      code: 'CALL_LOOP',
    })
    await resize({ params: { width: 5 } })
    expect(web.requests[1]!.headers).not.toHaveProperty('x-flash-deadline')
  })

  test('ends with the call that makes it', async () => {
    const outer = new AbortController()
    answer = () => {
      outer.abort(new Error('cancelled'))
      return new Promise(() => {})
    }
    const site = serverWeb('site', infoOf('site'))
    await expect(inside(0, () => site.get('/'), outer.signal)).rejects.toThrow('cancelled')
  })

  test('needs the key of the workers for the account', async () => {
    vi.stubEnv('FLASH_ENDPOINT_PICTURES', 'abc123')
    vi.stubEnv('FLASH_WORKER_KEY', undefined)
    await expect(serverWeb('site', infoOf('site')).get('/')).rejects.toMatchObject({
      code: 'CALLS_NEED_KEY',
    })
  })

  test('goes to what runs the bundles of a whole build, unless a variable says more', async () => {
    const fetch = vi.fn(async (_request: Request) =>
      Response.json({ code: 'HERE', message: 'here' }, { status: 400, headers: { 'x-flash': '1' } }),
    )
    const open = async () => ({ url: web.origin, token: 't' })
    shared[bundlesKey] = new Map([['/app', { has: () => true, fetch, open }]])
    const site = serverWeb('site', infoOf('site'))
    expect((await site.get('/')).status).toBe(200)
    vi.stubEnv('FLASH_ENDPOINT_PICTURES', undefined)
    await expect(inside(2, () => site.get('/'))).rejects.toMatchObject({ code: 'HERE' })
    expect(fetch.mock.calls[0]![0].headers.get('x-flash-hops')).toBe('3')
    await expect(inside(16, () => site.get('/'))).rejects.toMatchObject({ code: 'CALL_LOOP' })
    await expect(
      serverSocket('live', '/live/:room', infoOf('live')).connect({ params: { room: 'a' } }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(web.upgrades[0]).toMatchObject({
      url: '/rpc/live?path=%2Flive%2Fa',
      headers: { authorization: 'Bearer t', 'sec-websocket-protocol': 'flash.v1' },
    })
  })

  test('opens WebSockets at the address', async () => {
    const live = serverSocket('live', '/live/:room', infoOf('live'))
    await expect(live.connect({ params: { room: 'a' } })).rejects.toMatchObject({ code: 'FORBIDDEN' })
    expect(web.upgrades[0]!.url).toBe('/live/a')
  })
})

describe('a stub of a page', () => {
  async function openPage() {
    const onError = vi.fn()
    const all = { ...queueFacts, functions: [...queueFacts.functions, ...balancedFacts] }
    const authorize = vi.fn(() => true)
    const backend = createForwardBackend({ facts: all, env: env(), ...nowhere })
    const server = await serve(createHandler(all, { authorize, key: keyBytes, backend, onError }))
    const { fetch } = globalThis
    vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
      if (!String(input).startsWith(`http://${server.host}`)) return fetch(input, init)
      const headers = new Headers(init?.headers)
      headers.set('origin', `http://${server.host}`)
      return fetch(input, { ...init, headers })
    })
    const prefix = `http://${server.host}/_flash`
    return {
      onError,
      authorize,
      close: server.close,
      resize: bindRoute(prefix)(refOf('resize'), 'POST', '/resize/:width'),
      site: bindWeb(prefix)(refOf('site')),
    }
  }

  test('gets what the endpoint answers, and authorize hears of the inner request', async () => {
    const { resize, site, authorize, close } = await openPage()
    expect(await resize({ params: { width: 'a b' }, body: { n: 1 } })).toEqual({
      method: 'POST',
      url: '/resize/a%20b',
      body: '{"n":1}',
    })
    answer = () => ({ status: 207, body: 'own', headers: { 'x-own': 'a', 'set-cookie': 'a=1' } })
    const response = await site.put('//x?y', { body: 'b' })
    expect([response.status, await response.text()]).toEqual([207, 'own'])
    expect([response.headers.get('x-own'), response.headers.get('x-runpod-worker-id')]).toEqual(['a', null])
    expect(response.headers.getSetCookie()).toEqual([])
    expect(authorize.mock.calls.map(([, call]: unknown[]) => call)).toEqual([
      {
        kind: 'fetch',
        endpoint: 'pictures',
        function: 'api.POST /resize/:width',
        id: 'resize',
        method: 'POST',
        path: '/resize/a%20b',
      },
      { kind: 'fetch', endpoint: 'pictures', function: 'site', id: 'site', method: 'PUT', path: '//x' },
    ])
    await close()
  })

  for (const [what, given, status, seen] of [
    [
      'what the author threw for it',
      { code: 'TOO_DARK', message: 'no', hint: 'light', data: [1] },
      400,
      { code: 'TOO_DARK', message: 'no', hint: 'light', data: [1] },
    ],
    [
      'what is wrong with its input',
      { code: 'BAD_INPUT', message: 'body.a is missing', data: { field: 'body.a' } },
      422,
      { code: 'BAD_INPUT', message: 'body.a is missing', data: { field: 'body.a' } },
    ],
    [
      'nothing of what happened inside',
      { code: 'SETUP_FAILED', message: 'no file at /secret', data: { path: '/secret' } },
      500,
      { code: 'INTERNAL' },
    ],
    ['that a worker has none to tell', { code: 'INTERNAL', message: 'x /secret' }, 500, { code: 'INTERNAL' }],
    ['nothing that is no error', { message: '/secret' }, 500, { code: 'INTERNAL' }],
    [
      'nothing that is too long',
      { code: 'A', message: '/secret'.repeat(400_000) },
      500,
      { code: 'INTERNAL' },
    ],
  ] as const) {
    test(`gets of what a route throws ${what}`, async () => {
      answer = () => failure(given, status)
      const { resize, onError, close } = await openPage()
      const error = await resize({ params: { width: 1 } }).catch((error: unknown) => error)
      expect(error).toMatchObject({ name: 'RemoteError', ...seen })
      expect(JSON.stringify([(error as Error).message, error])).not.toContain('/secret')
      expect(onError).toHaveBeenCalledTimes(seen.code === 'INTERNAL' ? 1 : 0)
      await close()
    })
  }

  test('gets of an error without a body that there was one', async () => {
    answer = () => failure({ code: 'TOO_DARK', message: 'no' }, 400)
    const { site, onError, close } = await openPage()
    const response = await site.head('/x')
    expect([response.status, await response.text()]).toEqual([400, ''])
    expect(onError).not.toHaveBeenCalled()
    await close()
  })

  test('gets of an error that broke off only that there was one', async () => {
    await web.close()
    web = await startFakeWeb((_request, response) => {
      response.writeHead(500, { 'x-flash-result': 'error', 'content-length': '100' }).write('{"code":')
      response.socket!.destroySoon()
    })
    const { resize, close } = await openPage()
    await expect(resize({ params: { width: 1 } })).rejects.toMatchObject({ code: 'INTERNAL' })
    await close()
  })

  test('is not told where the endpoint would be', async () => {
    const { origin } = web
    const { site, close } = await openPage()
    await web.close()
    const error = await site.get('/').catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'RETRIES_EXHAUSTED' })
    expect((error as Error).message).not.toContain(origin)
    await close()
  })
})
