import { rmSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { buildProject } from '../helpers/build.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

let project: Project
let preview: ViteProcess
let browser: Browser

declare const flash: Record<string, any>

beforeAll(async () => {
  project = createProject({
    ...appFiles,
    '.env.production': 'GREETING=from-the-file\n',
    'src/env.ts':
      "import { remote } from 'unplugin-flash'\nexport const env = remote({ name: 'env-one', env: ['GREETING'] }, async () => [process.env.GREETING, process.env.NODE_ENV, process.env.HOME !== undefined, process.env.SECRET_OF_THE_SHELL])\n",
    'src/main.ts': `${appFiles['src/main.ts']}import { env } from './env.ts'\nObject.assign((window as any).flash, { env })\n`,
  })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  // A preview needs what was built, and nothing it was built from.
  rmSync(project.path('src'), { recursive: true })
  preview = await startVite(project, ['preview', '--host', '127.0.0.1'], { SECRET_OF_THE_SHELL: 'hidden' })
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await preview?.stop()
  project?.remove()
})

const open = async () => {
  const watched = await openPage(browser, preview.url)
  await watched.page.getByText('ready').waitFor()
  return watched
}

describe('a page of the built app', () => {
  test('calls functions, generators and classes in their bundles', async () => {
    const { page, errors } = await open()
    expect(await page.evaluate(() => flash.greet('Ada'))).toBe('hello Ada!')
    expect(await page.evaluate(() => flash.sum(1, 2, 3))).toBe(6)
    const items = await page.evaluate(async () => {
      const all: number[] = []
      for await (const item of flash.count(4)) all.push(item)
      return all
    })
    expect(items).toEqual([1, 2, 3, 4])
    expect(await page.evaluate(() => new flash.Counter(5).add(2))).toBe(7)
    expect(await page.evaluate(() => flash.describe('why').then((it: any) => it.answer))).toBe('v1 why')
    const bytes = await page.evaluate(async () => {
      const given = { data: new Uint8Array([1, 2, 3]), when: new Date(0), tags: new Set(['a']) }
      const got = await flash.echo(given)
      return (
        got.data instanceof Uint8Array && got.when.getTime() === 0 && got.tags.has('a') && got.data.length
      )
    })
    expect(bytes).toBe(3)
    expect(errors).toEqual([])
  })

  test('reaches one endpoint through another', async () => {
    const { page } = await open()
    expect(await page.evaluate(() => flash.relay('Ada'))).toBe('relayed: hello Ada!')
  })

  test('cancels, follows jobs and finds them again', async () => {
    const { page } = await open()
    const reason = await page.evaluate(async () => {
      const controller = new AbortController()
      const call = flash.wait.with({ signal: controller.signal })(30_000)
      while ((await flash.lastAbort()) !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 50))
      controller.abort(new Error('enough'))
      return call.catch((error: Error) => error.message)
    })
    expect(reason).toBe('enough')
    // Up to 8 s when the abort comes before the page knows its job: see `readers.ts`.
    await expect.poll(() => page.evaluate(() => flash.lastAbort()), { timeout: 20_000 }).toBe('aborted')
    const result = await page.evaluate(async () => {
      const job = await flash.steps.run(3)
      return flash.steps.attach(job.id).wait()
    })
    expect(result).toBe('done')
  })

  test('is told what a function says to it, and nothing else', async () => {
    const { page } = await open()
    const told = await page.evaluate(() =>
      flash.refuse(3).catch((error: any) => ({ code: error.code, message: error.message, data: error.data })),
    )
    expect(told).toMatchObject({ code: 'FULL', message: 'no seats left', data: { seats: 3 } })
    const hidden = await page.evaluate(() =>
      flash
        .broken()
        .catch((error: any) => ({ code: error.code, message: error.message, stack: error.stack })),
    )
    expect(hidden.code).toBe('INTERNAL')
    expect(JSON.stringify(hidden)).not.toMatch(/undefined|basics|field/)
    // The terminal has the whole of it, at the author's own line.
    await preview.waitFor(/TypeError[\s\S]*src\/basics\.ts:\d+/)
  })

  test('gets variables that the config names, and no others', async () => {
    const { page } = await open()
    expect(await page.evaluate(() => flash.env())).toEqual(['from-the-file', 'production', true, undefined])
  })

  test('a crash stays with its call', async () => {
    const { page } = await open()
    const told = await page.evaluate(() => flash.exit(3).catch((error: any) => error.code))
    expect(told).toBe('INTERNAL')
    expect(await page.evaluate(() => flash.fine())).toBe('fine')
  })
})

describe('programs', () => {
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    fetch(`${preview.url}/_flash/${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  test('use the routes of development', async () => {
    const response = await post('basics/greet/run_sync', { input: { name: 'Grace' } })
    expect(await response.json()).toMatchObject({ status: 'COMPLETED', output: 'hello Grace!' })
    const failed = await (await post('basics/broken/run_sync', { input: {} })).json()
    expect(failed.status).toBe('FAILED')
  })

  for (const [what, headers] of [
    ['a proxy', { 'x-forwarded-for': '10.0.0.1' }],
    ['another proxy', { forwarded: 'for=10.0.0.1' }],
    ['a third proxy', { via: '1.1 somewhere' }],
    ['a foreign page', { origin: 'https://evil.test' }],
    ['a foreign frame', { 'sec-fetch-site': 'cross-site' }],
  ] as const) {
    test(`are refused behind ${what}`, async () => {
      const response = await post('basics/greet/run_sync', { input: { name: 'x' } }, headers)
      expect(response.status).toBe(403)
    })
  }

  test('are refused under another name of this machine', async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const request = httpRequest(
        `${preview.url}/_flash/basics/greet/run_sync`,
        { method: 'POST', headers: { host: 'rebound.test', 'content-type': 'application/json' } },
        (response) => resolve(response.statusCode!),
      )
      request.on('error', reject).end('{"input":{"name":"x"}}')
    })
    expect(status).toBe(403)
  })
})

test('the route of pages refuses what production refuses', async () => {
  const { page } = await open()
  const [path] = (await page.evaluate(async () => {
    const seen: string[] = []
    const before = window.fetch
    window.fetch = (...args) => (seen.push(String(args[0])), before(...args))
    await flash.greet('x')
    window.fetch = before
    return seen
  })) as [string]
  const url = new URL(path, preview.url).href
  const call = (headers: Record<string, string>, address = url) =>
    fetch(address, { method: 'POST', headers, body: new Uint8Array() })
  const type = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }
  const origin = { origin: new URL(preview.url).origin }
  const codeOf = async (response: Response) => [response.status, (await response.json()).code]
  expect(await codeOf(await call(type))).toEqual([403, 'FORBIDDEN'])
  expect(await codeOf(await call({ ...type, origin: 'null' }))).toEqual([403, 'FORBIDDEN'])
  expect(await codeOf(await call({ ...type, ...origin, via: 'x' }))).toEqual([403, 'AUTHORIZE_MISSING'])
  const other = url.replace(/\.[a-z2-7]{16}$/, `.${'a'.repeat(16)}`)
  expect(await codeOf(await call({ ...type, ...origin }, other))).toEqual([409, 'SKEW'])
  const untagged = url.replace(/\.[a-z2-7]{16}$/, '')
  expect((await call({ ...type, ...origin }, untagged)).ok).toBe(false)
})

test('a preview that ends leaves no process behind', async () => {
  const other = await startVite(project, ['preview', '--host', '127.0.0.1'])
  const response = await fetch(`${other.url}/_flash/basics/pid/run_sync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":{}}',
  })
  const { output: pid } = await response.json()
  process.kill(pid, 0)
  other.process.kill('SIGKILL')
  await expect.poll(() => isAlive(pid), { timeout: 10_000 }).toBe(false)
})

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a build that is made meanwhile is served', async () => {
  const other = createProject({ ...appFiles })
  try {
    await buildProject(other)
    await using served = await previewOf(other)
    expect(await served.call('basics/greet', { name: 'Ada' })).toBe('hello Ada!')
    await other.edit('src/text/mark.ts', "'!'", "'?'")
    await other.write(
      'src/later.ts',
      "import { remote } from 'unplugin-flash'\nexport const later = remote({}, async () => 'here now')\n",
    )
    expect((await buildProject(other)).code).toBe(0)
    expect(await served.call('basics/greet', { name: 'Ada' })).toBe('hello Ada?')
    expect(await served.call('later', {})).toBe('here now')
  } finally {
    other.remove()
  }
})

async function previewOf(of: Project) {
  const vite = await startVite(of, ['preview', '--host', '127.0.0.1'])
  return {
    async call(path: string, input: unknown) {
      const response = await fetch(`${vite.url}/_flash/${path}/run_sync`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ input }),
      })
      return (await response.json()).output
    },
    [Symbol.asyncDispose]: async () => void (await vite.stop()),
  }
}

test('without a build it says what to do', async () => {
  const empty = createProject({ ...appFiles })
  try {
    await buildProject(empty)
    rmSync(empty.path('.flash/build'), { recursive: true })
    await expect(startVite(empty, ['preview', '--host', '127.0.0.1'])).rejects.toThrow(
      /BUILD_MISSING[\s\S]*vite build/,
    )
  } finally {
    empty.remove()
  }
})

test('without the app it says so, as Vite does', async () => {
  const empty = createProject({ ...appFiles })
  try {
    await expect(startVite(empty, ['preview', '--host', '127.0.0.1'])).rejects.toThrow(
      /"dist" does not exist/,
    )
  } finally {
    empty.remove()
  }
})
