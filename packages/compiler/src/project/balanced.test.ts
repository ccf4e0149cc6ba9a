import { AppError } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { createTestProject, type TestProject } from '../testing/project.ts'

const head = `import { endpoint, remote } from 'unplugin-flash'\n`

async function problemsOf(files: Record<string, string>, more: Record<string, string> = {}) {
  using project = createTestProject({ ...withHead(files), ...more })
  await project.scan()
  return project.problems().map(told)
}

/** What is wrong with the config of an endpoint. */
async function refusalOf(config: string, name = 'items'): Promise<string> {
  using project = createTestProject(
    withHead({ 'src/a.ts': `const api = endpoint(${config})\napi.get('/', () => 1)` }),
  )
  await project.scan()
  const error = await project.config(name).then(
    () => expect.fail('nothing was refused'),
    (thrown: unknown) => thrown,
  )
  return told(error as AppError)
}

function withHead(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([file, code]) => [file, head + code]))
}

function told({ code, at, message }: AppError): string {
  return `${code} ${at ? `${at.file}:${at.line}:${at.column}` : 'nowhere'} ${message}`
}

const byPath = (project: TestProject) =>
  Object.fromEntries(project.functions().map((fact) => [fact.exportPath, fact]))

describe('facts', () => {
  test('of routes and web apps', async () => {
    using project = createTestProject(
      withHead({
        'src/app.ts': 'export default { fetch: () => new Response() }',
        'src/a.ts': `import app from './app'
const api = endpoint({ name: 'items' })
export const one = api.get('/items/:id', () => 1, { params: {}, response: {} })
api.ws('/live', {})
export const sites = { main: endpoint({ name: 'site' }, app) }`,
      }),
    )
    await project.scan()
    expect(project.problems()).toEqual([])
    const facts = byPath(project)
    expect(facts).toEqual({
      'api.GET /items/:id': expect.objectContaining({
        endpoint: 'items',
        kind: 'route',
        route: { method: 'GET', path: '/items/:id', schemas: ['params', 'response'] },
        exported: true,
        callables: [],
        constructorParams: null,
        hasInput: false,
        hasOutput: false,
        setup: null,
        prefix: 'a',
        at: { file: 'src/a.ts', line: 4, column: 20 },
      }),
      'api.WS /live': expect.objectContaining({
        kind: 'route',
        route: { method: 'WS', path: '/live', schemas: [] },
        exported: false,
      }),
      'sites.main': expect.objectContaining({ endpoint: 'site', kind: 'web', callables: [], exported: true }),
    })
    expect(facts['sites.main']).not.toHaveProperty('route')
    expect(new Set(project.functions().map(({ id }) => id)).size).toBe(3)
  })

  test('of routes that share one endpoint: one config, one state', async () => {
    using project = createTestProject(
      withHead({
        'src/config.ts': `export const shared = { name: 'shared', setup: () => 1 }`,
        'src/a.ts': `import { shared } from './config'
const api = endpoint(shared)
api.get('/a', () => 1)
api.get('/b', () => 1)
const own = endpoint({ name: 'own', setup: async () => 1 })
own.get('/a', () => 1)
own.get('/b', () => 1)`,
        'src/b.ts': `import { shared } from './config'
const api = endpoint(shared)
api.get('/c', () => 1)`,
      }),
    )
    await project.scan()
    expect(project.problems()).toEqual([])
    const shared = project.endpoint('shared')
    expect(shared.map(({ setup, exportPath }) => [exportPath, setup])).toEqual([
      ['api.GET /a', 'src/config.ts#shared.setup'],
      ['api.GET /b', 'src/config.ts#shared.setup'],
      ['api.GET /c', 'src/config.ts#shared.setup'],
    ])
    const [one, other] = project.endpoint('own')
    expect(one!.setup).toMatch(/^[a-z2-7]{16}\.setup$/)
    expect(other!.setup).toBe(one!.setup)
    expect(project.setupSource(one!.setup!)).toMatchObject({ file: project.path('src/a.ts') })
    expect((await project.config('shared')).kind).toBe('balanced')
  })

  test('with a config that has to be executed', async () => {
    using project = createTestProject(
      withHead({
        'src/a.ts': `const made = ['execu', 'ted'].join('')
const api = endpoint({ name: made, setup: () => 1, scaling: { by: 'requestCount', requests: 9 } })
api.get('/a', () => 1)
api.get('/b', () => 1)
export const site = endpoint({ name: made + '-site' }, () => new Response('x'))`,
      }),
    )
    await project.scan()
    expect(project.problems()).toEqual([])
    expect(project.functions().map(({ endpoint, setup }) => [endpoint, setup !== null])).toEqual([
      ['executed', true],
      ['executed', true],
      ['executed-site', false],
    ])
    expect(await project.config('executed', { check: true })).toMatchObject({
      kind: 'balanced',
      name: 'executed',
      scaling: { by: 'requestCount', requests: 9 },
      code: { setup: true, input: false, output: false },
    })
  })
})

describe('configs', () => {
  for (const [what, config, wanted] of [
    ['without a name', '{ cpu: "cpu3c-2-4" }', /^BAD_NAME src\/a\.ts:2:22 .* is missing/],
    ['with input', `{ name: 'items', input: schema }`, /^BAD_CONFIG src\/a\.ts:2:\d+ .*input is not allowed/],
    [
      'with output',
      `{ name: 'items', output: schema }`,
      /^BAD_CONFIG src\/a\.ts:2:\d+ .*output is not allowed/,
    ],
    [
      'that scales by a queue',
      `{ name: 'items', scaling: { by: 'queueDelay', seconds: 4 } }`,
      /^BAD_CONFIG src\/a\.ts:2:\d+ /,
    ],
  ] as const) {
    test(`${what} are refused`, async () =>
      expect(await refusalOf(config, what === 'without a name' ? 'a-api' : 'items')).toMatch(wanted))
  }

  test('the way out of a missing name is a name', async () => {
    using project = createTestProject(
      withHead({ 'src/a.ts': `const api = endpoint({})\napi.get('/', () => 1)` }),
    )
    await project.scan()
    await expect(project.config('a-api')).rejects.toMatchObject({
      code: 'BAD_NAME',
      hint: "add one: `endpoint({ name: 'items' })`",
      frame: expect.stringContaining('endpoint({})'),
    })
  })

  test('an endpoint without a name is no problem of its place or its constant', async () => {
    const code = `const config = {}\nconst api = endpoint(config)\napi.get('/a', () => 1)\napi.get('/b', () => 1)`
    expect(await problemsOf({ 'src/x.ts': code })).toEqual([])
  })
})

test('routes whose config cannot be read are still one endpoint', async () => {
  using project = createTestProject({
    'src/broken.ts': 'export const shared = {',
    ...withHead({
      'src/a.ts': `import { shared } from './broken'
const api = endpoint(shared)
api.get('/a', () => 1)
api.get('/b', () => 1)`,
    }),
  })
  await project.scan()
  expect(project.problems()).toEqual([])
  expect(project.endpoint('a-api')).toHaveLength(2)
  await expect(project.config('a-api')).rejects.toMatchObject({ code: 'SYNTAX_ERROR' })
})

describe('one endpoint', () => {
  const mixed = (from: string, to: string) =>
    expect.stringMatching(new RegExp(`^MIXED_ENDPOINT ${from}.*${to}`))

  test('has no functions and routes, by one config or by one name', async () => {
    const shared = `const config = { name: 'one' }
export const f = remote(config, async () => 1)
const api = endpoint(config)
export const g = api.get('/g', () => 1)
export const h = api.get('/h', () => 1)`
    expect(await problemsOf({ 'src/a.ts': shared })).toEqual([
      mixed('src/a.ts:3:18', 'the route `api.GET /g` at src/a.ts:5:18 and the function `f` at src/a.ts:3:18'),
    ])
    const named = {
      'src/a.ts': `const api = endpoint({ name: 'One' })\napi.get('/g', () => 1)`,
      'src/b.ts': `export const f = remote({ name: 'one' }, async () => 1)`,
    }
    expect(await problemsOf(named)).toEqual([
      mixed('src/b.ts:2:18', 'the route `api.GET /g` at src/a.ts:3:1 and the function `f` at src/b.ts:2:18'),
    ])
  })

  test('has one web app and nothing beside it', async () => {
    const web = `export const site = endpoint({ name: 'one' }, () => new Response('x'))\n`
    const routes = `const api = endpoint({ name: 'one' })\napi.get('/g', () => 1)`
    expect(await problemsOf({ 'src/a.ts': web, 'src/b.ts': routes })).toEqual([
      mixed('src/b.ts:3:1', 'the web app `site` at src/a.ts:2:21 and the route `api.GET /g` at src/b.ts:3:1'),
    ])
    const twice = `const config = { name: 'one' }
export const site = endpoint(config, () => new Response('x'))
export const other = endpoint(config, () => new Response('y'))`
    expect(await problemsOf({ 'src/a.ts': twice })).toEqual([
      mixed('src/a.ts:3:21', 'the web app `other` at src/a.ts:4:22 and the web app `site` at src/a.ts:3:21'),
    ])
  })

  test('has one config', async () => {
    const web = `export const site = endpoint({ name: 'one' }, () => new Response('x'))\n`
    const routes = `const api = endpoint({ name: 'one' })\napi.get('/g', () => 1)`
    expect(await problemsOf({ 'src/a.ts': web, 'src/b.ts': web })).toEqual([
      expect.stringMatching(/^DUPLICATE_ENDPOINT src\/b\.ts:2:21 /),
    ])
    expect(await problemsOf({ 'src/a.ts': routes, 'src/b.ts': routes })).toEqual([
      expect.stringMatching(/^DUPLICATE_ENDPOINT src\/b\.ts:3:1 /),
    ])
  })

  test('answers a request by one route, also where two files share it', async () => {
    const files = {
      'src/config.ts': `export const shared = { name: 'one' }`,
      'src/a.ts': `import { shared } from './config'\nconst api = endpoint(shared)\napi.get('/items/:id', () => 1)\napi.post('/items/:id', () => 1)`,
      'src/b.ts': `import { shared } from './config'\nconst more = endpoint(shared)\nmore.get('/items/:name', () => 1)\nmore.get('/items/**', () => 1)`,
    }
    expect(await problemsOf(files)).toEqual([
      expect.stringMatching(
        /^DUPLICATE_ROUTE src\/b\.ts:4:1 .*`api\.GET \/items\/:id` at src\/a\.ts:4:1 and `more\.GET \/items\/:name` at src\/b\.ts:4:1/,
      ),
    ])
  })
})

describe('two routes that answer the same requests name both places', () => {
  const twice = (first: string, second: string) =>
    expect.stringMatching(
      new RegExp(
        `^DUPLICATE_ROUTE ${second.replaceAll('.', '\\.')} .* at ${first.replaceAll('.', '\\.')} and .* at ${second.replaceAll('.', '\\.')}$`,
      ),
    )
  for (const [what, one, other] of [
    ['the same path', `api.get('/items', () => 1)`, `api.get('/items', () => 2)`],
    ['another name of a parameter', `api.get('/items/:id', () => 1)`, `api.get('/items/:name', () => 2)`],
    ['another name of the rest', `api.get('/files/**', () => 1)`, `api.get('/files/**:path', () => 2)`],
    ['a path by its constant', `api.get('/items', () => 1)`, 'api.get(`/items`, () => 2)'],
    ['the same WebSocket', `api.ws('/live', {})`, `api.ws('/live', {})`],
  ] as const) {
    test(`${what}, in one file`, async () => {
      const code = `const api = endpoint({ name: 'one' })\n${one}\n${other}`
      expect(await problemsOf({ 'src/a.ts': code })).toEqual([twice('src/a.ts:3:1', 'src/a.ts:4:1')])
    })

    test(`${what}, in one file and two constants of one config`, async () => {
      const code = `const config = { name: 'one' }\nconst own = endpoint(config)\nconst api = endpoint(config)
${one.replace('api', 'own')}\n${other}`
      expect(await problemsOf({ 'src/a.ts': code })).toEqual([twice('src/a.ts:5:1', 'src/a.ts:6:1')])
    })

    test(`${what}, in files that import one config`, async () => {
      const files = {
        'src/config.ts': `export const shared = { name: 'one' }`,
        'src/a.ts': `import { shared } from './config'\nconst api = endpoint(shared)\n${one}`,
        'src/b.ts': `import { shared as own } from './config'\nconst config = own\nconst api = endpoint(config)\n${other}`,
      }
      expect(await problemsOf(files)).toEqual([twice('src/a.ts:4:1', 'src/b.ts:5:1')])
    })
  }

  test('other methods, paths and endpoints are no matter', async () => {
    const code = `const api = endpoint({ name: 'one' })
const other = endpoint({ name: 'two' })
api.get('/items', () => 1)
api.post('/items', () => 1)
api.get('/items/:id', () => 1)
api.get('/items/**', () => 1)
api.get('/items/:id/x', () => 1)
api.ws('/items', {})
other.get('/items', () => 1)`
    expect(await problemsOf({ 'src/a.ts': code })).toEqual([])
  })
})

describe('paths that belong to the platform are refused where they are written', () => {
  const reserved = 'RESERVED_PATH src/a.ts:4:10'
  const bad = 'BAD_ROUTE src/a.ts:4:10'
  for (const [path, wanted] of [
    ['/ping', reserved],
    ['/execute', reserved],
    ['/_runpod', reserved],
    ['/_runpod/state', reserved],
    ['/_runpod/:id', reserved],
    ['/_runpod/**', reserved],
    ['/\\u0070ing', reserved],
    ['/%70ing', bad],
    ['/%5frunpod/x', bad],
    ['/ping/', bad],
    ['//ping', bad],
    ['/x/../ping', bad],
    ['/./ping', bad],
    ['/\\\\ping', bad],
    ['/ping?x', bad],
    ['/ping#x', bad],
  ] as const) {
    test(path, async () => {
      const code = `const api = endpoint({ name: 'one' })\n\napi.post('${path}', () => 1)`
      const [problem, ...others] = await problemsOf({ 'src/a.ts': code })
      expect(problem).toContain(wanted)
      expect(others).toEqual([])
    })
  }

  test('also when it is a constant of another module', async () => {
    const files = {
      'src/paths.ts': `export const health = '/ping'`,
      'src/a.ts': `import { health } from './paths'\nconst api = endpoint({ name: 'one' })\napi.get(health, () => 1)`,
    }
    expect(await problemsOf(files)).toEqual([expect.stringMatching(/^RESERVED_PATH src\/a\.ts:4:9 /)])
  })

  test('and others that only look like it are not', async () => {
    const paths = ['/pings', '/x/ping', '/ping/x', '/execute/:id', '/_runpods', '/runpod', '/:verb', '/**']
    const code = paths.map((path) => `api.get('${path}', () => 1)`).join('\n')
    expect(await problemsOf({ 'src/a.ts': `const api = endpoint({ name: 'one' })\n${code}` })).toEqual([])
  })
})

describe('routes of an endpoint that another module makes', () => {
  const owner = (exported: string) => `const config = { name: 'one' }\n${exported}`
  const use = `import { api } from './owner'\nexport const read = api.get('/items', () => 'text')`
  for (const [what, files] of [
    [
      'under its name',
      { 'src/owner.ts': `${head}${owner('export const api = endpoint(config)')}`, 'src/use.ts': use },
    ],
    [
      'through a barrel and another name',
      {
        'src/made.ts': `${head}${owner('const made = endpoint(config)\nexport { made as inner }')}`,
        'src/owner.ts': `export { inner as api } from './made'`,
        'src/use.ts': use,
      },
    ],
    [
      'as the default',
      {
        'src/owner.ts': `${head}${owner('const api = endpoint(config)\nexport default api')}`,
        'src/use.ts': use.replace('{ api }', 'api').replace("'./owner'", "'./owner.ts'"),
      },
    ],
    [
      'through a namespace',
      {
        'src/owner.ts': `${head}${owner('export const api = endpoint(config)')}`,
        'src/use.ts': use.replace('{ api }', '* as all').replace('api.get', 'all.api.get'),
      },
    ],
    [
      'with a path that is a member of something',
      {
        'src/owner.ts': `${head}${owner('export const api = endpoint(config)')}`,
        'src/use.ts': use.replace("'/items'", 'document.title'),
      },
    ],
    [
      'in a component',
      {
        'src/owner.ts': `${head}${owner('export const api = endpoint(config)')}`,
        'src/use.vue': `<script setup>\n${use.replace('./owner', './owner.ts')}\n</script>`,
      },
    ],
  ] as [string, Record<string, string>][]) {
    test(`are refused ${what}`, async () => {
      const found = await problemsOf({}, files)
      expect(found).toEqual([
        expect.stringMatching(
          /^BAD_ROUTE src\/use\.\w+:[23]:21 this route is not in the file of its endpoint/,
        ),
      ])
    })
  }

  test('are refused where it is used in any other way', async () => {
    const files = {
      'src/owner.ts': `${head}${owner('export const api = endpoint(config)')}`,
      'src/barrel.ts': `import { api } from './owner'\nexport { api }\nexport type Api = typeof api`,
      'src/use.ts': `import { api } from './barrel'\nconst { get } = api\nget('/items', () => 'text')`,
    }
    expect(await problemsOf({}, files)).toEqual([
      'BAD_ROUTE src/use.ts:2:17 `api` is used as a value, and routes made so are not in the file of its endpoint, which is src/owner.ts',
    ])
  })

  test('are refused where a default import of it is handed on', async () => {
    const files = {
      'src/owner.ts': `${head}${owner('const api = endpoint(config)\nexport default api')}`,
      'src/use.ts': `import React from 'react'\nimport own from './owner'\nexport const all = [React, add(own)]`,
    }
    expect(await problemsOf({}, files)).toEqual([
      'BAD_ROUTE src/use.ts:3:32 `own` is used as a value, and routes made so are not in the file of its endpoint, which is src/owner.ts',
    ])
  })

  test('calls that only look like it are left alone', async () => {
    const files = {
      'src/owner.ts': `${head}export const api = endpoint({ id: 'abc' })\nexport const plain = { get: (...all: unknown[]) => all }\nexport const made = plain.get('/x', 1)`,
      'src/use.ts': `import { api, plain, made } from './owner'\nimport axios from 'axios'\nimport { remote } from 'unplugin-flash'
export const read = [api.get('/items', {}), plain.get('/items', () => 1), axios.get('/items', () => 1), made.get('/items', () => 1)]
export const f = remote({ name: 'words' }, async () => 1)`,
    }
    expect(await problemsOf({}, files)).toEqual([])
  })
})

test('an endpoint without routes is told as a warning, until it has one', async () => {
  using project = createTestProject(withHead({ 'src/a.ts': `const api = endpoint({ name: 'one' })\n` }))
  await project.scan()
  expect([project.problems(), project.functions()]).toEqual([[], []])
  expect(project.warnings().map(told)).toEqual([
    'ENDPOINT_EMPTY src/a.ts:2:13 the endpoint `api` has no routes, so there is nothing to run',
  ])
  project.write(withHead({ 'src/a.ts': `const api = endpoint({ name: 'one' })\napi.get('/', () => 1)` }))
  const { appeared } = await project.update(project.path('src/a.ts'))
  expect(appeared.map(({ exportPath }) => exportPath)).toEqual(['api.GET /'])
  expect(project.warnings()).toEqual([])
})

describe('routes of the server of the app', () => {
  const files = withHead({
    'src/a.ts': `const api = endpoint({ name: 'items' })
export const me = api.get('/me', () => 1, { local: true })
export const far = api.get('/far', () => 1, { local: false })`,
  })

  test('say so in their facts', async () => {
    using project = createTestProject(files)
    await project.scan()
    const { 'api.GET /me': me, 'api.GET /far': far } = byPath(project)
    expect(me!.route).toEqual({ method: 'GET', path: '/me', schemas: [], local: true })
    expect(far!.route).toEqual({ method: 'GET', path: '/far', schemas: [] })
    expect(project.problems()).toEqual([])
  })

  test('are a problem of an app without a server', async () => {
    using project = createTestProject(files, { hasServer: false })
    await project.scan()
    const [problem, ...others] = project.problems()
    expect(others).toEqual([])
    expect(told(problem!)).toMatch(/^LOCAL_NEEDS_SERVER src\/a\.ts:3:19 `api\.GET \/me` \(src\/a\.ts:3:19\)/)
    expect(problem!.frame).toContain("> 3 | export const me = api.get('/me'")
  })
})
