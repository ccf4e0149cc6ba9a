import { describe, expect, test, vi } from 'vitest'
import { createRegistry, type RegistryOptions, type Runner } from './address.ts'

const key = 'rpa_0123456789ABCDEFGHIJ'
const ocr = 'FLASH_ENDPOINT_RECEIPT_OCR'

function open(env: Record<string, string>, options: Partial<RegistryOptions> = {}) {
  const nowhere = () => undefined
  return createRegistry({ app: 'shop', env, findDev: nowhere, findBundles: nowhere, ...options })
}

async function queueOf(env: Record<string, string>, options?: Partial<RegistryOptions>) {
  const found = await open(env, options).find('receipt-ocr', 'id')
  if (found.kind !== 'queue') throw new Error('no queue')
  return found.queue
}

const bundles: Runner = {
  submit: vi.fn(),
  warm: vi.fn(),
  fetch: vi.fn(),
  job: () => null,
  jobById: () => null,
}

describe('by its variable', () => {
  for (const [what, env, url, sent] of [
    ['an id', { [ocr]: 'abc123' }, 'https://api.runpod.ai/v2/abc123', true],
    ['an id with blanks around it', { [ocr]: ' abc123\n' }, 'https://api.runpod.ai/v2/abc123', true],
    [
      'an id below another base',
      { [ocr]: 'abc123', RUNPOD_ENDPOINT_BASE_URL: ' http://emulator:8080/v2// ' },
      'http://emulator:8080/v2/abc123',
      true,
    ],
    [
      'a URL of the platform',
      { [ocr]: 'https://api.runpod.ai/v2/abc/' },
      'https://api.runpod.ai/v2/abc',
      true,
    ],
    [
      'a host below the platform’s',
      { [ocr]: 'https://abc.api.runpod.ai' },
      'https://abc.api.runpod.ai',
      true,
    ],
    ['this machine', { [ocr]: 'http://localhost:9000/q' }, 'http://localhost:9000/q', true],
    ['this machine by number', { [ocr]: 'http://127.3.2.1:9000' }, 'http://127.3.2.1:9000', true],
    ['this machine by its longer number', { [ocr]: 'http://[::1]:9000' }, 'http://[::1]:9000', true],
    ['a name of this machine', { [ocr]: 'http://a.localhost' }, 'http://a.localhost', true],
    ['somebody else', { [ocr]: 'https://ocr.example.com/v2/abc' }, 'https://ocr.example.com/v2/abc', false],
    [
      'a name that only ends alike',
      { [ocr]: 'https://evil-api.runpod.ai' },
      'https://evil-api.runpod.ai',
      false,
    ],
    [
      'a name that only begins alike',
      { [ocr]: 'https://api.runpod.ai.evil.test' },
      'https://api.runpod.ai.evil.test',
      false,
    ],
    [
      'another port of the platform',
      { [ocr]: 'https://api.runpod.ai:444' },
      'https://api.runpod.ai:444',
      false,
    ],
    ['the platform in clear', { [ocr]: 'http://api.runpod.ai/v2/abc' }, 'http://api.runpod.ai/v2/abc', false],
    [
      'a name like this machine’s',
      { [ocr]: 'http://localhost.evil.test' },
      'http://localhost.evil.test',
      false,
    ],
    ['a number like this machine’s', { [ocr]: 'http://127.evil.test' }, 'http://127.evil.test', false],
    [
      'a host of another base',
      { [ocr]: 'https://x.emu.test:8443/q', RUNPOD_ENDPOINT_BASE_URL: 'https://emu.test:8443/v2' },
      'https://x.emu.test:8443/q',
      true,
    ],
  ] as [string, Record<string, string>, string, boolean][]) {
    test(`${what} gets the key: ${sent}`, async () => {
      const queue = await queueOf({ ...env, RUNPOD_API_KEY: key })
      expect(queue).toMatchObject({ endpoint: 'receipt-ocr', url, place: expect.stringContaining(ocr) })
      expect(queue.key).toBe(sent ? key : undefined)
      expect(queue.headers).toBeUndefined()
    })
  }

  test('a URL needs no key', async () => {
    expect((await queueOf({ [ocr]: 'http://localhost:1' })).key).toBeUndefined()
  })

  for (const [what, env, code, message] of [
    ['several', { [ocr]: 'abc,def' }, 'BAD_ADDRESS', /RECEIPT_OCR names several.*"receipt-ocr"/],
    ['no URL', { [ocr]: 'a b' }, 'BAD_ADDRESS', /RECEIPT_OCR is no URL/],
    ['half a URL', { [ocr]: 'https://' }, 'BAD_ADDRESS', /is no URL/],
    ['another scheme', { [ocr]: 'ftp://x/y' }, 'BAD_ADDRESS', /http or https/],
    ['a path', { [ocr]: '/v2/abc' }, 'BAD_ADDRESS', /is no URL/],
    ['a password', { [ocr]: 'https://me:hunter2@x.test' }, 'BAD_ADDRESS', /password/],
    ['a query', { [ocr]: 'https://x.test/?a=1' }, 'BAD_ADDRESS', /behind the path/],
    ['a fragment', { [ocr]: 'https://x.test/#a' }, 'BAD_ADDRESS', /behind the path/],
    ['an id without a key', { [ocr]: 'abc' }, 'NO_ACCOUNT', /RECEIPT_OCR.*RUNPOD_API_KEY is not set/],
    [
      'a wrong base',
      { [ocr]: 'abc', RUNPOD_API_KEY: key, RUNPOD_ENDPOINT_BASE_URL: 'emulator' },
      'BAD_ADDRESS',
      /RUNPOD_ENDPOINT_BASE_URL is no URL/,
    ],
    [
      'a key of two lines',
      { [ocr]: 'abc', RUNPOD_API_KEY: `${key}\nmore` },
      'NO_ACCOUNT',
      /RUNPOD_API_KEY holds/,
    ],
  ] as [string, Record<string, string>, string, RegExp][]) {
    test(`refuses ${what}, and shows no secret`, async () => {
      const error = await queueOf(env).catch((error: unknown) => error)
      expect(error).toMatchObject({ code, message: expect.stringMatching(message), hint: expect.any(String) })
      expect(JSON.stringify([(error as Error).message, error])).not.toMatch(/hunter2|0123456789/)
    })
  }

  test('a key that was taken for an address is not shown', async () => {
    const queue = await queueOf({ [ocr]: key, RUNPOD_API_KEY: key })
    expect(queue.place).not.toContain(key)
  })
})

describe('by the order of places', () => {
  const post = vi.fn()
  const findDev = vi.fn(() => post)
  const local = vi.fn(async () => bundles)
  const all = { [ocr]: 'http://localhost:1', FLASH_TARGET: 'local', RUNPOD_API_KEY: key }
  const { [ocr]: _, ...rest } = all

  test('its variable is first', async () => {
    expect(await open(all, { findDev, local }).find('receipt-ocr', 'id')).toMatchObject({ kind: 'queue' })
    expect(findDev).not.toHaveBeenCalled()
  })

  test('then a dev server that runs the function', async () => {
    const found = await open(rest, { findDev, local }).find('receipt-ocr', 'id')
    expect(found).toMatchObject({ kind: 'backend' })
    expect(findDev).toHaveBeenCalledWith('id', 'receipt-ocr')
    expect(local).not.toHaveBeenCalled()
  })

  test('which is not looked for in production', async () => {
    findDev.mockClear()
    local.mockClear()
    const found = await open({ ...rest, NODE_ENV: 'production' }, { findDev, local }).find(
      'receipt-ocr',
      'id',
    )
    expect(found).toEqual({ kind: 'backend', backend: bundles })
    expect(findDev).not.toHaveBeenCalled()
  })

  test('then bundles that run already, in production too', async () => {
    local.mockClear()
    const findBundles = vi.fn(() => post)
    const found = await open({ ...rest, NODE_ENV: 'production' }, { findBundles, local }).find(
      'receipt-ocr',
      'id',
    )
    expect(found).toMatchObject({ kind: 'backend' })
    expect(findBundles).toHaveBeenCalledWith('id', 'receipt-ocr')
    const both = open(rest, { findDev, findBundles: vi.fn(), local })
    expect(await both.find('receipt-ocr', 'id')).toMatchObject({ kind: 'backend' })
    expect(local).not.toHaveBeenCalled()
  })

  test('then those of a build, when FLASH_TARGET=local asks for them', async () => {
    expect(await open(rest, { local }).find('receipt-ocr', 'id')).toEqual({
      kind: 'backend',
      backend: bundles,
    })
  })

  test('only FLASH_TARGET=local starts them: nothing runs here that was not asked for', async () => {
    local.mockClear()
    for (const FLASH_TARGET of ['live', 'docker', ''])
      expect(await open({ ...rest, FLASH_TARGET }, { local }).find('receipt-ocr', 'id')).toMatchObject({
        kind: 'queue',
      })
    expect(local).not.toHaveBeenCalled()
  })

  test('a target that is none is refused, so that a slip sends no call elsewhere', async () => {
    await expect(
      open({ ...rest, FLASH_TARGET: 'loca' }, { local }).find('receipt-ocr', 'id'),
    ).rejects.toMatchObject({
      code: 'BAD_ADDRESS',
      message: 'FLASH_TARGET is "loca"; allowed: local, docker, live',
    })
  })

  test('then the account', async () => {
    expect(await queueOf({ RUNPOD_API_KEY: key })).toEqual({
      endpoint: 'receipt-ocr',
      url: 'https://api.runpod.ai/v2/flash',
      key,
      headers: {
        'X-Flash-App': 'shop',
        'X-Flash-Environment': 'production',
        'X-Flash-Endpoint': 'receipt-ocr',
      },
      place: 'app "shop", environment "production"',
      hint: `deploy it there, or say in ${ocr} where it answers`,
    })
  })

  for (const [what, env, environment] of [
    ['FLASH_ENV', { FLASH_ENV: 'staging', FLASH_ENVIRONMENT: 'other' }, 'staging'],
    ['FLASH_ENVIRONMENT', { FLASH_ENV: ' ', FLASH_ENVIRONMENT: 'other' }, 'other'],
    ['nothing', {}, 'production'],
  ] as [string, Record<string, string>, string][]) {
    test(`whose environment is named by ${what}`, async () => {
      const { headers } = await queueOf({ ...env, RUNPOD_API_KEY: key })
      expect(headers!['X-Flash-Environment']).toBe(environment)
    })
  }

  for (const [name, env, app] of [
    ['X-Flash-Environment', { FLASH_ENV: 'größe' }, 'shop'],
    ['X-Flash-App', {}, 'laden\nzeile'],
  ] as [string, Record<string, string>, string][]) {
    test(`refuses what ${name} cannot carry`, async () => {
      await expect(queueOf({ ...env, RUNPOD_API_KEY: key }, { app })).rejects.toMatchObject({
        code: 'BAD_ADDRESS',
        message: expect.stringContaining(name),
      })
    })
  }

  test('and nowhere else: without a key the error names the ways out', async () => {
    await expect(queueOf({})).rejects.toMatchObject({
      code: 'NO_ACCOUNT',
      message: expect.stringMatching(/"receipt-ocr".*RUNPOD_API_KEY/),
      hint: expect.stringMatching(/FLASH_ENDPOINT_RECEIPT_OCR.*vite dev/),
    })
  })
})

test('variables are those of the process, as they are at each call', async () => {
  const registry = createRegistry({ app: 'shop', findDev: () => undefined })
  vi.stubEnv('RUNPOD_API_KEY', '')
  try {
    await expect(registry.find('receipt-ocr', 'id')).rejects.toMatchObject({ code: 'NO_ACCOUNT' })
    vi.stubEnv(ocr, 'http://localhost:5')
    expect(await registry.find('receipt-ocr', 'id')).toMatchObject({ queue: { url: 'http://localhost:5' } })
  } finally {
    vi.unstubAllEnvs()
  }
})

for (const [what, name] of [
  ['a dev server is', 'unplugin-flash.dev'],
  ['bundles are', 'unplugin-flash.bundles'],
] as const) {
  test(`${what} found as stubs find them`, async () => {
    const shared = globalThis as { [key: symbol]: unknown }
    shared[Symbol.for(name)] = new Map([['/app', { has: (id: string) => id === 'id', fetch: vi.fn() }]])
    try {
      expect(await createRegistry({ app: 'shop', env: {} }).find('receipt-ocr', 'id')).toMatchObject({
        kind: 'backend',
      })
    } finally {
      delete shared[Symbol.for(name)]
    }
  })
}
