import { createServer } from 'node:http'
import { setImmediate } from 'node:timers/promises'
import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { byWorker, env, json, key, openClient } from './testing/host.ts'

const config = { image: 'owner/image:1', name: 'speech-to-text', gpu: 'NVIDIA L4' }
const completed = { id: 'j1', status: 'COMPLETED', output: 'text' }
const variable = 'FLASH_ENDPOINT_SPEECH_TO_TEXT'

describe('where an endpoint with an image is', () => {
  for (const [what, variables, jobs, requests, hasKey] of [
    ['by id', { [variable]: 'abc' }, 'https://api.runpod.ai/v2/abc', 'https://abc.api.runpod.ai', true],
    [
      'by a URL of this machine',
      { [variable]: 'http://127.0.0.1:8000/' },
      'http://127.0.0.1:8000',
      'http://127.0.0.1:8000',
      true,
    ],
    ['by a URL of somebody', { [variable]: 'https://a.test' }, 'https://a.test', 'https://a.test', false],
    [
      'by the app',
      { FLASH_APP: 'shop' },
      'https://api.runpod.ai/v2/flash',
      'https://flash.api.runpod.ai',
      true,
    ],
  ] as const) {
    test(`${what}, for jobs and for requests`, async () => {
      const host = openClient(config, [json(completed)], { env: { ...env, ...variables } })
      expect(await host.client.runSync({ a: 1 })).toBe('text')
      expect(await host.client.get('/items')).toEqual(completed)
      expect(host.lines()).toEqual([`POST ${jobs}/run`, `GET ${requests}/items`])
      for (const { headers } of host.requests)
        expect(headers.authorization).toBe(hasKey ? `Bearer ${key}` : undefined)
    })
  }

  for (const [what, variables, environment] of [
    ['production', {}, 'production'],
    ['FLASH_ENVIRONMENT', { FLASH_ENVIRONMENT: 'staging' }, 'staging'],
    ['FLASH_ENV', { FLASH_ENVIRONMENT: 'staging', FLASH_ENV: 'mine' }, 'mine'],
  ] as const) {
    test(`on the account in the environment of ${what}`, async () => {
      const given = { ...env, FLASH_APP: 'shop', ...variables }
      const { client, requests } = openClient(config, [json({ jobs: {}, workers: {} })], { env: given })
      await client.health()
      await client.post('/x', { body: {} })
      for (const { headers } of requests) {
        expect(headers).toMatchObject({
          'x-flash-app': 'shop',
          'x-flash-environment': environment,
          'x-flash-endpoint': 'speech-to-text',
        })
      }
    })
  }

  test('each of several addresses takes requests, and none of them jobs', async () => {
    const addresses = ['http://127.0.0.1:1', 'http://127.0.0.1:2']
    const { client, requests } = openClient(config, [json(1)], { env: { [variable]: addresses.join(', ') } })
    for (let count = 0; count < 64; count++) await client.get('/x')
    expect([...new Set(requests.map(({ url }) => new URL(url).origin))].sort()).toEqual(addresses)
    await expect(client.run({})).rejects.toMatchObject({ code: 'BAD_ADDRESS' })
  })

  test('nothing that says it', async () => {
    const { client, requests } = openClient(config, [json(1)])
    for (const call of [() => client.get('/x'), () => client.run({})]) {
      await expect(call()).rejects.toMatchObject({
        name: 'RemoteError',
        code: 'ENDPOINT_NOT_DEPLOYED',
        message: expect.stringContaining('only a dev server starts'),
        hint: expect.stringMatching(/preview.*FLASH_TARGET=local.*FLASH_ENDPOINT_SPEECH_TO_TEXT.*FLASH_APP/),
      })
    }
    expect(requests).toEqual([])
  })

  test('an app, and no key for it', async () => {
    const { client, requests } = openClient(config, [json(1)], { env: { FLASH_APP: 'shop' } })
    await expect(client.get('/x')).rejects.toMatchObject({
      code: 'NO_ACCOUNT',
      hint: expect.stringContaining(variable),
    })
    expect(requests).toEqual([])
  })
})

describe('what a container of one’s own answers', () => {
  for (const [what, reply, code] of [
    ['404 is that of its path', json({ message: 'no such item' }, 404), 'HTTP_ERROR'],
    ['its own error', json({ code: 'SOLD_OUT', message: 'none left' }, 403), 'SOLD_OUT'],
  ] as const) {
    test(what, async () => {
      const { client } = openClient(config, [reply], { env: { [variable]: 'http://127.0.0.1:8000' } })
      await expect(client.get('/items/7')).rejects.toMatchObject({ code, data: { status: reply.status } })
    })
  }

  test('on the platform, without a worker, it is the platform that answers', async () => {
    const answers = [json({}, 404), byWorker('{}', { status: 404 })]
    const { client } = openClient(config, answers, { env: { ...env, [variable]: 'abc' } })
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
    await expect(client.get('/x')).rejects.toMatchObject({ code: 'HTTP_ERROR' })
  })
})

describe('while developing', () => {
  const dev = Symbol.for('unplugin-flash.dev')
  const shared = globalThis as { [dev]?: Map<string, unknown> }
  const closing: (() => unknown)[] = []
  afterEach(async () => {
    delete shared[dev]
    for (const close of closing.splice(0)) await close()
  })

  /** A dev server of this process that answers as told, in turn; gives the bodies it was sent. */
  function start(...answers: Response[]) {
    const bodies: unknown[] = []
    const answer = async (request: Request) => {
      expect([request.method, new URL(request.url).pathname]).toEqual(['POST', '/images'])
      bodies.push(await request.json())
      await setImmediate()
      return (answers.length > 1 ? answers.shift()! : answers[0]!).clone()
    }
    shared[dev] = new Map([['/app', { fetch: answer }]])
    return bodies
  }
  const address = json({ url: 'http://127.0.0.1:41000/v2/abc', key: 'of-the-emulator' })
  const given = { ...env, FLASH_APP: 'shop' }

  test('the dev server says where the container is, and gets the config without code', async () => {
    const bodies = start(address)
    const coded = { ...config, env: ['HF_TOKEN'], input: z.object({ a: z.number() }), setup: () => 1 }
    const { client, requests, lines } = openClient(coded, [json(completed)], { env: given })
    expect(await client.runSync({ a: 1 })).toBe('text')
    await client.get('/items')
    expect(lines()).toEqual([
      'POST http://127.0.0.1:41000/v2/abc/run',
      'GET http://127.0.0.1:41000/v2/abc/items',
    ])
    for (const { headers } of requests) expect(headers.authorization).toBe('Bearer of-the-emulator')
    const sent = { ...config, env: ['HF_TOKEN'] }
    expect(bodies).toEqual([
      { use: 'queue', config: sent, again: false },
      { use: 'balanced', config: sent, again: false },
    ])
  })

  test('it is asked again as long as the container starts', async () => {
    const bodies = start(json({}, 202), json({}, 202), address)
    const { client } = openClient(config, [json(1)], { env: given })
    expect(await client.get('/x')).toBe(1)
    expect(bodies.map((body) => (body as { again: boolean }).again)).toEqual([false, true, true])
  })

  test('what it refuses with is what the call rejects with, and the account is not asked', async () => {
    const problem = { code: 'NEEDS_DOCKER', message: 'no engine', hint: 'start Docker', data: { a: 1 } }
    start(json(problem, 500))
    const { client, requests } = openClient(config, [json(1)], { env: given })
    for (const call of [
      () => client.get('/x'),
      () => client.runSync({}),
      () => client.health(),
      () => client.status('j'),
    ])
      await expect(call()).rejects.toMatchObject({ name: 'RemoteError', ...problem })
    expect(requests).toEqual([])
  })

  for (const [what, answer] of [
    ['no problem of ours', json({ code: 1 }, 404)],
    ['no JSON', new Response('oops', { status: 500 })],
    ['a problem without a hint', json({ code: 'TRANSPORT', message: 'restart it: m' }, 500)],
  ] as const)
    test(`an answer that is ${what}`, async () => {
      start(answer)
      const { client } = openClient(config, [json(1)], { env: given })
      await expect(client.get('/x')).rejects.toMatchObject({ code: 'TRANSPORT' })
    })

  test('a call that is given up while the container starts ends at once, and asks no more', async () => {
    const bodies = start(json({}, 202))
    const { client } = openClient(config, [json(1)], { env: given })
    await expect(client.get('/x', { signal: AbortSignal.abort('gone') })).rejects.toBe('gone')
    await expect(client.run({}, { timeoutMs: 1 })).rejects.toMatchObject({ code: 'TIMEOUT' })
    const count = bodies.length
    for (let turn = 0; turn < 20; turn++) await setImmediate()
    expect(bodies.length).toBeLessThanOrEqual(count + 1)
  })

  test('the time that the start took is not there for the request', async () => {
    const clock = createTestClock()
    shared[dev] = new Map([
      [
        '/app',
        {
          async fetch() {
            clock.advance(600)
            return address.clone()
          },
        },
      ],
    ])
    const { client } = openClient(config, [() => new Promise<Response>(() => {})], { env: given, clock })
    const call = client.get('/x', { timeoutMs: 1_000 })
    call.catch(() => {})
    await vi.waitFor(() => {
      clock.advance(399)
      expect(clock.now()).toBeGreaterThan(1_700_000_000_998)
    })
    clock.advance(1)
    await expect(call).rejects.toMatchObject({ code: 'TIMEOUT' })
  })

  test('a dev server in another process is asked with its token, and may be gone', async () => {
    const seen: unknown[] = []
    const server = createServer((request, response) => {
      seen.push(request.url, request.headers.authorization)
      response.setHeader('content-type', 'application/json')
      response.end('{ "url": "http://127.0.0.1:41000/lb/abc", "key": "k" }')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(() => server.close())
    const { port } = server.address() as { port: number }
    const variables = { ...given, FLASH_DEV_URL: `http://127.0.0.1:${port}/`, FLASH_DEV_TOKEN: 'secret' }
    const { client, lines } = openClient(config, [json(1)], { env: variables })
    expect(await client.get('/x')).toBe(1)
    expect(seen).toEqual(['/images', 'Bearer secret'])
    expect(lines()).toEqual(['GET http://127.0.0.1:41000/lb/abc/x'])
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    await expect(client.get('/x')).rejects.toMatchObject({
      code: 'TRANSPORT',
      message: expect.stringContaining('development server'),
    })
  })

  test('one that was started by hand is called', async () => {
    const bodies = start(address)
    const variables = { [variable]: 'http://127.0.0.1:8000' }
    const { client, lines } = openClient(config, [json(1)], { env: variables })
    expect(await client.get('/x')).toBe(1)
    expect(lines()).toEqual(['GET http://127.0.0.1:8000/x'])
    expect(bodies).toEqual([])
  })

  for (const [what, more, variables] of [
    ["`dev: { target: 'live' }`", { dev: { target: 'live' } }, {}],
    ['a production process', {}, { NODE_ENV: 'production' }],
  ] as const)
    test(`${what} asks for the one on the account`, async () => {
      const bodies = start(address)
      const host = openClient({ ...config, ...more }, [json(1)], { env: { ...given, ...variables } })
      expect(await host.client.get('/x')).toBe(1)
      expect(host.lines()).toEqual(['GET https://flash.api.runpod.ai/x'])
      expect(bodies).toEqual([])
    })
})
