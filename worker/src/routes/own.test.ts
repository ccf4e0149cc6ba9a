import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createSteady } from '@flash/runtime/server'
import { Hono } from 'hono'
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest'
import { createEndpoint, type TestEndpoint } from './testing.ts'

let endpoint: TestEndpoint
beforeEach(async () => (endpoint = await createEndpoint()))
afterEach(() => endpoint.close())

const ask = (path: string, init?: RequestInit) => fetch(endpoint.url + path, { redirect: 'manual', ...init })

/** Another endpoint of ours, or something that says that it is one. */
async function startOther(headers: Record<string, string>): Promise<string> {
  const server = createServer((_, outgoing) => outgoing.writeHead(203, headers).end('{"from":"other"}'))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const sayOk = () => new Response('fine')
const sayBad = () => new Response('upstream is down', { status: 502 })
const sayLater = () => new Response('later', { status: 503, headers: { 'retry-after': '3600' } })

for (const [kind, serve] of [
  [
    'handlers',
    () => {
      endpoint.route('GET', '/ok', sayOk)
      endpoint.route('GET', '/bad', sayBad)
      endpoint.route('GET', '/later', sayLater)
    },
  ],
  ['a web app', () => endpoint.web(new Hono().get('/ok', sayOk).get('/bad', sayBad).get('/later', sayLater))],
  [
    'a web app that is disposed',
    () =>
      endpoint.web(() => ({
        fetch: new Hono().get('/ok', sayOk).get('/bad', sayBad).get('/later', sayLater).fetch,
        dispose() {},
      })),
  ],
] as const) {
  test(`what ${kind} answer says nothing of the address, whatever its status, and is the answer at once`, async () => {
    serve()
    const outcomes: unknown[] = []
    const emit = (name: string, _: number, { outcome }: Record<string, string>) =>
      name === 'endpoint_requests' && outcomes.push(outcome)
    const steady = createSteady({ env: {}, emit })
    const send = async (path: string) => {
      const request = { method: 'GET', path, headers: new Headers(), body: null }
      const response = await steady.fetch([{ endpoint: 'shop', url: endpoint.url, place: 'a test' }], request)
      return [response.status, await response.text()]
    }
    for (let time = 0; time < 6; time++) expect(await send('/bad')).toEqual([502, 'upstream is down'])
    expect(await send('/later')).toEqual([503, 'later'])
    expect(await send('/ok')).toEqual([200, 'fine'])
    expect(outcomes).toEqual(Array(8).fill('ok'))
  })
}

const ours = () =>
  new Response('mine', { status: 207, headers: { 'x-flash-result': 'data', 'x-flash': '1', 'x-own': '1' } })

for (const [what, make, status] of [
  [
    'a redirect, whose headers nobody can change',
    () => Response.redirect('http://elsewhere.test/', 303),
    303,
  ],
  ['one without a body', () => new Response(null, { status: 204 }), 204],
  ['one with headers of ours', ours, 207],
] as const) {
  test(`an answer is known as one of this program: ${what}`, async () => {
    endpoint.route('GET', '/route', make)
    endpoint.web({ fetch: make })
    for (const path of ['/route', '/web']) {
      const { status: given, headers } = await ask(path)
      expect([given, headers.get('x-flash-result'), headers.has('x-flash')]).toEqual([
        status,
        'response',
        false,
      ])
      expect(headers.get('x-own')).toBe(make().headers.get('x-own'))
      expect(headers.get('location')).toBe(make().headers.get('location'))
    }
  })
}

test('what another endpoint answered is passed on as a Response, and not as a result', async () => {
  const url = await startOther({ 'x-flash-result': 'error', 'x-flash': '1', 'x-own': '1' })
  const pass = () => fetch(url)
  const call = endpoint.route('GET', '/route', pass)
  endpoint.web({ fetch: pass })
  for (const path of ['/route', '/web']) {
    const { status, headers } = await ask(path)
    expect([status, headers.get('x-flash-result'), headers.has('x-flash')]).toEqual([203, 'response', false])
  }
  const response: Response = await call()
  expect([response.status, await response.json(), response.headers.get('x-own')]).toEqual([
    203,
    { from: 'other' },
    '1',
  ])
})

test('code of the worker does not see the mark, also where several calls get one and the same answer', async () => {
  const missing = new Response(null, { status: 404 })
  const call = endpoint.route('GET', '/route', () => missing)
  const site = endpoint.web({ fetch: () => missing })
  const answers: Response[] = await Promise.all([call(), call(), site.get('/'), site.get('/'), call()])
  for (const { status, headers } of answers)
    expect([status, headers.has('x-flash-result')]).toEqual([404, false])
})

test('OPTIONS is answered by this program too', async () => {
  endpoint.route('GET', '/route', sayOk)
  expect((await ask('/route', { method: 'OPTIONS' })).headers.get('x-flash-result')).toBe('response')
})
