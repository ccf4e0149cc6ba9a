import { describe, expect, test } from 'vitest'
import { createWorkerProject } from '../testing/workers.ts'

const files = {
  'src/model.ts': `export const open = async (from: string) => ({ text: 'model ' + from })`,
  'src/app.ts': `import { page } from './page'
const app = { routes: [] as string[], fetch: (request: Request) => new Response(page + app.routes + request.url) }
app.routes.push('route of the app')
export default app`,
  'src/page.ts': `export const page = 'text of the app'`,
  'src/images.ts': `import { endpoint, remote } from 'unplugin-flash'
import app from './app'
import { open } from './model'
export const limit = 3
const api = endpoint({ name: 'images', maxConcurrency: limit, setup: () => open('weights') })
export const resize = api.post('/resize/:width', async ({ state }: any) => [state, 'body of resize'], { body: {} })
api.get('/silent', () => 'body of silent')
export const live = api.ws('/live', { open: () => 'hooks of live' })
export const site = endpoint({ name: 'site' }, app)
export const ask = remote({ name: 'asking' }, async () => [
  await resize({ body: 1 } as never), await site.fetch('/x'), 'body of ask', live,
])
document.title = 'statement of the page'`,
}

describe.each(['rolldown', 'rollup'] as const)(
  'bundles of load-balanced endpoints made with %s',
  (engine) => {
    test('have what their endpoint needs, say what they are, and call each other', async () => {
      using project = await createWorkerProject(files, { engine })
      await project.build()
      const text = (name: string) => project.read(`${name}/main.mjs`) + project.read(`${name}/main.mjs.map`)
      const images = text('images')
      for (const has of ['body of resize', 'body of silent', 'hooks of live', 'weights', '/resize/:width'])
        expect(images).toContain(has)
      expect(images).not.toMatch(/body of ask|of the app|of the page/)
      const site = text('site')
      expect(site).toContain('text of the app')
      expect(site).toContain('route of the app')
      expect(site).not.toMatch(/body of|hooks of|weights|of the page/)
      const asking = text('asking')
      expect(asking).toContain('body of ask')
      expect(asking).not.toMatch(/body of (?:resize|silent)|hooks of|weights|of the app|of the page/)

      const { endpoints } = project.manifest()
      const told = Object.entries(endpoints).map(([name, { kind, config, calls, functions }]) => [
        name,
        kind,
        config.kind,
        calls,
        functions.map(({ exportPath, kind, route, setup }) => [exportPath, kind, route, setup !== null]),
      ])
      expect(told).toEqual([
        ['asking', 'queue', 'queue', ['images', 'site'], [['ask', 'function', undefined, false]]],
        [
          'images',
          'balanced',
          'balanced',
          [],
          [
            ['api.GET /silent', 'route', { method: 'GET', path: '/silent', schemas: [] }, true],
            [
              'api.POST /resize/:width',
              'route',
              { method: 'POST', path: '/resize/:width', schemas: ['body'] },
              true,
            ],
            ['api.WS /live', 'route', { method: 'WS', path: '/live', schemas: [] }, true],
          ],
        ],
        ['site', 'balanced', 'balanced', [], [['site', 'web', undefined, false]]],
      ])
      const [{ setup: one }, { setup: other }] = endpoints.images!.functions as [any, any]
      expect(other).toBe(one)
    })

    test('register every route with its schemas', async () => {
      using project = await createWorkerProject(
        {
          ...files,
          'node_modules/unplugin-flash/dist/internal/bundle.mjs': `export async function startBundle(info, maps) {
  const functions = Object.assign({}, ...maps)
  const shown = info.functions.map(({ id, exportPath, route }) => {
    const { config, body, route: registered } = functions[id]
    return { exportPath, route, name: config.name, body: typeof (body.fetch ?? body), registered }
  })
  console.log(JSON.stringify(shown))
}\n`,
        },
        { engine },
      )
      await project.build()
      const shown = (name: string) => project.call(name, 'nothing')
      expect(await shown('images')).toEqual([
        {
          exportPath: 'api.GET /silent',
          route: { method: 'GET', path: '/silent', schemas: [] },
          name: 'images',
          body: 'function',
          registered: { method: 'GET', path: '/silent' },
        },
        {
          exportPath: 'api.POST /resize/:width',
          route: { method: 'POST', path: '/resize/:width', schemas: ['body'] },
          name: 'images',
          body: 'function',
          registered: { method: 'POST', path: '/resize/:width', options: { body: {} } },
        },
        {
          exportPath: 'api.WS /live',
          route: { method: 'WS', path: '/live', schemas: [] },
          name: 'images',
          body: 'object',
          registered: { method: 'WS', path: '/live' },
        },
      ])
      expect(await shown('site')).toEqual([{ exportPath: 'site', name: 'site', body: 'function' }])
    })

    test('say whose endpoints their clients call, as far as their code is left', async () => {
      using project = await createWorkerProject(
        {
          'src/names.ts': `export const named = { app: 'far-app', name: 'far-name' }`,
          'src/far.ts': `import { endpoint } from 'unplugin-flash'
import { named } from './names'
const shared = { app: 'other-app', environment: 'test' }
export const voice = endpoint({ ...shared, name: 'voice' })
export const far = endpoint({ ...named, app: 'far-app' })`,
          'src/clients.ts': `import { endpoint } from 'unplugin-flash'
export const ocr = endpoint({ id: 'abc123xyz' })
export const image = endpoint({ image: 'acme/voice:1', name: 'own-image' })
export const late = endpoint({ id: process.argv[2]! })
export const unused = endpoint({ id: 'never-used-id' })`,
          'src/a.ts': `import { endpoint, remote } from 'unplugin-flash'
import { image, late, ocr } from './clients'
import { far, voice } from './far'
export const one = remote({ name: 'one' }, async () => [await ocr.runSync({}), voice, far, late])
const api = endpoint({ name: 'two' })
api.get('/', () => image)
export const three = remote({ name: 'three' }, async () => 3)`,
          'node_modules/unplugin-flash/dist/index.mjs': `export const endpoint = (config) => ({ config })\n`,
        },
        { engine },
      )
      await project.build()
      const { endpoints } = project.manifest()
      expect(Object.entries(endpoints).map(([name, { clients }]) => [name, clients])).toEqual([
        ['one', ['app far-app/default/far-name', 'app other-app/test/voice', 'id abc123xyz']],
        ['three', undefined],
        ['two', ['image acme/voice:1 own-image']],
      ])
    })

    test('call a route with all that a call has to know of it', async () => {
      using project = await createWorkerProject(files, { engine })
      await project.build()
      const answer = await project.call('asking', 'ask')
      const known = { app: 'shop', name: 'images', at: 'src/images.ts:6' }
      const route = { method: 'POST', path: '/resize/:width', schemas: ['body'] }
      expect(answer[0]).toMatchObject({
        method: 'POST',
        path: '/resize/:width',
        given: { body: 1 },
        info: { ...known, fn: { exportPath: 'api.POST /resize/:width', kind: 'route', route, setup: '' } },
      })
      expect(answer[1]).toMatchObject({
        path: '/x',
        info: { name: 'site', fn: { kind: 'web', callables: [] } },
      })
    })
  },
)

test('what the server of the app runs is in no bundle, and an endpoint that has only that has none', async () => {
  using project = await createWorkerProject({
    'src/store.ts': `export const store = () => 'text of the store'`,
    'src/account.ts': `import { endpoint, remote } from 'unplugin-flash'
import { store } from './store'
const api = endpoint({ name: 'account' })
export const me = api.get('/me', () => ['body of me', store()], { local: true })
export const far = api.get('/far', () => ['body of far', me()])
const alone = endpoint({ name: 'alone' })
export const here = alone.get('/', () => 'body of here', { local: true })
export const ask = remote({ name: 'asking' }, async () => ['body of ask', await me(), await here()])`,
  })
  const { manifest } = await project.build()
  expect(Object.keys(manifest.endpoints)).toEqual(['account', 'asking'])
  const { functions, calls } = manifest.endpoints.account!
  expect([functions.map(({ exportPath }) => exportPath), calls]).toEqual([['api.GET /far'], []])
  expect(manifest.endpoints.asking!.calls).toEqual([])
  for (const name of ['account', 'asking']) {
    const text = project.read(`${name}/main.mjs`) + project.read(`${name}/main.mjs.map`)
    expect(text).not.toMatch(/body of me|body of here|text of the store/)
    expect(text).toContain('src/account.ts:4:19')
  }
})
