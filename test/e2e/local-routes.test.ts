import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { buildProject, readFiles, runNode } from '../helpers/build.ts'
import { createProject, page, type Project, repository, viteConfig } from '../helpers/project.ts'
import { startVite } from '../helpers/vite.ts'

declare const flash: Record<string, any>

/** What the app is in development, and how its server is built beside its pages. */
const config = viteConfig(
  '',
  `builder: {},
  build: { sourcemap: true },
  environments: {
    client: { build: { outDir: 'dist/client' } },
    ssr: { build: { outDir: 'dist/server', rolldownOptions: { input: 'src/server.ts' } } },
  },`,
).replace(
  'plugins: [',
  `plugins: [{
    name: 'app',
    configureServer: (server) => void server.middlewares.use('/rendered', async (request, response) => {
      const { render } = await server.environments.ssr.runner.import('/src/render.ts')
      response.end(await render())
    }),
  }, `,
)

const files = {
  'index.html': page(),
  'src/main.ts': `import { broken, me, rename, ticks } from './account.ts'
import { ask, double } from './work.ts'
Object.assign(globalThis, { flash: { ask, broken, double, me, rename, ticks } })
document.querySelector('#app')!.textContent = 'ready'
`,
  'src/sessions.server.ts': `let visits = 0
export const visit = () => ++visits
export const nameOf = (cookie: string | null) => /user=(\\w+)/.exec(cookie ?? '')?.[1] ?? 'planted-nobody'
`,
  'src/account.ts': `import { endpoint, getContext, RemoteError } from 'unplugin-flash'
import { z } from 'zod'
import { nameOf, visit } from './sessions.server.ts'

const open = () => ({ opened: 'planted-setup', times: 0 })
const api = endpoint({ name: 'account', setup: open })

export const me = api.get('/me', ({ headers, state }) => ({
  name: nameOf(headers.get('cookie')),
  says: 'planted-first',
  visits: visit(),
  pid: process.pid,
  endpoint: getContext().endpoint,
  state: [state.opened, ++state.times],
}), { local: true })

export const rename = api.put('/people/:id', ({ params, query, body }) => ({ id: params.id, dry: query.dry, name: body.name }), {
  params: z.object({ id: z.number() }),
  query: z.object({ dry: z.boolean().default(false) }),
  body: z.object({ name: z.string().min(1) }),
  local: true,
})

export const ticks = api.get('/ticks/:to', async function* ({ params }) {
  for (let n = 1; n <= Number(params.to); n++) yield { n }
}, { local: true })

export const broken = api.get('/broken', ({ request }) => {
  if (request.url.includes('told')) throw new RemoteError('TOLD', 'planted words')
  throw new Error('secret detail')
}, { local: true })

// Only programs ask for this one.
api.get('/silent', () => 'planted-silent', { local: true })

/** Runs in a worker, as all others do, and takes what is none of the server's. */
export const double = api.get('/:n', ({ params }) => Number(params.n) * 2 || params.n)
`,
  'src/work.ts': `import { remote } from 'unplugin-flash'
import { me } from './account.ts'
export { double } from './account.ts'
export const ask = remote({ name: 'asking' }, async () => me().then(() => 'answered', (error) => error.code + ' ' + error.message))
`,
  'src/render.ts': `import { me } from './account.ts'
export const render = async () => JSON.stringify(await me({ headers: { cookie: 'user=server' } }))
`,
  'src/server.ts': `import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createFlashHandler } from 'unplugin-flash/server'
import { toNodeHandler } from 'srvx/node'
import { render } from './render.ts'
const flash = createFlashHandler({
  maxBodyBytes: 1000,
  authorize: (request, call) => call.kind !== 'fetch' || call.path !== '/people/13',
})
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname.startsWith('/_flash/')) return flash(request)
  if (pathname === '/rendered') return new Response(await render())
  const file = pathname === '/' ? 'index.html' : pathname.slice(1)
  const bytes = await readFile('dist/client/' + file).catch(() => null)
  const type = file.endsWith('.html') ? 'text/html' : 'text/javascript'
  return bytes ? new Response(bytes, { headers: { 'content-type': type } }) : new Response('none', { status: 404 })
}
const server = createServer(toNodeHandler(answer) as never)
server.listen(0, '127.0.0.1', () => console.log('listening on ' + (server.address() as any).port))
`,
}

let project: Project
let browser: Browser

beforeAll(async () => {
  project = createProject({ 'vite.config.ts': config, ...files })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  project?.remove()
})

interface Served {
  url: string
  pid: number
  stop(): unknown
}

async function startDev(): Promise<Served> {
  const vite = await startVite(project)
  return { url: vite.url, pid: vite.process.pid!, stop: () => vite.stop() }
}

async function startBuilt(): Promise<Served> {
  const { VITEST: _, NODE_ENV: __, FLASH_KEY: ___, ...inherited } = process.env
  const child = spawn(process.execPath, ['dist/server/server.js'], {
    cwd: project.root,
    env: { ...inherited, NODE_ENV: 'production', FLASH_TARGET: 'local' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  const port = await new Promise<string>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const [, found] = /listening on (\d+)/.exec(output) ?? []
        if (found) resolve(found)
      })
    child.on('exit', () => reject(new Error(`the server ended:\n${output}`)))
  })
  return {
    url: `http://127.0.0.1:${port}`,
    pid: child.pid!,
    async stop() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

const hosts: [name: string, start: () => Promise<Served>][] = [
  ['vite dev', startDev],
  ['the built server', startBuilt],
]

describe.each(hosts)('%s', (host, start) => {
  let served: Served
  let tab: Page

  beforeAll(async () => {
    served = await start()
    tab = (await openPage(browser, served.url)).page
    await tab.getByText('ready').waitFor()
    await tab.context().addCookies([{ name: 'user', value: 'ada', url: served.url }])
  })

  afterAll(async () => {
    await tab?.close()
    await served?.stop()
  })

  const call = (name: string, options?: object): Promise<any> =>
    tab.evaluate(
      ([name, options]) =>
        flash[name](options).catch(({ code, message, data }: any) => ({ code, message, data })),
      [name, options] as const,
    )

  test('a page and the code of the server get answers of one process, and of one state', async () => {
    const { pid } = served
    const [name, endpoint] = ['ada', 'account']
    const first = await call('me')
    expect(first).toMatchObject({ name, endpoint, pid, says: 'planted-first', state: ['planted-setup', 1] })
    const rendered = JSON.parse(await (await fetch(`${served.url}/rendered`)).text())
    expect(rendered).toMatchObject({
      name: 'server',
      pid,
      visits: first.visits + 1,
      state: ['planted-setup', 2],
    })
  })

  test('values, items and errors are those of any route', async () => {
    const sent = { params: { id: 7 }, query: { dry: true }, body: { name: 'x' } }
    expect(await call('rename', sent)).toEqual({ id: 7, dry: true, name: 'x' })
    expect(await call('rename', { params: { id: 7 }, body: { name: '' } })).toMatchObject({
      code: 'BAD_INPUT',
      data: { field: 'body.name' },
    })
    expect(await call('broken', { query: { told: 1 } })).toMatchObject({
      code: 'TOLD',
      message: 'planted words',
    })
    const hidden = await call('broken')
    expect(hidden.code).toBe('INTERNAL')
    expect(JSON.stringify(hidden)).not.toContain('secret detail')
    const items = await tab.evaluate(async () => {
      const all: unknown[] = []
      for await (const one of await flash.ticks({ params: { to: 3 } })) all.push(one.n)
      return all
    })
    expect(items).toEqual([1, 2, 3])
  })

  test('the other routes of the endpoint run in its worker, which cannot call back', async () => {
    expect(await call('double', { params: { n: 21 } })).toBe(42)
    expect(await call('double', { params: { n: 'me' } })).toBe('me')
    expect(await call('ask')).toMatch(/^LOCAL_NEEDS_SERVER `api\.GET \/me` \(src\/account\.ts:8:19\)/)
  })

  if (host === 'vite dev') {
    test('programs ask the route itself', async () => {
      const ask = (path: string, init?: RequestInit) => fetch(`${served.url}/_flash/account/${path}`, init)
      expect(await (await ask('me', { headers: { cookie: 'user=bob' } })).json()).toMatchObject({
        name: 'bob',
      })
      expect(await (await ask('silent')).json()).toBe('planted-silent')
      const json = { 'content-type': 'application/json' }
      const renamed = await ask('people/7', { method: 'PUT', headers: json, body: '{ "name": "y" }' })
      expect([renamed.status, renamed.headers.get('x-flash'), await renamed.json()]).toEqual([
        200,
        '1',
        { id: 7, dry: false, name: 'y' },
      ])
      expect((await ask('people/x', { method: 'PUT', headers: json, body: '{ "name": "y" }' })).status).toBe(
        422,
      )
      expect((await ask('me', { method: 'HEAD' })).status).toBe(200)
      expect(await (await ask('21')).json()).toBe(42)
      const document: any = await (await fetch(`${served.url}/_flash/openapi.json`)).json()
      expect(Object.keys(document.paths)).toContain('/account/me')
    })

    test('an edit of the handler, and of what it imports, reaches the next call', async () => {
      const { visits } = await call('me')
      const says = async () => (await call('me')).says
      await project.edit('src/account.ts', 'planted-first', 'planted-second')
      await expect.poll(says).toBe('planted-second')
      await project.edit('src/sessions.server.ts', '++visits', '(visits += 100)')
      await expect.poll(async () => (await call('me')).visits).toBeGreaterThan(visits + 50)
      const rendered = JSON.parse(await (await fetch(`${served.url}/rendered`)).text())
      expect(rendered.visits % 100).toBe(0)
      await project.edit('src/account.ts', 'planted-second', 'planted-first')
      await project.edit('src/sessions.server.ts', '(visits += 100)', '++visits')
      await expect.poll(says).toBe('planted-first')
    })

    test('a module that does not load says where', async () => {
      await project.edit('src/sessions.server.ts', 'let visits = 0', 'let visits = (')
      await expect
        .poll(() => call('me'))
        .toMatchObject({
          code: 'MODULE_FAILED',
          message: expect.stringContaining('sessions.server.ts'),
        })
      await project.edit('src/sessions.server.ts', 'let visits = (', 'let visits = 0')
      await expect.poll(async () => (await call('me')).name).toBe('ada')
    })
  } else {
    test('the checks of production hold', async () => {
      const forbidden = { params: { id: 13 }, body: { name: 'x' } }
      expect(await call('rename', forbidden)).toMatchObject({ code: 'FORBIDDEN' })
      const large = { params: { id: 1 }, body: { name: 'x'.repeat(2000) } }
      expect(await call('rename', large)).toMatchObject({ code: 'PAYLOAD_TOO_LARGE' })
      const direct = await fetch(`${served.url}/_flash/account/me`)
      expect(direct.status).toBe(404)
    })
  }
})

test('no page, no source map and no bundle of a worker has anything of the handlers', () => {
  const all = (folder: string) => [...readFiles(project.path(folder)).values()].join('\n')
  const client = all('dist/client')
  for (const planted of ['planted-', 'secret detail', 'sessions.server', 'visits', '/people/${'])
    expect(client, planted).not.toContain(planted)
  const bundles = all('.flash/build')
  for (const planted of ['planted-first', 'planted-silent', 'secret detail', 'sessions.server'])
    expect(bundles, planted).not.toContain(planted)
  expect(bundles).toContain('planted-setup')
  expect(all('dist/server')).toContain('planted-first')
})

describe('without a server', () => {
  const alone = {
    'src/main.ts': `import { me } from './me.ts'
Object.assign(globalThis, { flash: { me } })
document.querySelector('#app')!.textContent = 'ready'
`,
    'src/me.ts': `import { endpoint } from 'unplugin-flash'

const api = endpoint({ name: 'only' })
export const me = api.get('/me', () => 'planted-alone', { local: true })
`,
  }
  let single: Project

  beforeAll(() => void (single = createProject(alone)))
  afterAll(() => single?.remove())

  test('the build names the route and its place', async () => {
    const { code, output } = await buildProject(single)
    expect(code).not.toBe(0)
    expect(output).toContain('LOCAL_NEEDS_SERVER')
    expect(output).toContain('src/me.ts:4:19')
    expect(output).toContain("> 4 | export const me = api.get('/me'")
  })

  test('development says it at the start and at the call', async () => {
    const vite = await startVite(single)
    try {
      await vite.waitFor(/src\/me\.ts:4:19 LOCAL_NEEDS_SERVER/)
      const { page: tab } = await openPage(browser, vite.url)
      await tab.getByText('ready').waitFor()
      const told = await tab.evaluate(() => flash.me().catch(({ code, message }: any) => [code, message]))
      expect(told).toEqual(['LOCAL_NEEDS_SERVER', expect.stringContaining('(src/me.ts:4:19)')])
      const direct = await fetch(`${vite.url}/_flash/me/me`)
      expect([direct.status, (await direct.json()).code]).toEqual([501, 'LOCAL_NEEDS_SERVER'])
    } finally {
      await vite.stop()
    }
  })

  test('where another command builds it, pages are built, and neither preview nor `flash start` runs the route', async () => {
    await single.write('vite.config.ts', viteConfig('{ server: true }'))
    const { code, output } = await buildProject(single)
    expect(code, output).toBe(0)
    const started = await runNode(single.root, [
      `${repository}/packages/unplugin-flash/bin/flash.mjs`,
      'start',
      '--public',
      '--port',
      '0',
    ])
    expect(started.code).not.toBe(0)
    expect(started.output).toMatch(/LOCAL_NEEDS_SERVER: `api\.GET \/me`/)
    const preview = await startVite(single, ['preview'])
    try {
      const { page: tab } = await openPage(browser, preview.url)
      await tab.getByText('ready').waitFor()
      expect(await tab.evaluate(() => flash.me().catch(({ code }: any) => code))).toBe('LOCAL_NEEDS_SERVER')
    } finally {
      await preview.stop()
    }
  })
})
