import { FrameType, RemoteError, toWireError } from '@flash/protocol'
import { bindClass, bindStub } from '@flash/runtime'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createHandler, type HandlerOptions } from './handler.ts'
import { createFakeBackend, facts, json, key, refOf, serve } from './testing/production.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  vi.restoreAllMocks()
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A stub on a page of the server's own origin, as a browser would send its calls. */
async function openPage(
  options: Partial<HandlerOptions> = {},
  words?: Parameters<typeof createFakeBackend>[0],
) {
  const fake = createFakeBackend(words)
  const given = { authorize: 'public' as const, onError() {}, ...options }
  const server = await serve(createHandler(facts, { ...given, backend: fake.backend, key }))
  cleanUps.push(server.close)
  const { fetch } = globalThis
  vi.spyOn(globalThis, 'fetch').mockImplementation((input, init) => {
    const headers = new Headers(init?.headers)
    headers.set('origin', `http://${server.host}`)
    return fetch(input, { ...init, headers })
  })
  const prefix = `http://${server.host}/_flash`
  return {
    read: bindStub(prefix)(refOf('read')),
    Model: bindClass(prefix)(refOf('model'), 'load,scan'),
    ...fake,
  }
}

test('a call resolves with the value', async () => {
  const { read } = await openPage()
  expect(await read('x')).toBe(42)
})

test('authorize hears of a method, and of a job that lives on its own, before the job begins', async () => {
  const authorize = vi.fn(() => true)
  const { read, Model } = await openPage({ authorize })
  await new Model().scan!()
  await read.run()
  expect(authorize.mock.calls.map(([, call]: unknown[]) => call)).toMatchObject([
    { kind: 'call', function: 'Model', method: 'scan' },
    { kind: 'run', function: 'read' },
  ])
})

test('a job can be waited for, cancelled and attached to', async () => {
  const { read, cancelled } = await openPage()
  const job = await read.run()
  expect(await job.wait()).toBe(42)
  expect(await read.attach(job.id).wait()).toBe(42)
  expect(await job.status()).toEqual({ id: job.id, status: 'IN_PROGRESS', delayTime: 3 })
  await job.cancel()
  expect(cancelled).toEqual(['job-1'])
})

describe('a refusal of the app rejects the call', () => {
  const refusals: [what: string, verdict: () => unknown, error: object][] = [
    ['no', () => false, { code: 'FORBIDDEN' }],
    [
      'a code of its own',
      () => Response.json({ code: 'NO_CREDIT', message: 'buy some' }, { status: 402 }),
      { code: 'NO_CREDIT', message: 'buy some' },
    ],
    [
      'words',
      () => new Response('sign in', { status: 401 }),
      { code: 'FORBIDDEN', data: { status: 401, body: 'sign in' } },
    ],
    ['a page', () => new Response('<h1>sign in</h1>'), { code: 'TRANSPORT' }],
    ['a result', () => Response.json(42, { headers: { 'x-flash': '1' } }), { code: 'TRANSPORT' }],
    [
      'nothing',
      () => new Response(null, { status: 204, headers: { 'x-flash': '1' } }),
      { code: 'TRANSPORT' },
    ],
    [
      'an error',
      () => {
        throw new Error('canary')
      },
      { code: 'INTERNAL', data: { requestId: expect.any(String) } },
    ],
  ]
  for (const [what, verdict, wanted] of refusals) {
    test(`with ${what}`, async () => {
      const { read, submitted } = await openPage({ authorize: verdict as never })
      const error = await read().catch((error: unknown) => error)
      expect(error).toBeInstanceOf(RemoteError)
      expect(error).toMatchObject(wanted)
      expect(submitted).toEqual([])
    })
  }
})

describe('an error of the function reaches the page', () => {
  const failing = (error: Error) => openPage({}, [json(FrameType.error, toWireError(error, { stack: true }))])

  test('as it was thrown, when it was meant for it', async () => {
    const { read } = await failing(new RemoteError('OUT_OF_STOCK', 'none left', { data: new Map([[1, 2]]) }))
    await expect(read()).rejects.toMatchObject({
      code: 'OUT_OF_STOCK',
      message: 'none left',
      data: new Map([[1, 2]]),
    })
  })

  test('as an id, when it was not', async () => {
    const { read } = await failing(new TypeError('canary'))
    const error = await read().catch((error: unknown) => error)
    expect(error).toMatchObject({ code: 'INTERNAL', data: { requestId: expect.any(String) } })
    expect(String((error as Error).stack)).not.toContain('canary')
  })
})
