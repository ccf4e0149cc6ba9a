import { afterEach, describe, expect, test, vi } from 'vitest'
import { bindHandler, createUnboundHandler } from './bind-handler.ts'
import { callBody, facts, key, refOf } from './testing/production.ts'

afterEach(() => vi.unstubAllEnvs())

const createFlashHandler = bindHandler(facts, Buffer.from(key).toString('base64url'))

const request = (path: string) =>
  new Request(`http://shop.test/_flash/rpc/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1', origin: 'http://shop.test' },
    body: callBody({ args: [] }),
  })

const codeOf = async (answer: Promise<Response>) => (await (await answer).json()).code

describe('createFlashHandler', () => {
  test('knows the functions and the key of the app', async () => {
    expect(await codeOf(createFlashHandler()(request(refOf('read'))))).toBe('AUTHORIZE_MISSING')
    expect(await codeOf(createFlashHandler()(request(refOf('other'))))).toBe('UNKNOWN_FUNCTION')
    expect(await codeOf(createFlashHandler()(request('read.aaaaaaaaaaaaaaaa')))).toBe('SKEW')
  })

  test('looks for the endpoint when it is called, and says nothing of how that went', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    vi.stubEnv('RUNPOD_API_KEY', undefined)
    vi.stubEnv('FLASH_ENDPOINT_OCR', undefined)
    const onError = vi.fn()
    const handler = createFlashHandler({ authorize: 'public', onError })
    expect(await codeOf(handler(request(refOf('read'))))).toBe('INTERNAL')
    expect(onError.mock.calls[0]![0]).toMatchObject({ code: 'NO_ACCOUNT' })
  })

  test.each([{ previewToken: {} }, { key: new Uint8Array(32) }, { backend: {} }, { authorise: 'public' }])(
    'has no option %j',
    (options) => {
      const wanted = expect.objectContaining({
        code: 'BAD_OPTION',
        hint: expect.stringContaining('authorize'),
      })
      expect(() => createFlashHandler(options as object)).toThrow(wanted)
      expect(() => createUnboundHandler(options as object)).toThrow(wanted)
    },
  )
})

test('without the plugin it says what is missing, and leaves upgrades alone', async () => {
  const handler = createUnboundHandler({ authorize: 'public' })
  const answer = await handler(request(refOf('read')))
  expect([answer.status, answer.headers.get('x-flash')]).toEqual([500, '1'])
  expect(await answer.json()).toMatchObject({
    code: 'PLUGIN_MISSING',
    hint: expect.stringContaining('flash()'),
  })
  const socket = { end: vi.fn(), destroy: vi.fn(), on: vi.fn() }
  handler.upgrade({ url: '/_flash/rpc/x' } as never, socket as never, Buffer.alloc(0))
  for (const member of Object.values(socket)) expect(member).not.toHaveBeenCalled()
})
