import { type LocalServe, type ServedFunction, TOKEN_HEADER } from '@flash/protocol'
import { Hono } from 'hono'
import { afterEach, expect, test, vi } from 'vitest'
import type { Functions } from '../execute/definition.ts'
import { defineRoute, defineWeb } from '../routes/define.ts'
import { serveChannel } from './serve.ts'
import { createPair, createParent } from './testing.ts'

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

const token = 'secret'

/** A worker of a dev server, and its modules by name; each can be exchanged like by an edit. */
function start(modules: Record<string, (functions: Functions) => void>) {
  const pair = createPair()
  const parent = createParent(pair.wire)
  const stream = () => ({ write: () => true })
  const loaded = new Map<string, object>()
  const load = async (module: string) => {
    const __flash_functions: Functions = Object.create(null)
    if (!loaded.has(module)) modules[module]!(__flash_functions)
    const exports = loaded.get(module) ?? { __flash_functions }
    loaded.set(module, exports)
    return exports as Record<string, unknown>
  }
  const end = serveChannel(
    pair.channel,
    async () => ({ load, invalidate: (files) => files.forEach((file) => loaded.delete(file)) }),
    { streams: { stdout: stream(), stderr: stream() } },
  )
  ends.push(end)
  parent.say({ t: 'start', root: '/', endpoint: 'shop', unnamed: [] })
  let last = 100
  const serve = async (functions: ServedFunction[], more: Partial<LocalServe> = {}) => {
    const call = ++last
    parent.say({ t: 'serve', call, endpoint: 'shop', token, functions, ...more })
    const outcome = await Promise.race([
      parent.hear('done', (message) => message.call === call),
      parent.hear('failed', (message) => message.call === call),
    ])
    if (outcome.t === 'failed') throw outcome.error
    return `http://127.0.0.1:${JSON.parse(outcome.text).port}`
  }
  const edit = (module: string, change: (functions: Functions) => void) => {
    modules[module] = change
    parent.say({ t: 'invalidate', files: [module] })
  }
  return { parent, serve, edit, end }
}

const route = (id: string, path: string, module: string, setup: string | null = null): ServedFunction => ({
  id,
  exportPath: id,
  kind: 'route',
  route: { method: 'GET', path, schemas: [] },
  setup,
  module,
})
const web = (module: string): ServedFunction => ({
  id: 'web',
  exportPath: 'web',
  kind: 'web',
  setup: null,
  module,
})
const ask = (url: string) => fetch(url, { headers: { [TOKEN_HEADER]: token } })
const defined =
  (id: string, path: string, handler: unknown, config: object = {}) =>
  (functions: Functions) =>
    void defineRoute(functions, id, { config }, 'GET', path, handler)

test('requests with the token are answered, all others are not', async () => {
  const { serve } = start({ a: defined('one', '/one', () => 'one') })
  const url = await serve([route('one', '/one', 'a')])
  expect(await (await ask(`${url}/one`)).json()).toBe('one')
  expect((await fetch(`${url}/one`)).status).toBe(403)
})

test('what is served can change, and the server stays', async () => {
  const { serve } = start({
    a: (functions) => {
      defined('one', '/one', () => 'one')(functions)
      defined('two', '/two', () => 'two')(functions)
    },
  })
  const url = await serve([route('one', '/one', 'a')])
  expect((await ask(`${url}/two`)).status).toBe(404)
  expect(await serve([route('two', '/two', 'a')], { token: 'next' })).toBe(url)
  const answer = await fetch(`${url}/two`, { headers: { [TOKEN_HEADER]: 'next' } })
  expect(await answer.json()).toBe('two')
  expect((await ask(`${url}/two`)).status).toBe(403)
})

test('an edit reaches the next request; what it does not concern keeps its state', async () => {
  const { parent, serve, edit } = start({
    a: defined('a', '/a', ({ state }: any) => ['old', state], { setup: () => 'state of a' }),
    b: defined('b', '/b', ({ state }: any) => state.made, {
      setup: () => ({ made: 'once' }),
    }),
  })
  const keys: Record<string, string> = { a: 'v1', b: 'v1' }
  parent.answers.setupKey = (id: string) => keys[id]!
  const url = await serve([route('a', '/a', 'a', 'a#setup'), route('b', '/b', 'b', 'b#setup')])
  expect(await (await ask(`${url}/a`)).json()).toEqual(['old', 'state of a'])
  keys.a = 'v2'
  edit(
    'a',
    defined('a', '/a', ({ state }: any) => ['new', state], { setup: () => 'next state' }),
  )
  expect(await (await ask(`${url}/a`)).json()).toEqual(['new', 'next state'])
  expect(await (await ask(`${url}/b`)).json()).toBe('once')
})

test('an app that cannot be made fails, and the next edit recovers', async () => {
  const broken = (functions: Functions) =>
    void defineWeb(functions, 'web', {}, () => {
      throw new Error('no model')
    })
  const { serve, edit } = start({ a: broken })
  await expect(serve([web('a')])).rejects.toMatchObject({ code: 'SETUP_FAILED' })
  const made = vi.fn(() => new Hono().get('/', (c) => c.text('there')))
  edit('a', (functions) => void defineWeb(functions, 'web', {}, made))
  const url = await serve([web('a')])
  expect(await (await ask(url)).text()).toBe('there')
  edit('a', broken)
  const refused = await ask(url)
  expect([refused.status, await refused.json()]).toMatchObject([503, { code: 'SETUP_FAILED' }])
  edit('a', (functions) => void defineWeb(functions, 'web', {}, made))
  expect(await (await ask(url)).text()).toBe('there')
  await ask(url)
  expect(made).toHaveBeenCalledTimes(2)
})

test('of several who wait for what fails, each is told', async () => {
  const { serve } = start({
    a: defined('a', '/a', () => 'a', {
      setup: () => Promise.reject(new Error('no model')),
    }),
    none: () => {},
  })
  const served = [serve([route('a', '/a', 'a')]), serve([route('a', '/a', 'a')])]
  for (const one of served) await expect(one).rejects.toMatchObject({ code: 'SETUP_FAILED' })
  await expect(serve([route('a', '/a', 'none')])).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
  await expect(serve([])).rejects.toMatchObject({ code: 'UNKNOWN_FUNCTION' })
})

test('what breaks an answer is told in the log', async () => {
  const pull = () => Promise.reject(new Error('half way'))
  const { parent, serve } = start({ a: defined('a', '/a', () => new Response(new ReadableStream({ pull }))) })
  const url = await serve([route('a', '/a', 'a')])
  await expect(ask(`${url}/a`).then((answer) => answer.text())).rejects.toThrow()
  await parent.hear('log', ({ text }) => text.includes('half way'))
})

test('a module that does not load, or has lost its route, fails the request that wants it', async () => {
  const { parent, serve, edit } = start({
    a: defined('a', '/a', () => 'a'),
    b: defined('b', '/b', () => 'b'),
  })
  const url = await serve([route('a', '/a', 'a'), route('b', '/b', 'b')])
  edit('a', () => {
    throw new Error('top of the module')
  })
  expect((await ask(`${url}/a`)).status).toBe(500)
  await parent.hear('log', ({ text }) => text.includes('top of the module'))
  edit('a', () => {})
  expect(await (await ask(`${url}/a`)).json()).toMatchObject({ code: 'UNKNOWN_FUNCTION' })
  expect(await (await ask(`${url}/b`)).json()).toBe('b')
})

test('the end of the channel ends the server', async () => {
  const { serve, end } = start({ a: defined('a', '/a', () => 'a') })
  const url = await serve([route('a', '/a', 'a')])
  await end()
  await expect(ask(url)).rejects.toThrow()
})

test('a server that is still being prepared when the channel ends does not open', async () => {
  const { parent, serve, end } = start({
    a: defined('a', '/a', () => 'a', {
      setup: () => new Promise((resolve) => setTimeout(resolve, 50)),
    }),
  })
  const served = serve([route('a', '/a', 'a')]).catch((error) => error)
  await parent.hear('request')
  await end()
  expect(await served).toMatchObject({ code: 'CANCELLED' })
})
