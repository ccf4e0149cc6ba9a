import { AppError } from '@flash/protocol'
import { afterEach, expect, test, vi } from 'vitest'
import { openRoutes, routeFact } from '../routes/testing.ts'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** A server with one route of its own, and one of a worker. */
async function open(answer: (request: Request) => Promise<Response>, bytes = 100) {
  const own = routeFact('account', 'POST', '/people/:id')
  const facts = [
    own,
    routeFact('account', 'GET', '/people/:id'),
    routeFact('account', 'GET', '/far'),
    routeFact('account', 'GET', '/**:path'),
  ]
  const routes = await openRoutes({
    facts: facts.map((fact) => ({ ...fact, endpoint: 'account' })),
    worker: (_, response) => void response.end('from a worker'),
    limits: { bytes },
    serverRoutes: {
      has: (id) => !id.endsWith('/far'),
      answer: (_, request) => answer(request),
    },
  })
  closing.push(routes.close)
  return routes
}

const json = { 'content-type': 'application/json' }

test('a route gets the request with its own path, all of its headers but the token, and its body', async () => {
  const routes = await open(async (request) =>
    Response.json({
      method: request.method,
      url: request.url,
      headers: ['cookie', 'authorization', 'x-flash-hops'].map((name) => request.headers.get(name)),
      body: await request.text(),
    }),
  )
  const headers = { ...json, cookie: 'user=ada', authorization: 'Bearer session-token', 'x-flash-hops': '3' }
  const answer = await routes.ask('POST', '/account/people/a%20b?x=1', headers, '{}')
  const url = `${routes.url}/people/a%20b?x=1`
  expect(JSON.parse(answer.text)).toEqual({
    method: 'POST',
    url,
    headers: ['user=ada', null, '3'],
    body: '{}',
  })
  expect(answer.headers).toMatchObject({ 'x-flash': '1', 'cache-control': 'private, no-store' })
  const page = { ...headers, origin: routes.url, 'sec-fetch-site': 'same-origin' }
  const told = JSON.parse((await routes.ask('POST', '/account/people/1', page, '{}')).text)
  expect(told.headers).toEqual(['user=ada', null, null])
})

test('requests without a body, and what workers have', async () => {
  const routes = await open(async (request) => new Response(`${request.method} ${await request.text()}`))
  expect((await routes.ask('GET', '/account/people/1')).text).toBe('GET ')
  expect(await routes.ask('HEAD', '/account/people/1')).toMatchObject({ status: 200, text: '' })
  expect((await routes.ask('GET', '/account/far')).text).toBe('from a worker')
})

test('an answer to HEAD has no body, and whoever makes one hears that nobody takes it', async () => {
  const cancel = vi.fn()
  const routes = await open(
    async () => new Response(new ReadableStream({ cancel }), { status: 201, headers: { 'x-own': 'a' } }),
  )
  const answer = await routes.ask('HEAD', '/account/people/1')
  expect(answer).toMatchObject({ status: 201, text: '', headers: { 'x-own': 'a', 'x-flash': '1' } })
  await vi.waitFor(() => expect(cancel).toHaveBeenCalledTimes(1))
})

for (const path of ['//evil.example/a', '///evil.example/a', '//:foo', '//user:secret@evil.example/']) {
  test(`no path changes whose address it is: ${path}`, async () => {
    const seen: string[] = []
    const routes = await open(async ({ url }) => new Response(String(seen.push(url))))
    expect((await routes.ask('GET', `/account${path}`)).status).toBe(200)
    expect(seen).toEqual([`${routes.url}${path}`])
  })
}

for (const path of [
  '/people/..',
  '/\\evil.example',
  '/people/%2e%2e',
  '/people/..%2fx',
  '/people/%5cx',
  '/people/%00',
]) {
  test(`a path that could lead elsewhere reaches no handler: ${path}`, async () => {
    const answer = vi.fn()
    const routes = await open(answer)
    const refused = await routes.ask('GET', `/account${path}`)
    expect([refused.status, JSON.parse(refused.text).code]).toEqual([400, 'BAD_PATH'])
    expect(answer).not.toHaveBeenCalled()
  })
}

test('what cannot be answered is a problem', async () => {
  const routes = await open(() => Promise.reject(new AppError('LOCAL_NEEDS_SERVER', { message: 'none' })))
  const answer = await routes.ask('GET', '/account/people/1')
  expect([answer.status, JSON.parse(answer.text).code]).toEqual([501, 'LOCAL_NEEDS_SERVER'])
  const large = await routes.ask('POST', '/account/people/1', json, 'x'.repeat(101))
  expect([large.status, JSON.parse(large.text).code]).toEqual([413, 'PAYLOAD_TOO_LARGE'])
})

test('who leaves ends the request of the handler', async () => {
  const seen: AbortSignal[] = []
  const routes = await open(({ signal }) => {
    seen.push(signal)
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  })
  const stop = new AbortController()
  const url = `${routes.url}${routes.prefix}/account/people/1`
  const asked = fetch(url, { signal: stop.signal }).catch((error) => error.name)
  await expect.poll(() => seen.length).toBe(1)
  stop.abort()
  expect(await asked).toBe('AbortError')
  await expect.poll(() => seen[0]!.aborted).toBe(true)
  expect(routes.errors).toEqual([])
})
