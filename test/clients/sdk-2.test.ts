import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'
import { createPythonProject, findPrograms, fixture, type PythonProject } from '../helpers/python.ts'

const programs = findPrograms()

describe.skipIf(!programs)('the Python package runpod 2.0', () => {
  let watched: WatchedEmulator
  let project: PythonProject
  let before: Record<string, string>

  beforeAll(async () => {
    const python = `${programs!.sdk2}/python`
    watched = await startEmulator({
      tls: true,
      program: ({ mounts }) => {
        const artifact = mounts.find(({ target }) => target.endsWith('artifact.tar.gz'))
        return {
          command: [python, '-u', fixture('stand_in.py'), ...(artifact ? [artifact.source] : [])],
        }
      },
    })
    project = createPythonProject(fixture('shop'), watched.emulator.env)
  })
  afterAll(async () => {
    await watched?.close()
    project?.remove()
  })

  const rp = (args: string[], env = {}) => {
    watched.requests.clear()
    return project.run(`${programs!.sdk2}/rp`, args, env)
  }
  const edit = (from: string | RegExp, to: string) => {
    const file = join(project.root, 'app.py')
    const text = readFileSync(file, 'utf8')
    expect(text).toMatch(from)
    writeFileSync(file, text.replace(from, to))
  }
  const idsByName = async () =>
    Object.fromEntries((await watched.listEndpoints()).map(({ id, name }) => [name, id]))
  const visit = (...args: string[]) => {
    watched.requests.clear()
    return project.ask(`${programs!.sdk2}/python`, [fixture('visit_shop.py'), ...args])
  }

  describe('rp secret', () => {
    test('adds and lists; a value is shown nowhere', async () => {
      const missing = await rp(['flash', 'dev', 'app.py', '--once'])
      expect(missing).toMatchObject({ code: 1, output: expect.stringContaining('secret not found: word') })
      expect(await rp(['secret', 'add', 'word', '--value', 'hello'])).toMatchObject({ code: 0 })
      expect(watched.requests.changes()).toEqual(['secretCreate'])
      const list = await rp(['secret', 'list'])
      expect(list).toMatchObject({ code: 0, output: expect.stringContaining('word') })
      expect(list.output).not.toContain('hello')
    })
  })

  describe('rp flash dev --once', () => {
    test('calls a function, a generator and an API in endpoints that are gone afterwards', async () => {
      const { code, output } = await rp(['flash', 'dev', 'app.py', '--once'])
      expect(output).toContain('answer: hello Annhello Ann')
      expect(output).toContain("chunks: [{'at': 0}, {'at': 1}, {'at': 2}]")
      expect(output).toContain("whole: [{'at': 0}, {'at': 1}]")
      expect(output).toContain("visit: {'welcome': 'Ann', 'visits': 1} {'visits': 1}")
      expect(output).toMatch(/greet +│ greeting Ann/)
      expect(code).toBe(0)
      expect(await watched.listEndpoints()).toEqual([])
      expect(watched.requests.changes()).toEqual([
        'myself',
        ...Array(4).fill('saveEndpoint'),
        ...Array(4).fill('DELETE /v2/serverless'),
      ])
      const [front] = watched.requests.all().filter(({ url }) => url === '/_runpod/sync')
      expect(output).toContain(front!.host.replace(/\.data\.localhost:\d+$/, ''))
    })

    test('ends with 1 when the function raises, and leaves nothing behind', async () => {
      const { code, output } = await rp(['flash', 'dev', 'app.py', '--once'], { SHOP_REFUSES: '1' })
      expect(output).toContain('remote execution failed: closed because of snow')
      expect(code).toBe(1)
      expect(await watched.listEndpoints()).toEqual([])
    })
  })

  describe('rp flash deploy', () => {
    test('makes the app, its environment, a build and an endpoint for each resource', async () => {
      const { code, output } = await rp(['flash', 'deploy', '.'])
      expect(output).toMatch(/shop\/default is live/)
      expect(code).toBe(0)
      before = await idsByName()
      expect(Object.keys(before).sort()).toEqual(['Front', 'count', 'greet', 'refuse'])
      for (const id of Object.values(before)) expect(output).toContain(id)
      expect(watched.requests.changes()).toEqual([
        'myself',
        'flashAppByName',
        'createFlashApp',
        'createFlashEnvironment',
        'prepareFlashArtifactUpload',
        'PUT /upload',
        'finalizeFlashArtifactUpload',
        'deployBuildToEnvironment',
        ...Array(4).fill('saveEndpoint'),
      ])
    })

    test('the app is called by its name', async () => {
      const seen = await visit()
      expect(seen).toMatchObject({
        remote: 'hello Annhello Ann',
        whole: [{ at: 0 }, { at: 1 }],
        stream: [{ at: 0 }, { at: 1 }, { at: 2 }],
        spawn: { result: 'hello Bob', status: 'COMPLETED' },
        again: 'hello Bob',
        cancel: { status: 'CANCELLED' },
        error: expect.stringMatching(/^RemoteExecutionError: .*closed because of snow/s),
        retry: { error: expect.stringMatching(/^RemoteExecutionError: .*closed because of snow/s) },
        options: 'hello Eve',
        missing: expect.stringMatching(/^EndpointNotFound: 'nothing' in app 'shop' is not deployed/),
        other: expect.stringMatching(/^EndpointNotFound/),
        post: { welcome: 'Ann', visits: 1 },
        get: { visits: 1 },
        noRoute: expect.stringMatching(/^EndpointNotFound/),
      })
      const jobs = watched.requests.all().filter(({ url }) => url.startsWith('/v2/flash/'))
      expect(new Set(jobs.map(({ headers }) => headers['x-flash-app']))).toEqual(new Set(['shop']))
      const status = (name: string, id: string) => watched.get(`/v2/${before[name]}/status/${id}`)
      expect(await status('greet', seen.spawn.id)).toMatchObject({ status: 'COMPLETED', output: 'hello Bob' })
      expect(await status('count', seen.cancel.id)).toMatchObject({ status: 'CANCELLED' })
      expect(await status('refuse', seen.retry.id)).toMatchObject({ status: 'FAILED' })
      const hosts = watched.requests.all().filter(({ url }) => url === '/visit')
      expect(hosts.map(({ host }) => host.split(':')[0])).toEqual(['flash.data.localhost'])
    })

    test('clients of TypeScript call it by its name too', async () => {
      const base = `http://127.0.0.1:${new URL(watched.emulator.url).port}/v2`
      const program = join(import.meta.dirname, 'node/visit-shop.mjs')
      const seen = await project.ask(process.execPath, [program], { RUNPOD_ENDPOINT_BASE_URL: base })
      expect(seen).toEqual({
        run: 'hello Annhello Ann',
        stream: [{ at: 0 }, { at: 1 }, { at: 2 }],
        cancel: 'CANCELLED',
        error: expect.stringMatching(/closed because of snow/),
        missing: 'ENDPOINT_NOT_DEPLOYED',
        post: { welcome: 'Eve', visits: expect.any(Number) },
        noRoute: 'HTTP_ERROR 404',
      })
    })

    test('after an edit updates in place', async () => {
      edit('{name}" * times', '{name}!" * times')
      const { code, output } = await rp(['flash', 'deploy', '.'])
      expect(output).toMatch(/shop\/default is live/)
      expect(code).toBe(0)
      expect(await idsByName()).toEqual(before)
      expect(watched.requests.changes()).not.toContain('createFlashApp')
      expect(await watched.get('/v2/templates')).toMatchObject({ templates: { length: 4 } })
      expect((await visit('briefly')).remote).toBe('hello Ann!hello Ann!')
    })

    test('deletes what the app no longer has', async () => {
      edit(/@app\.queue[^@]*def refuse[^@]*/, '')
      const { code } = await rp(['flash', 'deploy', '.'])
      expect(code).toBe(0)
      const { refuse: _, ...rest } = before
      expect(await idsByName()).toEqual(rest)
      expect(watched.requests.changes().at(-1)).toBe('DELETE /v2/serverless')
    })
  })

  describe('rp flash app, env and undeploy', () => {
    test('list and get show what there is', async () => {
      expect(await rp(['flash', 'app', 'list'])).toMatchObject({
        code: 0,
        output: expect.stringContaining('shop'),
      })
      const app = await rp(['flash', 'app', 'get', 'shop'])
      expect(app).toMatchObject({ code: 0, output: expect.stringContaining('default') })
      const environments = await rp(['flash', 'env', 'list', '-a', 'shop'])
      expect(environments).toMatchObject({ code: 0, output: expect.stringContaining('default') })
      const environment = await rp(['flash', 'env', 'get', 'default', '-a', 'shop'])
      expect(environment).toMatchObject({ code: 0, output: expect.stringContaining(before.greet!) })
    })

    test('an environment is added and deleted', async () => {
      expect(await rp(['flash', 'env', 'add', 'trial', '-a', 'shop'])).toMatchObject({ code: 0 })
      expect((await rp(['flash', 'env', 'list', '-a', 'shop'])).output).toContain('trial')
      expect(await rp(['flash', 'env', 'delete', 'trial', '-a', 'shop', '-y'])).toMatchObject({ code: 0 })
      expect((await rp(['flash', 'env', 'list', '-a', 'shop'])).output).not.toContain('trial')
    })

    test('undeploy deletes the endpoints and their environment', async () => {
      const { code } = await rp(['flash', 'undeploy', '-a', 'shop', '-y'])
      expect(code).toBe(0)
      expect(await watched.listEndpoints()).toEqual([])
      expect((await rp(['flash', 'env', 'list', '-a', 'shop'])).output).not.toContain('default')
    })

    test('an app is deleted', async () => {
      expect(await rp(['flash', 'app', 'delete', 'shop', '-y'])).toMatchObject({ code: 0 })
      expect((await rp(['flash', 'app', 'list'])).output).not.toContain('shop')
    })
  })

  test('rp secret delete', async () => {
    expect(await rp(['secret', 'delete', 'word', '-y'])).toMatchObject({ code: 0 })
    expect((await rp(['secret', 'list'])).output).not.toContain('word')
  })
})
