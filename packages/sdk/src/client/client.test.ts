import { RemoteError } from '@flash/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { createClient } from './client.ts'
import { env, json, key, openClient } from './testing/host.ts'

const completed = { id: 'j1', status: 'COMPLETED', output: 1 }
const health = { jobs: { inQueue: 2 }, workers: { idle: 1 } }

describe('what a client may be told', () => {
  for (const [what, config, code, part] of [
    ['nothing', undefined, 'BAD_CONFIG', 'takes an object'],
    ['an id that would lead elsewhere', { id: 'a/../b' }, 'BAD_CONFIG', '`id` is no id'],
    ['an id that is no text', { id: 7 }, 'BAD_CONFIG', '`id` is no id'],
    ['id and app', { id: 'a', app: 'b', name: 'c' }, 'BAD_CONFIG', 'already says'],
    [
      'an app without a name',
      { app: 'b' },
      'BAD_CONFIG',
      '`name` of endpoint({ app, name }) is a value of type undefined',
    ],
    ['a name that no header carries', { app: 'b', name: 'ü' }, 'BAD_CONFIG', '"ü"'],
    ['a schema that is none', { id: 'a', input: {} }, 'BAD_CONFIG', '`input` is not a Standard Schema'],
    ['id and image', { id: 'a', image: 'b/c' }, 'BAD_CONFIG', 'already says'],
    [
      'an image of another app',
      { app: 'a', image: 'b/c', name: 'ocr' },
      'BAD_CONFIG',
      'has its `image` already',
    ],
    ['an image that is no text', { image: 7, name: 'ocr' }, 'BAD_CONFIG', '`image` is no name of an image'],
    [
      'an image without a name',
      { image: 'a/b' },
      'BAD_CONFIG',
      '`name` of endpoint({ image, name }) is missing',
    ],
    [
      'an image with a wrong name',
      { image: 'a/b', name: 'c' },
      'BAD_CONFIG',
      '`name` "c" of endpoint({ image, name }) has 1 character',
    ],
    ['routes', { name: 'ocr' }, 'PLUGIN_MISSING', "flash() from 'unplugin-flash/vite'"],
    ['routes, with the ways to a client', { name: 'ocr' }, 'PLUGIN_MISSING', 'endpoint({ app, name })'],
  ] as const)
    test(`refused: ${what}`, () => {
      const error = caught(() => createClient(config))
      expect(error).toMatchObject({ code })
      expect(`${error.message} ${error.hint}`).toContain(part)
    })
})

describe('where an endpoint is', () => {
  for (const [what, config, base, line, more] of [
    ['by id', { id: 'abc' }, undefined, 'GET https://api.runpod.ai/v2/abc/health', {}],
    ['at another base', { id: 'abc' }, 'http://127.0.0.1:1/v2/', 'GET http://127.0.0.1:1/v2/abc/health', {}],
    [
      'by the look-up, in the environment `default`',
      { app: 'shop', name: 'ocr' },
      undefined,
      'GET https://api.runpod.ai/v2/flash/health',
      { 'x-flash-app': 'shop', 'x-flash-environment': 'default', 'x-flash-endpoint': 'ocr' },
    ],
    [
      'by the look-up, in another',
      { app: 'shop', name: 'ocr', environment: 'production' },
      undefined,
      'GET https://api.runpod.ai/v2/flash/health',
      { 'x-flash-environment': 'production' },
    ],
  ] as const)
    test(`of jobs: ${what}`, async () => {
      const variables = {
        ...env,
        RUNPOD_ENDPOINT_BASE_URL: base,
        FLASH_ENV: 'staging',
        FLASH_ENDPOINT_OCR: 'other',
      }
      const { client, requests, lines } = openClient(config, [json(health)], { env: variables })
      await client.health()
      expect(lines()).toEqual([line])
      expect(requests[0]!.headers).toMatchObject({ authorization: `Bearer ${key}`, ...more })
    })

  for (const [what, config, base, url] of [
    ['a host of its own', { id: 'abc' }, undefined, 'https://abc.api.runpod.ai/items'],
    [
      'with port and scheme of the base',
      { id: 'abc' },
      'http://data.test:99/v2',
      'http://abc.data.test:99/items',
    ],
    [
      'a path where the base is numbers',
      { id: 'abc' },
      'http://127.0.0.1:99/v2',
      'http://127.0.0.1:99/lb/abc/items',
    ],
    ['a path at [::1]', { id: 'abc' }, 'http://[::1]:99/v2', 'http://[::1]:99/lb/abc/items'],
    ['a path at localhost', { id: 'abc' }, 'http://localhost:99/v2', 'http://localhost:99/lb/abc/items'],
    ['the look-up’s host', { app: 'a', name: 'b' }, undefined, 'https://flash.api.runpod.ai/items'],
  ] as const)
    test(`of requests: ${what}`, async () => {
      const variables = { ...env, RUNPOD_ENDPOINT_BASE_URL: base }
      const { client, lines } = openClient(config, [json(1)], { env: variables })
      await client.get('/items')
      expect(lines()).toEqual([`GET ${url}`])
    })

  test('without a key nothing is sent, whatever is called', async () => {
    const { client, requests } = openClient({ id: 'abc' }, [json(completed)], { env: {} })
    for (const call of [
      () => client.run({}),
      () => client.health(),
      () => client.get('/x'),
      () => client.status('j'),
    ])
      await expect(call()).rejects.toMatchObject({
        code: 'NO_ACCOUNT',
        hint: expect.stringContaining('RUNPOD_API_KEY'),
      })
    await expect(client.stream('j').next()).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
    expect(requests).toEqual([])
  })

  test('the variables are read at each call', async () => {
    const variables: Record<string, string> = {}
    const { client } = openClient({ id: 'abc' }, [json(health)], { env: variables })
    await expect(client.health()).rejects.toThrow(RemoteError)
    variables.RUNPOD_API_KEY = key
    expect((await client.health()).jobs).toEqual({
      completed: 0,
      failed: 0,
      inProgress: 0,
      inQueue: 2,
      retried: 0,
    })
  })
})

describe('while developing', () => {
  const dev = Symbol.for('unplugin-flash.dev')
  const shared = globalThis as { [dev]?: Map<string, unknown> }
  afterEach(() => void delete shared[dev])

  for (const [what, setUp, more] of [
    ['in the process of a dev server', () => void (shared[dev] = new Map([['/app', {}]])), {}],
    ['in a worker of one', () => {}, { FLASH_DEV_URL: 'http://127.0.0.1:1', FLASH_DEV_TOKEN: 't' }],
  ] as const) {
    test(`${what} nothing of the account is called unasked`, async () => {
      setUp()
      const variables = { ...env, ...more }
      const { client, requests } = openClient({ id: 'abc' }, [json(health)], { env: variables })
      await expect(client.health()).rejects.toMatchObject({
        code: 'EXTERNAL_ENDPOINT',
        message: expect.stringContaining('"abc"'),
        hint: expect.stringContaining("target: 'live'"),
      })
      await expect(client.post('/x')).rejects.toMatchObject({ code: 'EXTERNAL_ENDPOINT' })
      expect(requests).toEqual([])
    })

    test(`${what} \`dev: { target: 'live' }\` asks for it`, async () => {
      setUp()
      const config = { app: 'a', name: 'b', dev: { target: 'live' } }
      const { client } = openClient(config, [json(health)], { env: { ...env, ...more } })
      expect((await client.health()).workers.idle).toBe(1)
    })

    test(`${what} a production process is none`, async () => {
      setUp()
      const variables = { ...env, ...more, NODE_ENV: 'production' }
      const { client } = openClient({ id: 'abc' }, [json(health)], { env: variables })
      expect((await client.health()).workers.idle).toBe(1)
    })
  }
})

function caught(run: () => unknown): Error & { hint: string } {
  try {
    run()
  } catch (error) {
    return error as Error & { hint: string }
  }
  throw new Error('nothing was thrown')
}
