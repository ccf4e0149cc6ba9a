import { RemoteError } from '@flash/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { bindServerStubs } from '../bind-server.ts'
import { type LocalRuntime, serverRoute, serverSocket, serverWeb } from '../index.ts'
import { chunk, frame, readCall, type ScriptedServer, startScriptedServer } from '../scripted-server.ts'
import type { Post } from '../types.ts'

const info = { name: 'thumbs', at: 'src/thumbs.ts:5' }
const devKey = Symbol.for('unplugin-flash.dev')
const bundlesKey = Symbol.for('unplugin-flash.bundles')
const shared = globalThis as { [key: symbol]: Map<string, LocalRuntime> | undefined }

let server: ScriptedServer | undefined
beforeEach(() => {
  vi.stubEnv('NODE_ENV', 'test')
  // Nothing above it is a project.
  vi.spyOn(process, 'cwd').mockReturnValue('/')
})
afterEach(async () => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
  delete shared[devKey]
  delete shared[bundlesKey]
  await server?.close()
  server = undefined
})

/** Answers with what it was asked. */
async function echo(body: Uint8Array): Promise<Response> {
  const { fetch, bytes } = readCall(body)
  const text = JSON.stringify({ ...fetch, text: bytes && new TextDecoder().decode(bytes) })
  const head = await frame('head', { status: 200, headers: [['x-flash-result', 'data']] })
  return new Response(new Blob([head, chunk(text), await frame('end')]), { headers: { 'x-flash': '1' } })
}

function runtime(open?: LocalRuntime['open']): LocalRuntime & { urls: string[] } {
  const urls: string[] = []
  return {
    urls,
    has: () => true,
    async fetch(request) {
      urls.push(request.url)
      return echo(new Uint8Array(await request.arrayBuffer()))
    },
    open,
  }
}

for (const [where, key] of [
  ['a dev server', devKey],
  ['built bundles', bundlesKey],
] as const) {
  test(`routes and web apps of ${where} in this process are called without the network`, async () => {
    const here = runtime()
    shared[key] = new Map([['/app', here]])
    const route = serverRoute('abc', 'PUT', '/items/:id', info)
    expect(await route({ params: { id: 1 }, body: 'x', headers: { authorization: 'Basic y' } })).toEqual({
      method: 'PUT',
      path: '/items/1',
      headers: [
        ['authorization', 'Basic y'],
        ['content-type', 'text/plain;charset=UTF-8'],
      ],
      body: true,
      text: 'x',
    })
    const response = await serverWeb('def', info).get('https://any.test/items?x=1')
    expect(await response.json()).toMatchObject({ method: 'GET', path: '/items?x=1', body: false })
    expect(here.urls).toEqual(['http://localhost/rpc/abc', 'http://localhost/rpc/def'])
  })
}

test('a dev server in another process gets its token with each request', async () => {
  server = await startScriptedServer(async (exchange) => {
    await exchange.head(200, { 'x-flash-result': 'data' })
    exchange.chunk('7')
    exchange.endBody()
  })
  vi.stubEnv('FLASH_DEV_URL', server.url)
  vi.stubEnv('FLASH_DEV_TOKEN', 'secret')
  expect(await serverRoute('abc', 'GET', '/', info)()).toBe(7)
  expect(server.exchanges[0]!.request.headers).toMatchObject({ authorization: 'Bearer secret' })
  expect(server.routes()).toEqual(['abc'])
})

test('without an address they reject with what is missing, in words of a call', async () => {
  vi.stubEnv('NODE_ENV', 'production')
  for (const call of [
    serverRoute('abc', 'GET', '/', info)(),
    serverWeb('abc', info).fetch('/'),
    serverWeb('abc', info).connect('/'),
    serverSocket('abc', '/', info).connect(),
  ]) {
    const error = await call.catch((error: unknown) => error)
    expect(error).toBeInstanceOf(RemoteError)
    expect(error).toMatchObject({ code: 'ENDPOINT_NOT_DEPLOYED' })
  }
})

test('bundles of another process are asked where they listen', async () => {
  vi.stubEnv('FLASH_LOCAL_URL', 'http://127.0.0.1:1')
  vi.stubEnv('FLASH_LOCAL_TOKEN', 'secret')
  await expect(serverSocket('abc', '/', info).connect()).rejects.toMatchObject({ code: 'TRANSPORT' })
})

describe('stubs whose calls go one way', () => {
  test('send them there, with what the caller hands down', async () => {
    const abort = new AbortController()
    const routes: string[] = []
    const post: Post = async (route, body) => {
      routes.push(route)
      return echo(new Uint8Array(await (body as Blob).arrayBuffer()))
    }
    const stubs = bindServerStubs(post, (options) => ({ ...options, signal: abort.signal }))
    const route = stubs.serverRoute('abc', 'GET', '/', info)
    expect(await route()).toMatchObject({ method: 'GET', path: '/' })
    const web = stubs.serverWeb('def', info)
    expect(await (await web.fetch('/x')).json()).toMatchObject({ path: '/x' })
    expect(routes).toEqual(['abc', 'def'])
    abort.abort('over')
    await expect(route()).rejects.toBe('over')
    await expect(web.fetch('/')).rejects.toBe('over')
  })

  test('open WebSockets where somebody can', async () => {
    const post: Post = () => Promise.reject(new Error('not asked'))
    const none = bindServerStubs(post)
    await expect(none.serverSocket('abc', '/', info).connect()).rejects.toMatchObject({
      code: 'WEBSOCKET_UNSUPPORTED',
    })
    const socket = {} as WebSocket
    const open = vi.fn(async () => socket)
    const connect = vi.fn(() => open)
    const stubs = bindServerStubs(post, undefined, connect)
    expect(await stubs.serverSocket('abc', '/live/:id', info).connect({ params: { id: 1 } })).toBe(socket)
    expect(await stubs.serverWeb('def', info).connect('/x')).toBe(socket)
    expect(connect.mock.calls).toEqual([['abc'], ['def']])
    expect(open.mock.calls).toMatchObject([[{ path: '/live/1', protocols: [] }], [{ path: '/x' }]])
  })
})
