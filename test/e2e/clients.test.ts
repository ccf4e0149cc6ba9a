import { endpoint, RemoteError } from '@flash/sdk'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { buildProject, runNode } from '../helpers/build.ts'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'
import { createProject, type Project } from '../helpers/project.ts'
import { startVite } from '../helpers/vite.ts'

/** What `endpoint()` means in the sources of the project: no page may have it. */
const secrets = ['secretclientid', 'the-other-app', 'the-other-name']

const files = {
  'queue-worker.mjs': `import { start } from 'unplugin-flash/worker'
const pause = (ms, signal) => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms)
  signal.addEventListener('abort', () => { clearTimeout(timer); reject(signal.reason) })
})
const kinds = {
  async words({ id, input }, { progress, signal }) {
    if (input.fail) throw new RangeError(input.fail)
    if (input.progress) progress(input.progress)
    await pause(input.pauseMs ?? 0, signal)
    return { id, text: String(input.text).toUpperCase(), keys: Object.keys(input) }
  },
  async *count({ input }) {
    for (let at = 1; at <= input.to; at++) yield { at }
    if (input.fail) throw new Error(input.fail)
  },
}
await start({ handler: kinds[process.argv[2]], returnAggregateStream: process.argv[2] === 'count' })
`,
  'balanced-worker.mjs': `import { start } from 'unplugin-flash/worker'
await start({
  async fetch(request) {
    const { pathname, search } = new URL(request.url)
    if (pathname === '/missing') return new Response('no such thing', { status: 404 })
    if (pathname === '/slow') await new Promise((resolve) => setTimeout(resolve, 20_000))
    if (pathname === '/events') return new Response('data: 1\\n\\n', { headers: { 'content-type': 'text/event-stream' } })
    const headers = Object.fromEntries([...request.headers].filter(([name]) => /^(?:x-own|content-type|authorization)$/.test(name)))
    return Response.json({ method: request.method, pathname, search, headers, body: await request.text() })
  },
})
`,
  'script.mjs': `import { endpoint } from 'unplugin-flash'
const words = endpoint({ id: process.argv[2] })
console.log(JSON.stringify(await words.runSync({ text: 'from a script' })))
const lost = await endpoint({ app: 'nobody', name: 'nothing' }).run({}).catch((error) => error)
console.log(lost.name, lost.code)
`,
  'src/clients.ts': `import { endpoint } from 'unplugin-flash'
export const words = endpoint<{ text: string }, { text: string }>({ id: process.env.WORDS_ID ?? 'secretclientid' })
export const other = endpoint({ app: 'the-other-app', name: 'the-other-name' })
`,
  'src/shout.ts': `import { remote } from 'unplugin-flash'
import { other, words } from './clients.ts'
export const shout = remote({ name: 'shouting', env: ['WORDS_ID', 'RUNPOD_API_KEY'] }, async (text: string) => {
  return (await words.runSync({ text })).text + '!'
})
export const ask = remote({ name: 'asking' }, async () => other.health())
`,
  'src/main.ts': `import { shout, ask } from './shout.ts'
import { other, words } from './clients.ts'
Object.assign(window, { flash: { shout, ask, words, other } })
`,
}

/** Endpoints whose workers are written by hand. */
const workers: Record<string, string> = {
  words: 'queue-worker.mjs',
  count: 'queue-worker.mjs',
  echo: 'balanced-worker.mjs',
}

let project: Project
let watched: WatchedEmulator
let ids: Record<string, string>
const place = { app: 'shop', environment: 'default' }

beforeAll(async () => {
  project = createProject(files)
  watched = await startEmulator({
    program: ({ endpoint: name }) => {
      if (!(name in workers)) return null
      return { command: [process.execPath, project.path(workers[name]!), name], cwd: project.root }
    },
  })
  const env = { FLASH_APP: place.app, FLASH_ENV: place.environment }
  const make = (name: string, kind: 'queue' | 'balanced' = 'queue') =>
    watched.emulator.addEndpoint({ name, kind, env, workersMax: 1 }).id
  ids = { words: make('words'), count: make('count'), echo: make('echo', 'balanced') }
  for (const [name, value] of Object.entries(watched.emulator.env)) vi.stubEnv(name, value)
})
afterAll(async () => {
  vi.unstubAllEnvs()
  await watched?.close()
  project?.remove()
})

const caught = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => error as RemoteError,
  )

describe.each([
  ['by id', (name: string) => ({ id: ids[name]! })],
  ['by app and name', (name: string) => ({ app: place.app, name })],
] as const)('a client %s', (_what, to) => {
  test('runs jobs as a foreign caller does, and gets plain JSON', async () => {
    const words = endpoint<{ text: string }, { text: string; keys: string[] }>(to('words'))
    expect(await words.runSync({ text: 'hi' })).toMatchObject({ text: 'HI', keys: ['text'] })
    const job = await words.run({ text: 'later' })
    expect(await job.wait()).toMatchObject({ id: job.id, text: 'LATER' })
    expect(await words.status(job.id)).toMatchObject({
      id: job.id,
      status: 'COMPLETED',
      output: { text: 'LATER' },
    })
  })

  test('schemas type and check both ways', async () => {
    const input = z.object({ text: z.string().min(2) })
    const words = endpoint({
      ...to('words'),
      input,
      output: z.object({ text: z.string().transform((text) => text.length) }),
    })
    expect((await words.runSync({ text: 'four' })).text).toBe(4)
    expect(await caught(words.runSync({ text: 'x' }))).toMatchObject({ code: 'BAD_INPUT' })
  })

  test('a failed job is the worker’s error', async () => {
    const error = await caught(endpoint(to('words')).runSync({ fail: 'too far' }))
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ name: 'RangeError', message: 'too far', code: 'FUNCTION_FAILED' })
  })

  test('progress, state and items come as they do', async () => {
    const events: unknown[] = []
    const job = await endpoint(to('words')).run({ text: 'x', progress: { percent: 50 }, pauseMs: 1_500 })
    for await (const event of job) events.push(event)
    expect(events).toContainEqual({ type: 'progress', value: { percent: 50 } })
    expect(events.at(-1)).toMatchObject({ type: 'status', status: 'COMPLETED', id: job.id })
    const count = endpoint<{ to: number; fail?: string }, { at: number }[]>(to('count'))
    const counting = await count.run({ to: 3 })
    const items: number[] = []
    for await (const { at } of counting.stream()) items.push(at)
    expect(items).toEqual([1, 2, 3])
    expect(await counting.wait()).toEqual([{ at: 1 }, { at: 2 }, { at: 3 }])
    const failing = await count.run({ to: 1, fail: 'no more' })
    const seen: unknown[] = []
    const read = async () => {
      for await (const item of count.stream(failing.id)) seen.push(item)
    }
    expect(await caught(read())).toMatchObject({
      code: 'FUNCTION_FAILED',
      message: expect.stringContaining('no more'),
    })
    expect(seen).toEqual([{ at: 1 }])
  })

  test('a deadline cancels the job, once', async () => {
    watched.requests.clear()
    const words = endpoint(to('words'))
    const job = await words.run({ pauseMs: 20_000 })
    expect(await caught(job.wait({ timeoutMs: 700 }))).toMatchObject({ code: 'TIMEOUT' })
    await expect.poll(async () => (await words.status(job.id)).status).toBe('CANCELLED')
    expect(watched.requests.all().filter(({ url }) => url.includes('/cancel/'))).toHaveLength(1)
    expect(await caught(job.wait())).toMatchObject({ code: 'CANCELLED' })
  })

  test('cancel ends a job for whoever waits, and an execution timeout is an error', async () => {
    const words = endpoint(to('words'))
    const job = await words.run({ pauseMs: 20_000 })
    const waiting = caught(job.wait())
    await words.cancel(job.id)
    expect(await waiting).toMatchObject({ code: 'CANCELLED', message: expect.stringContaining(job.id) })
    const slow = words.runSync({ pauseMs: 30_000 }, { executionTimeoutMs: 5_000 })
    expect(await caught(slow)).toMatchObject({ code: 'TIMEOUT' })
  })

  test('a job that nobody knows is named at once', async () => {
    const startedAt = performance.now()
    expect(await caught(endpoint(to('words')).status('nobody-u1'))).toMatchObject({
      code: 'JOB_NOT_FOUND',
      message: expect.stringContaining('nobody-u1'),
    })
    expect(performance.now() - startedAt).toBeLessThan(1_000)
  })

  test('broken connections while waiting are borne', async () => {
    const words = endpoint(to('words'))
    const job = await words.run({ text: 'x', pauseMs: 300 })
    watched.emulator.faults.add({ kind: 'lostResponse', plane: 'data', times: 2 })
    expect(await job.wait()).toMatchObject({ text: 'X' })
    watched.emulator.faults.add({ kind: 'rateLimit', plane: 'data', retryAfterSeconds: 1, times: 1 })
    expect((await words.health()).jobs.completed).toBeGreaterThan(0)
  })

  test('HTTP requests reach a load-balanced endpoint as they are', async () => {
    const echo = endpoint(to('echo'))
    expect(await echo.get('/a//b%20c?x=1', { query: { y: [1, 2] }, headers: { 'x-own': 'mine' } })).toEqual({
      method: 'GET',
      pathname: '/a//b%20c',
      search: '?x=1&y=1&y=2',
      headers: { 'x-own': 'mine' },
      body: '',
    })
    const headers = { 'content-type': 'application/json' }
    expect(await echo.post('/items', { body: { a: 1 } })).toMatchObject({
      method: 'POST',
      headers,
      body: '{"a":1}',
    })
    for (const verb of ['put', 'patch', 'delete'] as const)
      expect(await echo[verb]('/items/1', { body: 'x' })).toMatchObject({
        method: verb.toUpperCase(),
        body: 'x',
      })
    expect((await echo.head('/x')).status).toBe(200)
    expect(await (await echo.get<Response>('/events')).text()).toBe('data: 1\n\n')
  })

  test('HTTP errors have status and text; hostile and reserved paths are not sent', async () => {
    const echo = endpoint(to('echo'))
    expect(await caught(echo.get('/missing'))).toMatchObject({
      name: 'RemoteError',
      code: 'HTTP_ERROR',
      data: { status: 404, body: 'no such thing' },
    })
    watched.requests.clear()
    for (const path of ['/a/../b', '/%2e%2e/b', '\\\\evil', '/ping', '//execute', '/_runpod/x'])
      expect(await caught(echo.get(path))).toMatchObject({
        code: expect.stringMatching(/^(?:BAD|RESERVED)_PATH$/),
      })
    expect(watched.requests.all()).toEqual([])
    expect(await caught(echo.get('/slow', { timeoutMs: 300 }))).toMatchObject({ code: 'TIMEOUT' })
  })
})

test('an endpoint that is not there, and a key that is not good', async () => {
  expect(await caught(endpoint({ id: 'nothing' }).run({}))).toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  expect(await caught(endpoint({ app: 'shop', name: 'words', environment: 'x' }).run({}))).toMatchObject({
    code: 'ENDPOINT_NOT_DEPLOYED',
    message: expect.stringContaining('app "shop", environment "x"'),
  })
  expect(await caught(endpoint({ id: 'nothing' }).get('/x'))).toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  const { emulator } = watched
  vi.stubEnv('RUNPOD_API_KEY', 'another-key-altogether')
  try {
    const calls = [() => endpoint({ id: ids.words! }).run({}), () => endpoint({ id: ids.echo! }).get('/x')]
    for (const call of calls) {
      const error = await caught(call())
      expect(error).toMatchObject({ code: 'ACCOUNT_REFUSED' })
      expect(JSON.stringify([error, String(error)])).not.toContain('another-key-altogether')
    }
  } finally {
    vi.stubEnv('RUNPOD_API_KEY', emulator.env.RUNPOD_API_KEY!)
  }
})

test('a script of plain node, without the plugin', async () => {
  const { code, output } = await runNode(project.root, ['script.mjs', ids.words!], watched.emulator.env)
  expect(code, output).toBe(0)
  expect(output).toContain('"text":"FROM A SCRIPT"')
  expect(output).toContain('RemoteError ENDPOINT_NOT_DEPLOYED')
})

test('a build: its page knows no endpoint of others, its worker calls one', async () => {
  const { code, output } = await buildProject(project, ['--sourcemap'])
  expect(code, output).toBe(0)
  const { code: found, stdout } = await runNode(project.root, [
    '-e',
    `const { readdirSync, readFileSync } = require('node:fs')
    const files = readdirSync('dist', { recursive: true, withFileTypes: true }).filter((file) => file.isFile())
    const text = files.map(({ parentPath, name }) => readFileSync(parentPath + '/' + name, 'utf8')).join('')
    console.log(JSON.stringify({ refusal: text.includes('CLIENT_SERVER_ONLY'), leaks: ${JSON.stringify([...secrets, 'X-Flash-App', 'RUNPOD_API_KEY'])}.filter((one) => text.includes(one)) }))`,
  ])
  expect(found).toBe(0)
  expect(JSON.parse(stdout)).toEqual({ refusal: true, leaks: [] })
  vi.stubEnv('WORDS_ID', ids.words!)
  const { emulator } = watched
  const { id } = emulator.addBundles(project.path('.flash/build')).find(({ name }) => name === 'shouting')!
  expect(await endpoint<{ text: string }, string>({ id }).runSync({ text: 'hi' })).toBe('HI!')
})

test('while developing, code of a worker calls nothing of the account unasked', async () => {
  const vite = await startVite(project, [], { ...watched.emulator.env, WORDS_ID: ids.words! })
  try {
    const call = async () => {
      const headers = { 'content-type': 'application/json' }
      const url = `${vite.url}/_flash/shout/shout/run_sync`
      return (await fetch(url, { method: 'POST', headers, body: '{"input":{"text":"hi"}}' })).json()
    }
    expect(JSON.stringify(await call())).toContain('EXTERNAL_ENDPOINT')
    await project.edit('src/clients.ts', "'secretclientid' }", "'secretclientid', dev: { target: 'live' } }")
    await expect
      .poll(async () => ((await call()) as { output: unknown }).output, { timeout: 15_000 })
      .toBe('HI!')
    const page = await (await fetch(`${vite.url}/src/clients.ts`)).text()
    expect(page).toContain('noClient')
    expect(secrets.filter((one) => page.includes(one))).toEqual([])
  } finally {
    await vite.stop()
  }
})
