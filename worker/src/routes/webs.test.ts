import { H3 } from 'h3'
import { Hono } from 'hono'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { contextStorage } from '../execute/context.ts'
import { createDeferred } from '../local/session.ts'
import { createEndpoint, type TestEndpoint } from './testing.ts'

let endpoint: TestEndpoint
beforeEach(async () => (endpoint = await createEndpoint()))
afterEach(() => endpoint.close())

const ask = (path: string, init?: RequestInit) => fetch(endpoint.url + path, init)

for (const [what, make] of [
  [
    'Hono',
    () =>
      new Hono()
        .get('/hello/:name', (c) => c.json({ hello: c.req.param('name'), query: c.req.query('q') }))
        .post('/echo', (c) => new Response(c.req.raw.body, { status: 201 })),
  ],
  [
    'h3',
    () =>
      new H3()
        .get('/hello/:name', (event) => ({
          hello: event.context.params!.name,
          query: event.url.searchParams.get('q'),
        }))
        .post('/echo', (event) => new Response(event.req.body, { status: 201 })),
  ],
  [
    'a plain object',
    () => ({
      fetch(request: Request) {
        const { pathname, searchParams } = new URL(request.url)
        if (request.method === 'POST') return new Response(request.body, { status: 201 })
        if (pathname !== '/hello/you') return new Response('nobody', { status: 404 })
        return Response.json({ hello: pathname.slice(7), query: searchParams.get('q') })
      },
    }),
  ],
] as const) {
  describe(what, () => {
    for (const [form, body] of [
      ['as it is', () => make()],
      ['by a function', () => () => make()],
      ['by an async function', () => async () => make()],
    ] as const) {
      test(`answers, given ${form}`, async () => {
        endpoint.web(body())
        expect(await (await ask('/hello/you?q=1')).json()).toEqual({ hello: 'you', query: '1' })
        expect((await ask('/other')).status).toBe(404)
        const pieces = ['first ', 'second']
        const pull = (controller: ReadableStreamDefaultController) =>
          pieces.length ? controller.enqueue(Buffer.from(pieces.shift()!)) : controller.close()
        const init = { method: 'POST', body: new ReadableStream({ pull }), duplex: 'half' }
        const echo = await ask('/echo', init as object)
        expect([echo.status, await echo.text()]).toEqual([201, 'first second'])
      })
    }
  })
}

test('routes come first, and reserved or hostile paths do not reach the app', async () => {
  const seen = vi.fn(async (request: Request) => new Response(new URL(request.url).pathname))
  endpoint.web({ fetch: seen })
  endpoint.route('GET', '/own', () => 'route')
  expect(await (await ask('/own')).json()).toBe('route')
  expect(await (await ask('//other/x')).text()).toBe('//other/x')
  expect(await (await ask('/own', { method: 'POST' })).text()).toBe('/own')
  seen.mockClear()
  for (const [path, status] of [
    ['/execute', 404],
    ['/%65xecute', 404],
    ['/_runpod/x', 404],
    ['/a/%252e%252e/b', 400],
    ['/a%5Cb', 400],
  ] as const)
    expect([path, (await ask(path)).status]).toEqual([path, status])
  expect(seen).not.toHaveBeenCalled()
})

test('what it throws, or gives instead of an answer, is 500 without its words', async () => {
  endpoint.web({
    fetch({ url }: Request) {
      if (url.endsWith('/throw')) throw new Error('a secret')
      return 'text'
    },
  })
  for (const path of ['/throw', '/text']) {
    const refused = await ask(path)
    expect([refused.status, await refused.json()]).toMatchObject([500, { code: 'INTERNAL' }])
  }
  expect(endpoint.written.stderr).toMatch(/Error: a secret[^]*TypeError: `fetch` gave 'text'/)
})

test('it is made once, in a context with what setup has', async () => {
  const made = vi.fn(async () => {
    const context = contextStorage().getStore()!
    context.log('making')
    const refused = () => context.jobId
    expect(refused).toThrow(expect.objectContaining({ code: 'NO_CONTEXT' }))
    expect([context.endpoint, context.signal.aborted]).toEqual(['shop', false])
    return { fetch: () => new Response(contextStorage().getStore()!.jobId) }
  })
  endpoint.web(made)
  await endpoint.answer.prepare(new AbortController().signal)
  const answers = await Promise.all([ask('/'), ask('/')].map(async (one) => (await one).text()))
  expect(made).toHaveBeenCalledTimes(1)
  expect(new Set(answers).size).toBe(2)
  expect(endpoint.written.stdout).toBe('making\n')
})

test('a throw while it is made is SETUP_FAILED, and the next request tries again', async () => {
  let tries = 0
  endpoint.web(() => {
    if (++tries < 3) throw new Error(`try ${tries}`)
    return { fetch: () => new Response('there') }
  })
  await expect(endpoint.answer.prepare(new AbortController().signal)).rejects.toMatchObject({
    code: 'SETUP_FAILED',
  })
  const refused = await ask('/')
  expect([refused.status, await refused.json()]).toMatchObject([
    503,
    { code: 'SETUP_FAILED', message: 'the web app of "shop" could not be made: try 2' },
  ])
  expect(await (await ask('/')).text()).toBe('there')
  expect(endpoint.written.stderr).toContain('try 2')
})

test('what gives no app is told', async () => {
  endpoint.web(() => ({}))
  expect(await (await ask('/')).json()).toMatchObject({
    code: 'SETUP_FAILED',
    message: expect.stringContaining('nothing with fetch(request)'),
  })
})

test('after an edit the new app answers, while the old one ends what it began, and is disposed', async () => {
  const [go, disposed] = [createDeferred<void>(), vi.fn()]
  const pull = async (controller: ReadableStreamDefaultController) => {
    await go.promise
    controller.enqueue(Buffer.from('end'))
    controller.close()
  }
  const start = (controller: ReadableStreamDefaultController) => controller.enqueue(Buffer.from('old '))
  endpoint.web(() => ({ fetch: () => new Response(new ReadableStream({ start, pull })), dispose: disposed }))
  const old = await ask('/')
  endpoint.web(() => ({ fetch: () => new Response('new') }))
  expect(await (await ask('/')).text()).toBe('new')
  expect(disposed).not.toHaveBeenCalled()
  go.resolve()
  expect(await old.text()).toBe('old end')
  await vi.waitFor(() => expect(disposed).toHaveBeenCalledTimes(1))
})

test('it is disposed at the end; what its module made is not', async () => {
  const [made, given] = [vi.fn(), vi.fn()]
  endpoint.web(() => ({ fetch: () => new Response(null), [Symbol.asyncDispose]: async () => made() }))
  await ask('/')
  await endpoint.close()
  expect(made).toHaveBeenCalledTimes(1)
  endpoint = await createEndpoint()
  endpoint.web({ fetch: () => new Response(null), dispose: given })
  await ask('/')
  await endpoint.answer.close()
  expect(given).not.toHaveBeenCalled()
})

test('a disposable app that throws, or gives no answer, is let go', async () => {
  const disposed = vi.fn()
  let gives: () => unknown = () => {
    throw new Error('broken')
  }
  endpoint.web(() => ({ fetch: () => gives(), dispose: disposed }))
  expect((await ask('/')).status).toBe(500)
  gives = () => 5
  expect((await ask('/')).status).toBe(500)
  gives = () => new Response(null)
  expect((await ask('/')).status).toBe(200)
  endpoint.web({ fetch: () => new Response('new') })
  await ask('/')
  await vi.waitFor(() => expect(disposed).toHaveBeenCalledTimes(1))
})

test('abort reaches the app', async () => {
  const aborted = createDeferred<unknown>()
  const leave = new AbortController()
  endpoint.web(
    new Hono().get('/', async (c) => {
      const { signal } = c.req.raw
      setImmediate(() => leave.abort())
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
      aborted.resolve(signal.reason)
      return c.text('unseen')
    }),
  )
  await expect(ask('/', { signal: leave.signal })).rejects.toThrow()
  expect(await aborted.promise).toMatchObject({ name: 'AbortError' })
})

test('code of the worker calls it right here', async () => {
  const site = endpoint.web(new Hono().get('/hello', (c) => c.text(`hello ${c.req.query('q')}`)))
  expect(await (await site.get('/hello?q=1')).text()).toBe('hello 1')
  expect(await (await site.fetch('http://elsewhere/hello?q=2')).text()).toBe('hello 2')
  await expect(site.connect('/live')).rejects.toMatchObject({ code: 'WEBSOCKET_UNSUPPORTED' })
})
