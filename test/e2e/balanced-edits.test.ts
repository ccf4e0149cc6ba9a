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

beforeAll(async () => {
  project = createProject({
    'src/main.ts': "import './api.ts'\nimport './site.ts'\n",
    'src/api.ts': `import { endpoint } from 'unplugin-flash'
const api = endpoint({ name: 'api' })
export const hello = api.get('/hello/:name', ({ params }) => ({ hello: params.name }))
export const exit = api.post('/exit', () => { console.error('last words'); process.exit(3) })
export const loop = api.post('/loop', () => { for (;;); })
`,
    'src/site.ts': site(''),
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
const until = (path: string, wanted: object) =>
  vi.waitFor(async () => expect(await ask(path)).toMatchObject(wanted), { timeout: 10_000, interval: 50 })

test('the start-up table has routes and web apps', () => {
  expect(vite.output()).toMatch(/GET\s+\/_flash\/api\/hello\/:name\s/)
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
  expect((await ask('/site/x')).body.pid).toBe(before.pid)
})

test('code that does not compile says where, and recovers', async () => {
  await project.edit('src/api.ts', "+ '!'", "+ '!")
  await until('/api/hello/ann', {
    status: 500,
    body: { code: 'SYNTAX_ERROR', data: { at: { file: 'src/api.ts', line: 3 } } },
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

test('a crash is told with the last output, and the next request starts a fresh worker', async () => {
  expect(await ask('/api/exit', 'POST')).toMatchObject({
    status: 502,
    body: { code: 'WORKER_CRASHED', message: expect.stringMatching(/exited with code 3[^]*last words/) },
  })
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
