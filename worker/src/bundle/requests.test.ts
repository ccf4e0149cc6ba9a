import WebSocket from 'crossws/websocket'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { BundleFunction } from '@flash/protocol'
import { createSteady } from '@flash/runtime/server'
import { createBundle, functionOf, type TestBundle } from './testing.ts'

const route = (method: 'GET' | 'POST' | 'WS', path: string): BundleFunction =>
  functionOf(`${method} ${path}`, [], { kind: 'route', route: { method, path, schemas: [] }, callables: [] })

const head = `import { defineApi, defineRoute, defineSocket, defineWeb } from 'test:balanced'
const __flash_functions = Object.create(null)
export { __flash_functions }
const api = defineApi({ setup: async () => {
  if (process.env.FAIL === 'always' || (process.env.FAIL === 'once' && !globalThis.failed)) {
    globalThis.failed = true
    throw new Error('no model')
  }
  console.log('set up')
  return { since: 'setup' }
} })
const add = (method: any, path: string, handler: unknown, options?: object) =>
  (method === 'WS' ? defineSocket : defineRoute)(__flash_functions, method + ' ' + path + '-id', api, method, path, handler, options)
`

let bundle: TestBundle
let site: TestBundle
let broken: TestBundle
beforeAll(async () => {
  bundle = await createBundle(
    {
      'a.ts': `${head}
add('GET', '/items/:id', ({ params, state }: any) => ({ ...params, ...state }))
add('POST', '/echo', ({ body, headers }: any) => ({ body, own: headers.get('x-own') }))
add('GET', '/fails', () => { throw new RangeError('a secret') })
add('GET', '/bytes', () => new Uint8Array([255, 0]))
add('GET', '/text', () => new Response('a text', { status: 418 }))
add('GET', '/nothing', () => {})
add('GET', '/bad', () => new Response('upstream is down', { status: 502 }))
add('GET', '/slow', () => new Promise((done) => setTimeout(done, 300, 'whole')))
add('GET', '/timer', () => new Promise((done) => { setTimeout(() => { throw new Error('from a timer') }); setTimeout(done, 300, 'answered') }))
add('GET', '/exits', () => process.exit(3))
add('WS', '/live', { message: (peer: any, message: any) => void peer.send('echo ' + message.text()) })
`,
    },
    [
      ...['/items/:id', '/fails', '/bytes', '/text', '/nothing', '/bad', '/slow', '/timer', '/exits'].map(
        (path) => route('GET', path),
      ),
      route('POST', '/echo'),
      route('WS', '/live'),
    ],
  )
  site = await createBundle(
    {
      'app.ts': `import { Hono } from 'hono'
export const make = () => new Hono().get('/hello/:name', (c) => c.json({ hello: c.req.param('name') }))
`,
      'a.ts': `${head}
import { make } from './app.ts'
defineWeb(__flash_functions, 'site-id', {}, async () => make())
`,
    },
    [functionOf('site', [], { kind: 'web', callables: [] })],
  )
  broken = await createBundle(
    { 'a.ts': `${head}\nthrow new RangeError('top of the module')\n` },
    [route('GET', '/')],
    { node: 20 },
  )
})
afterAll(() => {
  for (const one of [bundle, site, broken]) one.close()
})

/** A worker of the platform, once it listens. */
async function start(from: TestBundle, env: Record<string, string> = {}) {
  const taking = from.take({ PORT: '0', ...env })
  const port = await vi.waitFor(() => {
    const [, port] = /listening at port (\d+)/.exec(taking.printed.stderr) ?? []
    return port ?? Promise.reject(new Error(taking.printed.stderr))
  }, 10_000)
  return { ...taking, url: `http://127.0.0.1:${port}` }
}

const ping = async (url: string) => (await fetch(`${url}/ping`)).status
const healthy = (url: string) => vi.waitFor(async () => expect(await ping(url)).toBe(200))

describe('requests', () => {
  test('are answered once setup is there, until the worker is told to end', async () => {
    const { url, child, printed, exit } = await start(bundle)
    await healthy(url)
    expect(printed.stdout).toBe('set up\n')
    expect(await (await fetch(`${url}/items/7`)).json()).toEqual({ id: '7', since: 'setup' })
    const slow = fetch(`${url}/slow`)
    const ended = fetch(`${url}/items/8`).then(() => child.kill('SIGTERM'))
    expect(await (await slow).json()).toBe('whole')
    await ended
    expect(await exit).toEqual({ code: 0, signal: null })
  })

  test('of WebSockets are taken', async () => {
    const { url, child, exit } = await start(bundle)
    const socket = new WebSocket(`${url.replace('http', 'ws')}/live`)
    const heard = new Promise((resolve) => socket.addEventListener('message', ({ data }) => resolve(data)))
    const closed = new Promise((resolve) => socket.addEventListener('close', ({ code }) => resolve(code)))
    socket.addEventListener('open', () => socket.send('hi'))
    expect(await heard).toBe('echo hi')
    child.kill('SIGTERM')
    expect([await closed, await exit]).toEqual([1001, { code: 0, signal: null }])
  })

  test('are answered by a whole web app', async () => {
    const { url } = await start(site)
    expect(await (await fetch(`${url}/hello/you`)).json()).toEqual({ hello: 'you' })
    expect(await ping(url)).toBe(200)
  })

  test('with an answer of their author never count as trouble of the address', async () => {
    const { url } = await start(bundle)
    await healthy(url)
    const steady = createSteady({ env: {} })
    const request = { method: 'GET', path: '/bad', headers: new Headers(), body: null }
    for (let time = 0; time < 6; time++) {
      const response = await steady.fetch([{ endpoint: 'test', url, place: 'a test' }], request)
      expect([response.status, await response.text()]).toEqual([502, 'upstream is down'])
    }
  })

  test('an error in one is told in the log with the lines of its author', async () => {
    const { url, printed } = await start(bundle)
    expect((await fetch(`${url}/fails`)).status).toBe(500)
    expect(printed.stderr).toMatch(/RangeError: a secret\n +at .*src\/a\.ts:17:/)
  })

  test('an error that nobody catches ends the worker, as soon as all else is answered', async () => {
    const { url, printed, exit } = await start(bundle)
    await healthy(url)
    expect(await (await fetch(`${url}/timer`)).json()).toBe('answered')
    expect(await exit).toEqual({ code: 1, signal: null })
    expect(printed.stderr).toContain('flash: Error: from a timer')
  })
})

describe('setup that throws', () => {
  test('keeps the worker unhealthy; requests are told why', async () => {
    const { url, printed } = await start(bundle, { FAIL: 'always' })
    await vi.waitFor(async () => expect(await ping(url)).toBe(503))
    const refused = await fetch(`${url}/items/7`)
    expect([refused.status, await refused.json()]).toMatchObject([
      503,
      { code: 'SETUP_FAILED', message: expect.stringContaining('no model') },
    ])
    expect(printed.stderr).toMatch(/flash: SETUP_FAILED: setup of "test" threw: no model/)
  })

  test('is tried again by the next request, and the worker is healthy after that', async () => {
    const { url } = await start(bundle, { FAIL: 'once' })
    await vi.waitFor(async () => expect(await ping(url)).toBe(503))
    expect(await (await fetch(`${url}/items/7`)).json()).toEqual({ id: '7', since: 'setup' })
    expect(await ping(url)).toBe(200)
  })
})

describe('what does not fit', () => {
  test('modules that do not load: health checks and requests are 503, and the log says why', async () => {
    const { url, printed, child, exit } = await start(broken)
    expect(await ping(url)).toBe(503)
    const refused = await fetch(url)
    expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'WORKER_UNAVAILABLE' }])
    expect(refused.headers.has('x-flash-result')).toBe(false)
    expect(printed.stderr).toMatch(/flash: MODULE_FAILED: the bundle could not be loaded: top of the module/)
    child.kill('SIGTERM')
    expect(await exit).toEqual({ code: 0, signal: null })
  })

  test('modules that do not load where nobody looks: the process ends', async () => {
    expect(await broken.run([])).toMatchObject({ code: 1, stderr: expect.stringContaining('MODULE_FAILED') })
  })

  test('a port that is none ends the worker', async () => {
    expect(await bundle.run([], { env: { PORT: 'x' } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('BAD_ENVIRONMENT: PORT is "x"'),
    })
  })
})

describe('--test-input', () => {
  const run = async (request: object, from = bundle) => {
    const { code, stdout, stderr } = await from.run(['--test-input', JSON.stringify({ request })])
    return { code, stderr, answer: stdout && JSON.parse(stdout) }
  }

  test('prints status, headers and body of the answer to one request', async () => {
    expect(await run({ path: '/items/7' })).toEqual({
      code: 0,
      stderr: 'set up\n',
      answer: {
        status: 200,
        headers: { 'content-type': 'application/json', 'x-flash-result': 'data' },
        body: { id: '7', since: 'setup' },
      },
    })
    const posted = { method: 'post', path: '/echo', headers: { 'x-own': '1' }, body: { a: 1 } }
    expect((await run(posted)).answer.body).toEqual({ body: { a: 1 }, own: '1' })
    expect((await run({ path: '/echo', body: 'text' })).answer.body).toEqual({ body: 'text', own: null })
  })

  for (const [path, code, answer] of [
    ['/bytes', 0, { status: 200, body: { base64: '/wA=' } }],
    ['/text', 1, { status: 418, body: 'a text' }],
    ['/nothing', 0, { status: 204, body: null }],
    ['/fails', 1, { status: 500, body: { code: 'INTERNAL' } }],
    ['/exits', 1, { error: { code: 'WORKER_CRASHED' } }],
  ] as const)
    test(`of ${path}`, async () => expect(await run({ path })).toMatchObject({ code, answer }))

  test('of a web app', async () => {
    expect((await run({ path: '/hello/you' }, site)).answer.body).toEqual({ hello: 'you' })
  })

  test('a job for a bundle that has none, and a request that is none, are bad usage', async () => {
    const job = await bundle.run(['--test-input', '{"input":{}}'])
    expect([job.code, job.stdout]).toEqual([2, ''])
    expect(job.stderr).toContain('BAD_REQUEST: the bundle of "test" answers requests')
    expect(await run({ path: 'x' })).toMatchObject({ code: 2, answer: '' })
  })
})
