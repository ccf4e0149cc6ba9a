import { gzipSync } from 'node:zlib'
import type { FunctionFact } from '@flash/protocol'
import { Hono } from 'hono'
import { expect, test, vi } from 'vitest'
import { z } from 'zod'
import { contextStorage } from '../../execute/context.ts'
import { localApi, localRoute, localWeb } from './balanced.ts'

const factOf = (id: string, kind: 'route' | 'web', setup: string | null = null): FunctionFact => ({
  id,
  package: 'app',
  path: 'src/a.ts',
  file: '/app/src/a.ts',
  prefix: 'a',
  exportPath: id,
  exported: true,
  kind,
  callables: [],
  constructorParams: null,
  setup,
  hasInput: false,
  hasOutput: false,
  endpoint: 'shop',
  at: { file: 'src/a.ts', line: 1, column: 1 },
})

test('a route runs in this process, behind a real request', async () => {
  let made = 0
  const api = localApi({ name: 'shop', setup: () => ({ made: ++made }) })
  const functions = Object.create(null)
  const options = { body: z.object({ name: z.string() }) }
  const handler = ({ body, state, request }: any) => ({ ...body, ...state, url: request.url })
  const fact = factOf('add', 'route', 'src/a.ts#setup')
  const add: any = localRoute(functions, 'add', api, 'POST', '/items/:id', handler, options, fact)
  const answer = { name: 'n', made: 1, url: 'http://localhost/items/7' }
  expect(await add({ params: { id: 7 }, body: { name: 'n' } })).toEqual(answer)
  const list: any = localRoute(
    functions,
    'list',
    api,
    'GET',
    '/items',
    ({ state }: any) => state,
    undefined,
    {
      ...factOf('list', 'route', 'src/a.ts#setup'),
    },
  )
  expect(await list()).toEqual({ made: 1 })
  await expect(add({ params: { id: 7 }, body: {} })).rejects.toMatchObject({ code: 'BAD_INPUT' })
  expect(Object.keys(functions)).toEqual(['add', 'list'])
})

test('a web app is asked in this process', async () => {
  const app = new Hono().get('/hello', (c) => c.text('hello'))
  const site: any = localWeb(Object.create(null), 'site', {}, () => app, factOf('site', 'web'))
  expect(await (await site.get('/hello')).text()).toBe('hello')
  expect((await site.fetch('/other')).status).toBe(404)
})

test('answers come decoded, as over a network', async () => {
  const headers = { 'content-encoding': 'gzip' }
  const answer = () => new Response(new Uint8Array(gzipSync('hello gzip')), { headers })
  const functions = Object.create(null)
  const fact = factOf('get', 'route')
  const get: any = localRoute(functions, 'get', localApi({}), 'GET', '/', answer, undefined, fact)
  const site: any = localWeb(functions, 'site', {}, { fetch: answer }, factOf('site', 'web'))
  for (const response of [await get(), await site.get('/')]) {
    expect(response.headers.has('content-encoding')).toBe(false)
    expect(await response.text()).toBe('hello gzip')
  }
})

test('endpoints without a shared setup have a state for each route; what they write goes where it always goes', async () => {
  const written = vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  const api = localApi({ setup: () => ({ own: {} }) })
  const seen: unknown[] = []
  const handler = ({ state }: any) => {
    contextStorage().getStore()!.log('hello')
    seen.push(state)
  }
  for (const id of ['one', 'two']) {
    const route: any = localRoute(Object.create(null), id, api, 'GET', '/', handler, {}, factOf(id, 'route'))
    await route()
    await route()
  }
  expect(written.mock.calls.filter(([text]) => text === 'hello\n')).toHaveLength(4)
  written.mockRestore()
  expect(seen[0]).toBe(seen[1])
  expect(seen[0]).not.toBe(seen[2])
})
