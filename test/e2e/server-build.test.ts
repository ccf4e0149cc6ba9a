import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { buildProject, readFiles, runNode } from '../helpers/build.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, repository } from '../helpers/project.ts'

/** An app with a server of its own: it renders with a call, serves the page, and mounts the route. */
const serverFiles = {
  'src/server.ts': `import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { createFlashHandler } from 'unplugin-flash/server'
import { toNodeHandler } from 'srvx/node'
import { greet, broken, wait } from './basics.ts'
const flash = createFlashHandler({
  authorize(request, call) {
    const user = /user=(\\w+)/.exec(request.headers.get('cookie') ?? '')?.[1]
    if (call.function === 'echo') return new Response('not today', { status: 451 })
    return user ? { subject: user } : false
  },
})
async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname.startsWith('/_flash/')) return flash(request)
  if (pathname === '/rendered') return new Response(await greet('server'))
  if (pathname === '/failing') return new Response(await broken().catch((error) => error.name + ': ' + error.message))
  if (pathname === '/options') return new Response(await wait.with({ timeoutMs: 300 })(20_000).catch((error) => error.code))
  const file = pathname === '/' ? 'index.html' : pathname.slice(1)
  const type = file.endsWith('.html') ? 'text/html' : 'text/javascript'
  const bytes = await readFile('dist/client/' + file).catch(() => null)
  return bytes ? new Response(bytes, { headers: { 'content-type': type } }) : new Response('none', { status: 404 })
}
const server = createServer(toNodeHandler(answer) as never)
server.on('upgrade', flash.upgrade)
server.listen(0, '127.0.0.1', () => console.log('listening on ' + (server.address() as any).port))
`,
}

let project: Project
let browser: Browser

declare const flash: Record<string, any>

beforeAll(async () => {
  project = createProject({ ...appFiles, ...serverFiles })
  for (const args of [
    ['--outDir', 'dist/client'],
    ['--ssr', 'src/server.ts', '--outDir', 'dist/server'],
  ]) {
    const { code, output } = await buildProject(project, args)
    expect(code, output).toBe(0)
  }
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  project?.remove()
})

async function start(root: string, env: Record<string, string>) {
  const { VITEST: _, NODE_ENV: __, FLASH_KEY: ___, ...inherited } = process.env
  const child = spawn(process.execPath, ['dist/server/server.js'], {
    cwd: root,
    env: { ...inherited, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  child.stdout.on('data', (text) => (output += text))
  child.stderr.on('data', (text) => (output += text))
  await expect.poll(() => /listening on (\d+)/.exec(output)?.[1], { timeout: 20_000 }).toBeDefined()
  const url = `http://127.0.0.1:${/listening on (\d+)/.exec(output)![1]}`
  return {
    url,
    output: () => output,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
}

test('the key of the project is in the server, and nowhere in the page', () => {
  const key = project.read('.flash/key').trim()
  const all = (folder: string) => [...readFiles(project.path(folder)).values()].join('\n')
  expect(all('dist/server')).toContain(key)
  expect(all('dist/client')).not.toContain(key)
  expect(all('.flash/build')).not.toContain(key)
})

describe('with the bundles of this machine (FLASH_TARGET=local)', () => {
  test('server code calls functions, pages do as the user they are', async () => {
    await using server = await start(project.root, { FLASH_TARGET: 'local' })
    expect(await (await fetch(`${server.url}/rendered`)).text()).toBe('hello server!')
    expect(await (await fetch(`${server.url}/failing`)).text()).toMatch(/^TypeError: /)
    expect(await (await fetch(`${server.url}/options`)).text()).toBe('TIMEOUT')

    const { page } = await openPage(browser, server.url)
    await page.getByText('ready').waitFor()
    const codeOf = (name: string, ...args: unknown[]) =>
      page.evaluate(([name, args]) => flash[name](...args).catch((error: any) => error.code), [
        name,
        args,
      ] as const)
    expect(await codeOf('greet', 'nobody')).toBe('FORBIDDEN')
    await page.context().addCookies([{ name: 'user', value: 'ada', url: server.url }])
    expect(await codeOf('greet', 'Ada')).toBe('hello Ada!')
    expect(await codeOf('echo', 1)).toBe('FORBIDDEN')
    expect(await codeOf('broken')).toBe('INTERNAL')
    expect(server.output()).toMatch(/TypeError/)

    // A job is its owner's.
    const token = await page.evaluate(() => flash.wait.run(20_000).then((job: any) => job.id))
    await page.context().addCookies([{ name: 'user', value: 'eve', url: server.url }])
    const use = (what: string) =>
      page.evaluate(
        async ([token, what]) => {
          const job = flash.wait.attach(token)
          return await job[what]().catch((error: any) => error.code)
        },
        [token, what] as const,
      )
    expect(await use('status')).toBe('FORBIDDEN')
    expect(await use('cancel')).toBe('FORBIDDEN')
    await page.context().addCookies([{ name: 'user', value: 'ada', url: server.url }])
    await use('cancel')
    expect(await use('status')).toMatchObject({ status: 'CANCELLED' })
  })
})

test('a script that the build made ends when its calls are answered', async () => {
  await project.write(
    'src/script.ts',
    "import { greet, count } from './basics.ts'\nconsole.log(await greet('script'))\nfor await (const n of count(2, 300)) console.log(n)\n",
  )
  const { code, output } = await buildProject(project, ['--ssr', 'src/script.ts', '--outDir', 'dist/script'])
  expect(code, output).toBe(0)
  const ended = await runNode(project.root, ['dist/script/script.js'], { FLASH_TARGET: 'local' })
  expect(ended).toMatchObject({ code: 0, stdout: 'hello script!\n1\n2\n' })
}, 30_000)

describe('on a machine that has only what was built', () => {
  let folder: string

  beforeAll(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'flash-deployed-')))
    cpSync(project.path('dist'), join(folder, 'dist'), { recursive: true })
    symlinkSync(join(repository, 'node_modules'), join(folder, 'node_modules'))
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  test('a call without an address says on the server what is missing, and nothing to the page', async () => {
    await using server = await start(folder, {})
    const { page } = await openPage(browser, server.url)
    await page.getByText('ready').waitFor()
    await page.context().addCookies([{ name: 'user', value: 'ada', url: server.url }])
    const told = await page.evaluate(() =>
      flash.greet('x').catch((error: any) => ({ code: error.code, text: `${error.message} ${error.hint}` })),
    )
    expect(told.code).toBe('INTERNAL')
    expect(told.text).not.toMatch(/src\/basics|RUNPOD|FLASH/)
    expect(server.output()).toMatch(/NO_ACCOUNT/)
    expect(server.output()).toMatch(/FLASH_ENDPOINT_BASICS|RUNPOD_API_KEY/)
  })
})
