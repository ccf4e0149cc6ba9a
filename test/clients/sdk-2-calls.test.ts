import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { buildProject } from '../helpers/build.ts'
import { deployApp } from '../helpers/deploy.ts'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'
import { createProject, type Project } from '../helpers/project.ts'
import { createPythonProject, findPrograms, fixture, type PythonProject } from '../helpers/python.ts'

const programs = findPrograms()

const queues = ['caption', 'frames', 'checked', 'values', 'counter', 'pair', 'silent', 'refuse']
const balanced = ['posters', 'gallery']

const files = {
  'src/main.ts': `import * as studio from './studio.ts'
import * as posters from './posters.ts'
import * as gallery from './gallery.ts'
Object.assign(window, studio, posters, gallery)
`,
  'src/studio.ts': `import { remote, RemoteError } from 'unplugin-flash'
import { z } from 'zod'
export const caption = remote({ name: 'caption' }, async (text: string, times = 1) => {
  console.log('captioning', text)
  return { caption: text.repeat(times), length: text.length }
})
export const frames = remote({ name: 'frames' }, async function* (to: number, pause = 0) {
  for (let at = 0; at < to; at++) {
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause))
    yield { at }
  }
})
export const checked = remote({ name: 'checked', input: z.object({ width: z.coerce.number() }) }, async ({ width }) => width)
export const values = remote({ name: 'values' }, async (own?: 'error' | 'more') => ({
  at: new Date(0),
  bytes: new Uint8Array([1, 2]),
  ...(own === 'error' && { error: null }),
  ...(own === 'more' && { more: new Map() }),
}))
export const Counter = remote({ name: 'counter' }, class {
  count = 40
  async add(by: number) { return this.count += by }
})
const pair = { name: 'pair' }
export const left = remote(pair, async (text: string) => 'left ' + text)
export const right = remote(pair, async (text: string) => 'right ' + text)
export const silent = remote({ name: 'silent' }, async (text: string) => void text)
export const refuse = remote({ name: 'refuse' }, async (reason: string) => {
  if (!reason) throw new TypeError('a detail')
  throw new RemoteError('CLOSED', 'closed because of ' + reason, { data: { reason } })
})
`,
  'src/posters.ts': `import { endpoint, RemoteError } from 'unplugin-flash'
import { z } from 'zod'
const api = endpoint({ name: 'posters', setup: () => ({ posters: new Map<string, { title: string; size: number }>() }) })
export const add = api.post('/posters', ({ body, query, state }) => {
  state.posters.set(body.title, { ...body, ...query })
  return { count: state.posters.size }
}, { body: z.object({ title: z.string() }), query: z.object({ size: z.number() }) })
export const list = api.get('/posters', ({ state }) => [...state.posters.values()])
export const one = api.get('/posters/:title', ({ params, state }) => state.posters.get(params.title))
export const remove = api.delete('/posters/:title', ({ params, state }) => void state.posters.delete(params.title))
api.get('/closed', () => {
  throw new RemoteError('CLOSED', 'closed because of snow')
})
`,
  'src/gallery.ts': `import { endpoint } from 'unplugin-flash'
export const gallery = endpoint({ name: 'gallery' }, {
  fetch: async (request: Request) => Response.json([request.method, new URL(request.url).pathname, await request.json()]),
})
`,
  'site.mjs': `import { start } from 'unplugin-flash/worker'
await start({
  fetch(request) {
    if (new URL(request.url).pathname === '/text') return new Response('no JSON')
    return new Response('no such page', { status: 404 })
  },
})
`,
}

describe.skipIf(!programs)('the Python package runpod 2.0 calls an app in TypeScript', () => {
  let project: Project
  let watched: WatchedEmulator
  let python: PythonProject
  let ids: Record<string, string>
  /** What the program in Python printed. */
  let seen: any

  beforeAll(async () => {
    project = createProject(files)
    const { code, output } = await buildProject(project)
    expect(code, output).toBe(0)
    watched = await startEmulator({ tls: true })
    python = createPythonProject(fixture(), watched.emulator.env)
    const run = (file: string) => [process.execPath, project.path(file)]
    const bundle = (name: string) => run(`.flash/build/${name}/main.mjs`)
    ids = await deployApp(watched, 'studio', [
      ...queues.map((name) => ({ name, type: 'QB', command: bundle(name) }) as const),
      ...balanced.map((name) => ({ name, type: 'LB', command: bundle(name) }) as const),
      { name: 'site', type: 'LB', command: run('site.mjs') },
    ])
    seen = await python.ask(`${programs!.sdk2}/python`, ['visit_studio.py'])
  })
  afterAll(async () => {
    await watched?.close()
    project?.remove()
    python?.remove()
  })

  test('a function by the names of its parameters', () => {
    expect(seen).toMatchObject({
      remote: { caption: 'dawndawn', length: 4 },
      shorter: { caption: 'dawn', length: 4 },
      checked: 12,
      method: 42,
      right: 'right dawn',
      silent: null,
    })
    const jobs = watched.requests.all().filter(({ url }) => url.startsWith('/v2/flash/'))
    expect(new Set(jobs.map(({ headers }) => headers['x-flash-app']))).toEqual(new Set(['studio']))
  })

  test('results are plain JSON, but for objects that the platform would alter', () => {
    expect(seen.values).toEqual({ at: '1970-01-01T00:00:00.000Z', bytes: 'AQI=' })
    expect(seen.ambiguous).toEqual({ 'flash:value': expect.stringContaining('"error":') })
    expect(seen.beyond).toMatchObject({ code: 'OUTPUT_NOT_JSON', message: expect.stringContaining('more') })
  })

  test('a generator, whole and item by item', () => {
    expect(seen.whole).toEqual([{ at: 0 }, { at: 1 }])
    expect(seen.stream).toEqual([{ at: 0 }, { at: 1 }, { at: 2 }])
  })

  test('jobs are followed, cancelled and tried again', async () => {
    const status = (name: string, id: string) => watched.get(`/v2/${ids[name]}/status/${id}`)
    expect(seen.spawn).toMatchObject({ result: { caption: 'dusk', length: 4 }, status: 'COMPLETED' })
    expect(await status('caption', seen.spawn.id)).toMatchObject({ output: seen.spawn.result })
    // So it is in Python: no error, and no value of the function.
    expect(seen.cancel).toMatchObject({
      status: 'CANCELLED',
      result: { id: seen.cancel.id, status: 'CANCELLED' },
    })
    expect(await status('frames', seen.cancel.id)).toMatchObject({ status: 'CANCELLED' })
    expect(seen.retry.error).toEqual(seen.error)
    expect(await status('refuse', seen.retry.id)).toMatchObject({ status: 'FAILED' })
  })

  test('errors say what is wrong, in code and in words', () => {
    expect(seen).toMatchObject({
      error: { code: 'CLOSED', message: 'closed because of snow' },
      failed: 'FAILED',
      crash: { code: null, message: 'a detail' },
      wrong: { code: 'BAD_INPUT', message: 'the function has no parameter "time"' },
      mistyped: { code: 'BAD_INPUT', message: expect.stringMatching(/^width: /) },
      missing: expect.stringMatching(/^EndpointNotFound: 'nothing' in app 'studio' is not deployed/),
      elsewhere: expect.stringMatching(/^EndpointNotFound/),
    })
  })

  test('requests reach routes, a web app and a worker by hand', () => {
    expect(seen).toMatchObject({
      post: { count: 1 },
      get: [{ title: 'dawn', size: 2 }],
      one: { title: 'dawn', size: 2 },
      delete: '',
      web: ['PUT', '/walls/2', { title: 'dawn' }],
      text: 'no JSON',
    })
    const hosts = watched.requests.all().filter(({ url }) => url === '/posters')
    expect(hosts.map(({ host }) => host.split(':')[0])).toContain('flash.data.localhost')
  })

  test('errors of routes have a status; Python takes every 404 for an endpoint that is not there', () => {
    expect(seen).toMatchObject({
      invalid: 422,
      closed: 400,
      noRoute: expect.stringMatching(/^EndpointNotFound/),
      noPage: expect.stringMatching(/^EndpointNotFound/),
    })
  })
})
