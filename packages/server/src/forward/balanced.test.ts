import { afterEach, describe, expect, test, vi } from 'vitest'
import type { BackendRequest, RpcBackend } from '../backend.ts'
import { createForwardBackend, type ForwardOptions } from '../forward.ts'
import { balancedFacts } from '../testing/balanced.ts'
import { fastClock } from '../testing/fake-queue.ts'
import { type FakeWeb, startFakeWeb } from '../testing/fake-web.ts'

const variable = 'FLASH_ENDPOINT_PICTURES'
const key = 'rpa_0123456789ABCDEFGHIJ'
const far: FakeWeb[] = []
afterEach(async () => {
  for (const one of far.splice(0)) await one.close()
})

async function start(...args: Parameters<typeof startFakeWeb>) {
  const web = await startFakeWeb(...args)
  far.push(web)
  return web
}

function openBackend(env: Record<string, string>, options: Partial<ForwardOptions> = {}): RpcBackend {
  return createForwardBackend({
    facts: { app: 'shop', prefix: '/_flash', functions: balancedFacts },
    env,
    findDev: () => undefined,
    findBundles: () => undefined,
    clock: fastClock,
    random: () => 0,
    ...options,
  })
}

const request = (more: Partial<BackendRequest> = {}): BackendRequest => ({
  method: 'GET',
  path: '/a?b=c',
  headers: new Headers({ 'x-own': 'a' }),
  body: null,
  signal: new AbortController().signal,
  ...more,
})

test('what is known of a route, and how much one request may have', async () => {
  const backend = openBackend({})
  const others = ['list', 'newest', 'live'].map((id) => balancedFacts.find((fact) => fact.id === id)!.route)
  const route = { method: 'POST', path: '/resize/:width', schemas: [] }
  expect(await backend.find('resize')).toEqual({
    endpoint: 'pictures',
    kind: 'route',
    route,
    routes: [route, ...others],
    maxBodyBytes: 30_000_000,
  })
  expect(await openBackend({}, { maxBodyBytes: 5 }).find('site')).toMatchObject({ maxBodyBytes: 5 })
  expect(await backend.jobById('job-1')).toBeNull()
  expect(await backend.job('pictures', 'job-1')).toBeNull()
  await expect(backend.fetch('nobody', request())).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
})

describe('a request goes', () => {
  test('to an id below the base, with the key', async () => {
    const { base, requests } = await start(() => ({ body: 'hello', headers: { 'x-a': 'b' } }))
    const backend = openBackend({ [variable]: 'abc123', RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key })
    const response = await backend.fetch('site', request({ idempotencyKey: 'k' }))
    expect([response.status, await response.text(), response.headers.get('x-a')]).toEqual([200, 'hello', 'b'])
    expect(requests[0]).toMatchObject({
      method: 'GET',
      url: '/lb/abc123/a?b=c',
      headers: { authorization: `Bearer ${key}`, 'x-own': 'a', 'idempotency-key': 'k' },
    })
  })

  test('to a URL as it is given, which gets the key only where it may', async () => {
    const { origin, requests } = await start(() => ({}))
    await openBackend({ [variable]: `${origin}/x/`, RUNPOD_API_KEY: key }).fetch('site', request())
    const fetch = vi.fn(async () => new Response('far'))
    await openBackend({ [variable]: 'https://own.example', RUNPOD_API_KEY: key }, { fetch }).fetch(
      'site',
      request(),
    )
    expect(requests[0]).toMatchObject({ url: '/x/a?b=c', headers: { authorization: `Bearer ${key}` } })
    const [url, init] = fetch.mock.calls[0] as unknown as [string, RequestInit]
    expect(String(url)).toBe('https://own.example/a?b=c')
    expect(new Headers(init.headers).has('authorization')).toBe(false)
  })

  test('to several addresses in turn, and past one that is not there', async () => {
    const one = await start(() => ({ body: 'one' }))
    const two = await start(() => ({ body: 'two' }))
    const backend = openBackend({ [variable]: `${one.origin}, ${two.origin}, http://127.0.0.1:1` })
    const texts = []
    for (let count = 0; count < 6; count++) texts.push(await (await backend.fetch('site', request())).text())
    expect(new Set(texts)).toEqual(new Set(['one', 'two']))
    expect(texts).toHaveLength(6)
  })

  test('to the account by the names of app, environment and endpoint', async () => {
    const { base, requests } = await start(() => ({ body: 'found' }))
    const env = { RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key, FLASH_ENV: 'staging' }
    expect(await (await openBackend(env).fetch('site', request())).text()).toBe('found')
    expect(requests[0]).toMatchObject({
      url: '/lb/flash/a?b=c',
      headers: { 'x-flash-app': 'shop', 'x-flash-environment': 'staging', 'x-flash-endpoint': 'pictures' },
    })
  })

  test('where the account’s list says, when its look-up knows nothing', async () => {
    const { base, requests } = await start(({ url }) =>
      url.startsWith('/lb/flash') ? { status: 404, isPlatform: true } : { body: 'listed' },
    )
    const findListed = vi.fn(async () => ({
      endpoint: 'pictures',
      url: `${base}/abc`,
      key,
      place: 'the account',
    }))
    const env = { RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key }
    const backend = openBackend(env, { findListed })
    const body = new TextEncoder().encode('hello')
    const response = await backend.fetch('resize', request({ method: 'POST', body }))
    expect(await response.text()).toBe('listed')
    expect(requests.map(({ url, body }) => [url, body])).toEqual([
      ['/lb/flash/a?b=c', 'hello'],
      ['/lb/abc/a?b=c', 'hello'],
    ])
  })

  test('once when its body is a stream, which is gone then', async () => {
    const { base } = await start(() => ({ status: 404, isPlatform: true }))
    const findListed = vi.fn(async () => null)
    const backend = openBackend({ RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key }, { findListed })
    const body = new Blob(['hello']).stream()
    await expect(backend.fetch('resize', request({ method: 'POST', body }))).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
    })
    expect(findListed).not.toHaveBeenCalled()
  })

  test('to what runs on this machine, as it is', async () => {
    const fetch = vi.fn(async () => new Response('near'))
    const seat = vi.fn(async () => ({ url: 'http://127.0.0.1:9', headers: {}, release() {} }))
    const runner = { fetch, seat } as unknown as RpcBackend
    const backend = openBackend({ FLASH_TARGET: 'local' }, { local: async () => runner })
    const asked = request()
    expect(await (await backend.fetch('site', asked)).text()).toBe('near')
    expect(fetch).toHaveBeenCalledWith('site', asked)
    const { signal } = asked
    expect(await backend.seat!('live', signal)).toMatchObject({ url: 'http://127.0.0.1:9' })
    expect(seat).toHaveBeenCalledWith('live', signal)
    const blind = openBackend({ FLASH_TARGET: 'local' }, { local: async () => ({ fetch }) as never })
    await expect(blind.seat!('live', signal)).rejects.toMatchObject({ code: 'WEBSOCKET_UNSUPPORTED' })
  })
})

describe('an answer', () => {
  const cases = [
    ['a key that is wrong', 401, '', 'ACCOUNT_REFUSED'],
    ['a key for something else', 403, '', 'ACCOUNT_REFUSED'],
    ['an endpoint that is not there', 404, 'not found', 'ENDPOINT_NOT_DEPLOYED'],
    ['no workers', 400, '{"error":"no workers available"}', 'NO_WORKERS'],
    ['a queue', 400, '{"error":"not allowed for QB API"}', 'BAD_REQUEST'],
    ['too much', 413, '', 'PAYLOAD_TOO_LARGE'],
    ['a worker that died', 500, 'x'.repeat(20_000), 'TRANSPORT'],
  ] as const
  for (const [what, status, body, code] of cases) {
    test(`of the platform is an error: ${what}`, async () => {
      const { base } = await start(() => ({ status, body, isPlatform: true }))
      const env = { [variable]: 'abc', RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key }
      await expect(openBackend(env).fetch('resize', request({ method: 'POST' }))).rejects.toMatchObject({
        code,
        message: expect.stringContaining('"pictures"'),
      })
    })

    test(`of a worker is the answer: ${status} ${what}`, async () => {
      const { base } = await start(() => ({ status, body }))
      const env = { [variable]: 'abc', RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key }
      const response = await openBackend(env).fetch('resize', request({ method: 'POST' }))
      expect([response.status, await response.text()]).toEqual([status, body])
    })
  }

  test('of something that is not the platform is a worker’s', async () => {
    const { origin } = await start(() => ({ status: 404, body: 'own', isPlatform: true }))
    const response = await openBackend({ [variable]: origin }).fetch('site', request())
    expect([response.status, await response.text()]).toEqual([404, 'own'])
  })

  for (const [what, status, code, said] of [
    ['a sign-in page', 200, 'TRANSPORT', 'something else answered 200'],
    ['a redirect to one', 302, 'TRANSPORT', 'something else answered 302'],
    ['a proxy that wants a key', 401, 'ACCOUNT_REFUSED', 'none is sent there'],
    ['a proxy that does not know it', 404, 'ENDPOINT_NOT_DEPLOYED', 'FLASH_ENDPOINT_PICTURES'],
    ['a gateway', 502, 'TRANSPORT', 'something else answered 502'],
  ] as const) {
    test(`of something else than a worker is no answer of a route: ${what}`, async () => {
      const { origin } = await start(() => ({ status, body: '<h1>sign in</h1>', isPlatform: true }))
      const sent = openBackend({ [variable]: origin }).fetch('resize', request({ method: 'POST' }))
      await expect(sent).rejects.toMatchObject({ code, message: expect.stringContaining(said) })
    })
  }

  test('of a worker that takes no requests is none of its program', async () => {
    const body = JSON.stringify({ code: 'WORKER_UNAVAILABLE', message: 'it ends' })
    const headers = { 'x-runpod-worker-id': 'w1' }
    const { base, requests } = await start(() => ({ status: 503, body, headers, isPlatform: true }))
    const env = { [variable]: 'abc', RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key }
    await expect(openBackend(env).fetch('resize', request())).rejects.toMatchObject({
      code: 'WORKER_UNAVAILABLE',
    })
    expect(requests).toHaveLength(3)
  })

  test('that breaks off in the platform’s words says enough', async () => {
    const { base } = await start((_request, response) => {
      response.writeHead(404, { 'content-length': '100' }).write('half')
      response.socket!.destroySoon()
    })
    const env = { [variable]: 'abc', RUNPOD_ENDPOINT_BASE_URL: base, RUNPOD_API_KEY: key }
    await expect(openBackend(env).fetch('resize', request({ method: 'POST' }))).rejects.toMatchObject({
      code: 'ENDPOINT_NOT_DEPLOYED',
    })
  })

  test('that nobody waits for any more ends', async () => {
    const leave = new AbortController()
    let closed = () => {}
    const left = new Promise<void>((resolve) => (closed = resolve))
    const { origin } = await start((_request, response) => {
      response.once('close', closed)
      response.write('first')
    })
    const response = await openBackend({ [variable]: origin }).fetch(
      'site',
      request({ signal: leave.signal }),
    )
    const reader = response.body!.getReader()
    await reader.read()
    leave.abort()
    await expect(reader.read()).rejects.toThrow()
    await left
  })
})

describe('a WebSocket', () => {
  test('is opened at the address, with the key', async () => {
    const env = { RUNPOD_API_KEY: key }
    const { signal } = request()
    const named = await openBackend({ ...env, [variable]: 'abc' }).seat!('live', signal)
    expect(named).toMatchObject({
      url: 'https://abc.api.runpod.ai',
      headers: { authorization: `Bearer ${key}` },
    })
    named.release()
    const refused = { status: 401, headers: new Headers(), text: '' }
    expect(named.refusal!(refused)).toMatchObject({ code: 'ACCOUNT_REFUSED' })
    const ofWorker = { ...refused, headers: new Headers({ 'x-runpod-worker-id': 'w' }) }
    expect(named.refusal!(ofWorker)).toBeUndefined()
    expect(await openBackend({ [variable]: 'http://own.example/x' }).seat!('live', signal)).toMatchObject({
      url: 'http://own.example/x',
      headers: {},
    })
    expect((await openBackend(env).seat!('live', signal)).headers).toMatchObject({
      'X-Flash-Endpoint': 'pictures',
    })
  })
})
