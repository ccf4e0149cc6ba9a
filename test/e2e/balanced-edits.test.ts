import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createProject, type Project } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

let project: Project
let vite: ViteProcess

const site = (text: string) => `import { endpoint } from 'unplugin-flash'
let count = 0
export const site = endpoint({ name: 'site' }, () => {
  ${text}
  return { fetch: (request: Request) => Response.json({ text: 'first', count: ++count, pid: process.pid }) }
})
`

const hangingSite = `import { endpoint } from 'unplugin-flash'
export const site = endpoint({ name: 'site' }, async () => {
  console.log('is never made')
  await new Promise(() => {})
  return { fetch: () => new Response() }
})
`

beforeAll(async () => {
  project = createProject({
    'src/main.ts': "import './api.ts'\nimport './site.ts'\nimport './slow.ts'\nimport './kept.ts'\n",
    'src/api.ts': `import { endpoint } from 'unplugin-flash'
const api = endpoint({ name: 'api' })
export const hello = api.get('/hello/:name', ({ params }) => ({ hello: params.name }))
export const fail = api.post('/fail', () => { throw new Error('of an earlier request') })
export const exit = api.post('/exit', () => { console.error('last words'); process.exit(3) })
export const loop = api.post('/loop', () => { for (;;); })
`,
    'src/site.ts': site(''),
    'src/slow.ts': `import { endpoint } from 'unplugin-flash'
import { part } from './part.ts'
const api = endpoint({ name: 'slow', executionTimeoutMs: 5_000 })
export const ready = api.get('/ready', () => ({ pid: process.pid, part }))
export const wait = api.get('/wait', async ({ request }) => {
  await new Promise((resolve) => request.signal.addEventListener('abort', resolve))
  console.log('the handler has heard of it')
})
export const block = api.get('/block', () => { for (;;); })
`,
    'src/kept.ts': `import { endpoint } from 'unplugin-flash'
const setup = () => ({ id: Math.random() })
const api = endpoint({ name: 'kept', setup })
export const first = api.get('/first', ({ state }) => state.id)
export const second = api.get('/second', ({ state }) => state.id)
`,
    'src/part.ts': "console.log('hangs')\nawait new Promise(() => {})\nexport const part = 'first'\n",
  })
  vite = await startVite(project)
})

afterAll(async () => {
  await vite?.stop()
  project?.remove()
})

async function ask(path: string, method = 'GET', signal?: AbortSignal) {
  const response = await fetch(`${vite.url}/_flash${path}`, { method, signal })
  return { status: response.status, body: (await response.json()) as any }
}

/** A save is noticed a little later. */
const until = (path: string, wanted: object, method?: string) =>
  vi.waitFor(async () => expect(await ask(path, method)).toMatchObject(wanted), {
    timeout: 10_000,
    interval: 50,
  })

test('the start-up table has routes and web apps', () => {
  expect(vite.output()).toMatch(/GET\s+\/_flash\/api\/hello\/:name\s+hello\s/)
  expect(vite.output()).toMatch(/ANY\s+\/_flash\/site\/\*\s/)
})

test('an edit reaches the next request, and leaves other endpoints as they are', async () => {
  const before = await ask('/site/x')
  expect(await ask('/api/hello/ann')).toEqual({ status: 200, body: { hello: 'ann' } })
  await project.edit('src/api.ts', 'hello: params.name', "hello: params.name + '!'")
  await until('/api/hello/ann', { body: { hello: 'ann!' } })
  expect((await ask('/site/x')).body).toEqual({ ...before.body, count: before.body.count + 1 })
})

test('a route that comes, moves and goes is known at once', async () => {
  const { body: before } = await ask('/site/x')
  await project.edit(
    'src/api.ts',
    "api.post('/exit'",
    "api.get('/added', () => 'added')\nexport const exit = api.post('/exit'",
  )
  await project.edit('src/api.ts', 'export const exit = api.get', 'export const added = api.get')
  await until('/api/added', { status: 200, body: 'added' })
  await project.edit('src/api.ts', "'/added'", "'/moved'")
  await until('/api/moved', { status: 200, body: 'added' })
  expect(await ask('/api/added')).toMatchObject({ status: 404 })
  await project.edit('src/api.ts', "api.get('/moved'", "api.put('/moved'")
  await until('/api/moved', { status: 200, body: 'added' }, 'PUT')
  expect(await ask('/api/moved')).toMatchObject({ status: 405, body: { code: 'METHOD_NOT_ALLOWED' } })
  expect((await ask('/site/x')).body.pid).toBe(before.pid)
})

test('a state stays when the route is renamed that asked for it first', async () => {
  const { body: state } = await ask('/kept/first')
  expect(await ask('/kept/second')).toEqual({ status: 200, body: state })
  await project.edit('src/kept.ts', "'/first'", "'/renamed'")
  await until('/kept/renamed', { status: 200 })
  expect(await ask('/kept/renamed')).toEqual({ status: 200, body: state })
  await project.edit('src/kept.ts', 'id: Math.random()', 'id: 2 + Math.random()')
  await vi.waitFor(async () => expect((await ask('/kept/second')).body).toBeGreaterThan(2))
})

test('code that does not compile says where, and recovers', async () => {
  await project.edit('src/api.ts', "+ '!'", "+ '!")
  await until('/api/hello/ann', {
    status: 500,
    body: { code: 'SYNTAX_ERROR', data: { at: { file: 'src/api.ts', line: 3, column: expect.any(Number) } } },
  })
  await project.edit('src/api.ts', "+ '!", "+ '?'")
  await until('/api/hello/ann', { status: 200, body: { hello: 'ann?' } })
})

test('a web app that throws while it is made says so, and recovers', async () => {
  await project.write('src/site.ts', site("throw new Error('not today')"))
  await until('/site/x', { body: { code: 'SETUP_FAILED', message: expect.stringContaining('not today') } })
  await project.write('src/site.ts', site(''))
  await until('/site/x', { status: 200, body: { count: 1 } })
})

test('a module that never finishes loading is given up at the edit that changes it', async () => {
  const { pid } = (await ask('/site/x')).body
  const waiting = ask('/slow/ready')
  // Its loading is under way as soon as its worker has the module that hangs.
  await vi.waitFor(() => expect(vite.output()).toContain('slow | hangs'), { timeout: 10_000 })
  await project.edit('src/part.ts', 'await new Promise(() => {})', '')
  expect(await waiting).toMatchObject({ status: 200, body: { part: 'first' } })
  expect((await ask('/site/x')).body.pid).toBe(pid)
})

test('a worker that runs gets the next code also after one that never finishes loading', async () => {
  const { pid } = (await ask('/slow/ready')).body
  await project.edit('src/part.ts', "'first'", "await new Promise(() => console.log('again'))")
  const leaving = new AbortController()
  const hanging: Promise<unknown>[] = []
  await vi.waitFor(
    () => {
      hanging.push(ask('/slow/ready', 'GET', leaving.signal).catch(() => {}))
      expect(vite.output()).toContain('slow | again')
    },
    { timeout: 10_000, interval: 100 },
  )
  await project.edit('src/part.ts', "await new Promise(() => console.log('again'))", "'second'")
  await vi.waitFor(
    async () =>
      expect((await ask('/slow/ready', 'GET', AbortSignal.timeout(1_000))).body).toEqual({
        part: 'second',
        pid,
      }),
    { timeout: 10_000, interval: 50 },
  )
  leaving.abort()
  await Promise.all(hanging)
})

test('a web app that is never made is given up at the edit that corrects it', async () => {
  const { pid } = (await ask('/site/x')).body
  await project.write('src/site.ts', hangingSite)
  const leaving = new AbortController()
  const hanging: Promise<unknown>[] = []
  await vi.waitFor(
    () => {
      hanging.push(ask('/site/x', 'GET', leaving.signal).catch(() => {}))
      expect(vite.output()).toContain('site | is never made')
    },
    { timeout: 10_000, interval: 100 },
  )
  await project.write('src/site.ts', site(''))
  await vi.waitFor(
    async () => expect((await ask('/site/x', 'GET', AbortSignal.timeout(1_000))).body.pid).toBe(pid),
    { timeout: 10_000, interval: 50 },
  )
  leaving.abort()
  await Promise.all(hanging)
})

test('a request has no more time than its endpoint gives, and its handler hears of the end', async () => {
  const { pid } = (await ask('/slow/ready')).body
  expect(await ask('/slow/wait')).toMatchObject({
    status: 504,
    body: { code: 'TIMEOUT', message: expect.stringMatching(/longer than (the )?5000 ms/) },
  })
  await vi.waitFor(() => expect(vite.output()).toContain('the handler has heard of it'))
  expect((await ask('/slow/ready')).body.pid).toBe(pid)
})

test('a handler that blocks its worker ends with it at its time limit', async () => {
  const { pid } = (await ask('/slow/ready')).body
  expect(await ask('/slow/block')).toMatchObject({ status: 504, body: { code: 'TIMEOUT' } })
  await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 5_000 })
  expect((await ask('/slow/ready')).body.pid).not.toBe(pid)
})

test('a crash is told with the last output, and the next request starts a fresh worker', async () => {
  expect((await ask('/api/fail', 'POST')).status).toBe(500)
  const crashed = await ask('/api/exit', 'POST')
  expect(crashed).toMatchObject({
    status: 502,
    body: { code: 'WORKER_CRASHED', message: expect.stringMatching(/exited with code 3[^]*last words/) },
  })
  expect(crashed.body.message).not.toContain('of an earlier request')
  expect((await ask('/api/hello/ann')).status).toBe(200)
})

test('a worker that is stuck gets no new requests', async () => {
  const leaving = new AbortController()
  const stuck = ask('/api/loop', 'POST', leaving.signal)
  stuck.catch(() => {})
  await vi.waitFor(
    async () => expect((await ask('/api/hello/ann', 'GET', AbortSignal.timeout(1_000))).status).toBe(200),
    { timeout: 15_000, interval: 500 },
  )
  leaving.abort()
  await expect(stuck).rejects.toThrow()
})

test('a page of another site opens no WebSocket', async () => {
  const { port, host } = new URL(vite.url)
  const socket = connect(Number(port), '127.0.0.1')
  const headers = [`Host: ${host}`, 'Connection: Upgrade', 'Upgrade: websocket', 'Origin: http://evil.test']
  socket.write(`GET /_flash/site/live HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`)
  const answer = await new Promise((resolve) => socket.setEncoding('utf8').once('data', resolve))
  expect(answer).toMatch(/^HTTP\/1\.1 403 [^]*FORBIDDEN/)
  socket.destroy()
})
