import { RemoteError } from '@flash/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contextStorage } from '../execute/context.ts'
import { createDeferred } from '../local/session.ts'
import { createEndpoint, type TestEndpoint } from './testing.ts'

const open: TestEndpoint[] = []
afterEach(async () => {
  for (const endpoint of open.splice(0)) await endpoint.close()
})

async function create(...given: Parameters<typeof createEndpoint>) {
  const endpoint = await createEndpoint(...given)
  open.push(endpoint)
  return endpoint
}

test('a state is made once, and all routes of the endpoint have it', async () => {
  const setup = vi.fn(async () => ({ since: 'start' }))
  const endpoint = await create({ setup })
  endpoint.route('GET', '/a', ({ state }: any) => state)
  endpoint.route('GET', '/b', ({ state }: any) => state.since)
  await endpoint.answer.prepare(new AbortController().signal)
  expect(setup).toHaveBeenCalledTimes(1)
  expect(await (await fetch(`${endpoint.url}/a`)).json()).toEqual({ since: 'start' })
  expect(await (await fetch(`${endpoint.url}/b`)).json()).toBe('start')
  expect(setup).toHaveBeenCalledTimes(1)
})

test('a throw is SETUP_FAILED with 503, and the next request tries again', async () => {
  let tries = 0
  const setup = () => {
    if (++tries === 1) throw new Error('no model')
    return 'there'
  }
  const endpoint = await create({ setup })
  endpoint.route('GET', '/', ({ state }: any) => state)
  const refused = await fetch(endpoint.url)
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'SETUP_FAILED' }])
  expect(await (await fetch(endpoint.url)).json()).toBe('there')
})

test('it is kept while a body is made with it', async () => {
  const disposed = vi.fn()
  const go = createDeferred<void>()
  const endpoint = await create({ setup: () => ({ word: 'state', dispose: disposed }) })
  const streamOf = (word: string) =>
    new ReadableStream({
      async pull(controller) {
        await go.promise
        controller.enqueue(Buffer.from(word))
        controller.close()
      },
    })
  endpoint.route('GET', '/stream', ({ state }: any) => streamOf(state.word))
  endpoint.route('GET', '/response', ({ state }: any) => new Response(streamOf(state.word), { status: 202 }))
  endpoint.route('GET', '/items', async function* ({ state }: any) {
    await go.promise
    yield state.word
  })
  endpoint.route('GET', '/empty', () => new Response(null, { status: 204 }))
  endpoint.route('GET', '/broken', () => {
    const pull = () => Promise.reject(new Error('half way'))
    return new Response(new ReadableStream({ pull }))
  })
  endpoint.route('GET', '/refused', () => {
    throw new RemoteError('NO', 'refused')
  })
  expect((await fetch(`${endpoint.url}/empty`)).status).toBe(204)
  expect((await fetch(`${endpoint.url}/refused`)).status).toBe(400)
  await expect(fetch(`${endpoint.url}/broken`).then((answer) => answer.text())).rejects.toThrow()
  const left = await fetch(`${endpoint.url}/stream`)
  await left.body!.cancel()
  const answers = await Promise.all(
    ['/stream', '/response', '/items'].map((path) => fetch(endpoint.url + path)),
  )
  const closed = endpoint.worker.setups.close()
  expect(disposed).not.toHaveBeenCalled()
  go.resolve()
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
    'state',
    'state',
    'data: "state"\n\n',
  ])
  await closed
  expect(disposed).toHaveBeenCalledTimes(1)
})

test('a handler that does not end lets go of it a second after its client', async () => {
  const disposed = vi.fn()
  const leave = new AbortController()
  const endpoint = await create({ setup: () => ({ dispose: disposed }) }, { shutdownMs: 0 })
  endpoint.route('GET', '/', () => {
    setImmediate(() => leave.abort())
    return new Promise(() => {})
  })
  await expect(fetch(endpoint.url, { signal: leave.signal })).rejects.toThrow()
  await endpoint.worker.setups.close()
  expect(disposed).toHaveBeenCalledTimes(1)
})

test('code of the worker calls a route right here, with the same rules', async () => {
  const endpoint = await create({ setup: () => 'state' })
  const add = endpoint.route(
    'POST',
    '/items/:id',
    ({ params, query, body, state, headers }: any) => ({
      ...params,
      ...query,
      ...body,
      state,
      own: headers.get('x-own'),
    }),
    { query: z.object({ page: z.number() }), body: z.object({ name: z.string() }) },
  )
  const options = {
    params: { id: 'a b' },
    query: { page: 2 },
    body: { name: 'n' },
    headers: { 'x-own': '1' },
  }
  expect(await add(options)).toEqual({ id: 'a b', page: 2, name: 'n', state: 'state', own: '1' })
  await expect(add({ ...options, body: { name: 5 } })).rejects.toMatchObject({
    code: 'BAD_INPUT',
    data: { field: 'body.name' },
  })
  const count = endpoint.route('GET', '/count', function* () {
    yield 1
    yield 2
  })
  const items: unknown[] = []
  for await (const item of await count()) items.push(item)
  expect(items).toEqual([1, 2])
  const raw = endpoint.route('GET', '/raw', () => new Response('raw', { status: 418 }))
  const response = await raw()
  expect([response.status, await response.text()]).toEqual([418, 'raw'])
  const fails = endpoint.route('GET', '/fails', () => {
    throw new Error('a secret')
  })
  await expect(fails()).rejects.toMatchObject({ code: 'INTERNAL' })
  expect(endpoint.written.stderr).toContain('a secret')
})

test('a call in this process ends with the one that makes it', async () => {
  const endpoint = await create()
  const outer = new AbortController()
  const own = new AbortController()
  const wait = endpoint.route(
    'GET',
    '/wait',
    ({ request: { signal } }: any) =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
  )
  const context = { signal: outer.signal } as never
  const both = contextStorage().run(context, () => [wait(), wait({ signal: own.signal })])
  const reason = new Error('enough')
  outer.abort(reason)
  for (const call of both) await expect(call).rejects.toBe(reason)
  expect(endpoint.written.stderr).toBe('')
})

test('a WebSocket is not opened from here', async () => {
  const endpoint = await create()
  const live = endpoint.route('WS', '/live/:room', {})
  await expect(live.connect({ params: { room: 'a' } })).rejects.toMatchObject({
    code: 'WEBSOCKET_UNSUPPORTED',
  })
})
