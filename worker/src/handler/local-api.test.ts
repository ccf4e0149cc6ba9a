import { EventEmitter } from 'node:events'
import { expect, test, vi } from 'vitest'
import { captureJobs } from '../execute/job-output.ts'
import { createLocalApi, type LocalApiOptions } from './local-api.ts'
import { createHandlerRunner } from './runner.ts'
import type { HandlerOptions } from './types.ts'

function create(options: HandlerOptions, more: Partial<LocalApiOptions> = {}) {
  const streams = Object.fromEntries(
    ['stdout', 'stderr'].map((name) => [name, Object.assign(new EventEmitter(), { write: () => true })]),
  ) as Record<'stdout' | 'stderr', EventEmitter & { write(): boolean }>
  const runner = createHandlerRunner(options, { env: {}, output: captureJobs(streams) })
  const said: string[] = []
  const api = createLocalApi({
    runner,
    concurrency: 1,
    isLocal: true,
    endpointId: undefined,
    say: (line) => said.push(line),
    ...more,
  })
  const send = async (line: string, body?: unknown, headers: Record<string, string> = {}) => {
    const [method, path] = line.split(' ') as [string, string]
    const request = new Request(`http://127.0.0.1:8000${path}`, {
      method,
      headers: { ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    const response = await api(request, { remoteAddress: '127.0.0.1' })
    const text = await response.text()
    const isJson = response.headers.get('content-type')?.startsWith('application/json')
    return { status: response.status, headers: response.headers, body: isJson ? JSON.parse(text) : text }
  }
  return { send, said }
}

const id = expect.stringMatching(/^test-[\da-f-]{36}$/)
const double = { handler: ({ input }: { input: { n: number } }) => input.n * 2 }

function* numbers() {
  yield 1
  yield 2
}

test('POST /runsync runs a job', async () => {
  const { send } = create(double)
  expect(await send('POST /runsync', { input: { n: 2 } })).toMatchObject({
    status: 200,
    body: { id, status: 'COMPLETED', output: 4 },
  })
})

test('a job that fails says why, a job without output has null', async () => {
  const failing = create({ handler: () => ({ error: 'bad', a: 1 }) })
  expect((await failing.send('POST /runsync', { input: {} })).body).toEqual({
    id,
    status: 'FAILED',
    error: 'bad',
  })
  const empty = create({ handler: () => ({}) })
  expect((await empty.send('POST /runsync', { input: {} })).body).toEqual({
    id,
    status: 'COMPLETED',
    output: null,
  })
})

for (const method of ['POST', 'GET']) {
  test(`POST /run keeps a job until ${method} /status runs it`, async () => {
    const handler = vi.fn(double.handler)
    const { send } = create({ handler })
    const kept = await send('POST /run', { input: { n: 4 } })
    expect(kept.body).toEqual({ id, status: 'IN_PROGRESS' })
    expect(handler).not.toHaveBeenCalled()
    const path = `/status/${kept.body.id}`
    expect((await send(`${method} ${path}`)).body).toEqual({
      id: kept.body.id,
      status: 'COMPLETED',
      output: 8,
    })
    expect(handler.mock.calls[0]![0]).toMatchObject({ id: kept.body.id })
    expect(await send(`${method} ${path}`)).toMatchObject({
      status: 200,
      body: { id: kept.body.id, status: 'FAILED', error: 'Job ID not found' },
    })
  })
}

test('a generator is collected, and streamed', async () => {
  const { send } = create({ handler: numbers })
  expect((await send('POST /runsync', { input: {} })).body).toMatchObject({ output: [1, 2] })
  const { body } = await send('POST /run', { input: {} })
  expect((await send(`POST /stream/${body.id}`)).body).toEqual({
    id: body.id,
    status: 'COMPLETED',
    stream: [{ output: 1 }, { output: 2 }],
  })
})

test('what streams nothing cannot be streamed', async () => {
  const { send } = create(double)
  const { body } = await send('POST /run', { input: { n: 1 } })
  expect((await send(`POST /stream/${body.id}`)).body).toEqual({
    id: body.id,
    status: 'FAILED',
    error: 'Stream not supported, handler must be a generator.',
  })
})

test('an endpoint has a route for one job at once', async () => {
  const { send } = create(double, { endpointId: 'ep' })
  const job = { id: 'mine', input: { n: 1 } }
  expect((await send('POST /ep/realtime', job)).body).toEqual({ output: 2 })
  expect((await send('GET /ep/realtime')).status).toBe(405)
  expect((await send('POST /other/realtime', job)).status).toBe(404)
})

test('jobs run one after the other, or as many as are wanted', async () => {
  for (const concurrency of [1, 2]) {
    let running = 0
    let most = 0
    const handler = async () => {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
    }
    const { send } = create({ handler }, { concurrency })
    await Promise.all(Array.from({ length: 6 }, () => send('POST /runsync', { input: {} })))
    expect(most).toBe(concurrency)
  }
})

test('a webhook gets the bare result, once', async () => {
  const fetch = vi.fn<typeof globalThis.fetch>(async () => new Response('no', { status: 500 }))
  const { send, said } = create(double, { fetch })
  await send('POST /runsync', { input: { n: 1 }, webhook: 'http://127.0.0.1:1/hook' })
  expect(fetch.mock.calls).toEqual([
    ['http://127.0.0.1:1/hook', expect.objectContaining({ method: 'POST', body: '{"output":2}' })],
  ])
  await vi.waitFor(() => expect(said).toEqual(['the webhook answered with status 500']))
  fetch.mockRejectedValue(new Error('nobody there'))
  await send('POST /runsync', { input: { n: 1 }, webhook: 'http://127.0.0.1:1/hook' })
  await vi.waitFor(() => expect(said.at(-1)).toBe('the webhook was not reached: nobody there'))
})

test('of too many kept jobs the oldest is forgotten', async () => {
  const { send } = create(double)
  const first = (await send('POST /run', { input: { n: 1 } })).body.id
  for (let n = 0; n < 1_000; n++) await send('POST /run', { input: { n } })
  expect((await send(`POST /status/${first}`)).body.error).toBe('Job ID not found')
})

test('GET / says what there is', async () => {
  const { send } = create(double)
  const { status, body } = await send('GET /')
  expect(status).toBe(200)
  for (const route of ['/runsync', '/run', '/status/', '/stream/']) expect(body).toContain(route)
  const docs = await send('GET /docs')
  expect([docs.status, docs.headers.get('location')]).toEqual([307, 'http://127.0.0.1:8000/'])
})

const input = { input: {} }

for (const [what, line, body, headers, status, code] of [
  ['bad JSON', 'POST /runsync', '{input}', {}, 400, 'BAD_REQUEST'],
  ['no input', 'POST /runsync', { a: 1 }, {}, 422, 'BAD_INPUT'],
  ['an input that is no object', 'POST /run', { input: [1] }, {}, 422, 'BAD_INPUT'],
  ['another type', 'POST /run', input, { 'content-type': 'text/plain' }, 415, 'UNSUPPORTED_TYPE'],
  ['another method', 'GET /runsync', undefined, {}, 405, 'METHOD_NOT_ALLOWED'],
  ['another path', 'GET /elsewhere', undefined, {}, 404, 'NOT_FOUND'],
  ['a deeper path', 'GET /status/a/b', undefined, {}, 404, 'NOT_FOUND'],
  ['a page of another site', 'POST /runsync', input, { origin: 'https://evil.test' }, 403, 'FORBIDDEN'],
  ['a page without origin', 'POST /runsync', input, { origin: 'null' }, 403, 'FORBIDDEN'],
  ['a cross-site page', 'POST /runsync', input, { 'sec-fetch-site': 'cross-site' }, 403, 'FORBIDDEN'],
  ['another port of this machine', 'POST /run', input, { 'sec-fetch-site': 'same-site' }, 403, 'FORBIDDEN'],
  ['a form of nowhere', 'POST /run', input, { 'sec-fetch-site': 'none' }, 403, 'FORBIDDEN'],
] as const) {
  test(`${what} is refused`, async () => {
    const { send } = create(double)
    expect(await send(line, body, headers)).toMatchObject({ status, body: { code } })
  })
}

for (const [what, headers] of [
  ['its own page', { 'sec-fetch-site': 'same-origin', origin: 'http://127.0.0.1:8000' }],
  ['its own page in an old browser', { origin: 'http://127.0.0.1:8000' }],
  ['a program', {}],
] as const) {
  test(`${what} may call`, async () => {
    const { send } = create(double)
    expect((await send('POST /runsync', { input: { n: 1 } }, headers)).status).toBe(200)
  })
}

test('the address bar may read the page; a name of elsewhere is refused where only this machine listens', async () => {
  const { send } = create(double)
  expect((await send('GET /', undefined, { 'sec-fetch-site': 'none' })).status).toBe(200)
  const api = (isLocal: boolean) =>
    createLocalApi({
      runner: createHandlerRunner(double, { env: {}, output: captureJobs() }),
      concurrency: 1,
      isLocal,
      endpointId: undefined,
      say() {},
    })
  const request = () => new Request('http://rebound.test:8000/')
  expect((await api(true)(request(), { remoteAddress: undefined })).status).toBe(403)
  expect((await api(false)(request(), { remoteAddress: undefined })).status).toBe(200)
})
