import { afterEach, describe, expect, test } from 'vitest'
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
        hint: expect.stringMatching(/FLASH_ENDPOINT_SPEECH_TO_TEXT.*FLASH_APP/),
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
  afterEach(() => void delete shared[dev])
  const start = () => void (shared[dev] = new Map([['/app', {}]]))

  test('nothing starts the image, and the account is not asked', async () => {
    start()
    const { client, requests } = openClient(config, [json(1)], { env: { ...env, FLASH_APP: 'shop' } })
    for (const call of [() => client.get('/x'), () => client.runSync({})]) {
      await expect(call()).rejects.toMatchObject({
        code: 'NEEDS_DOCKER',
        hint: expect.stringMatching(/FLASH_ENDPOINT_SPEECH_TO_TEXT.*target: 'live'/),
      })
    }
    expect(requests).toEqual([])
  })

  test('one that was started by hand is called', async () => {
    start()
    const variables = { [variable]: 'http://127.0.0.1:8000' }
    const { client, lines } = openClient(config, [json(1)], { env: variables })
    expect(await client.get('/x')).toBe(1)
    expect(lines()).toEqual(['GET http://127.0.0.1:8000/x'])
  })

  test("`dev: { target: 'live' }` asks for the one on the account", async () => {
    start()
    const live = { ...config, dev: { target: 'live' } }
    const { client, lines } = openClient(live, [json(1)], { env: { ...env, FLASH_APP: 'shop' } })
    expect(await client.get('/x')).toBe(1)
    expect(lines()).toEqual(['GET https://flash.api.runpod.ai/x'])
  })
})
