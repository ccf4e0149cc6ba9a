import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { connect as connectHttp2 } from 'node:http2'
import { createServer, connect as connectTcp, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage, type WatchedPage } from '../helpers/browser.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, repository, viteConfig } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

declare const flash: any

const files: Record<string, string> = {
  ...appFiles,
  'src/main.ts': appFiles['src/main.ts']!.replace(
    'import { relay }',
    "import * as strange from './strange.ts'\nimport { relay }",
  ).replace('...trouble,', '...trouble, ...strange,'),
  'src/strange.ts': `import { spawn } from 'node:child_process'
import { writeSync } from 'node:fs'
import { getContext, remote } from 'unplugin-flash'
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
let running = 0
let most = 0
const meet = async (ms: number) => {
  most = Math.max(most, ++running)
  await sleep(ms)
  running--
  return most
}
export const alone = remote({ name: 'alone' }, async (ms: number) => meet(ms))
export const three = remote({ name: 'three', maxConcurrency: 3 }, async (ms: number) => meet(ms))
export const pair = remote({ name: 'pair', dev: { workers: 2 } }, async (ms: number) => { await sleep(ms); return process.pid })
export const spin = remote({ name: 'spinning' }, async (seconds: number) => { const end = Date.now() + seconds * 1000; while (Date.now() < end); return process.pid })
export const refresh = remote({ name: 'refreshing' }, async (please: boolean) => { if (please) getContext().refreshWorker(); return process.pid })
let counted = 0
const keyed = { name: 'keyed', maxConcurrency: 4 }
export const once = remote(keyed, async () => ++counted)
export const other = remote(keyed, async () => 'other')
export const rejecting = remote({ name: 'rejecting' }, async () => { Promise.reject(new Error('nobody caught me')); await sleep(5_000) })
export const loud = remote({ name: 'loud' }, async (megabytes: number) => { for (let n = 0; n < megabytes; n++) console.log('x'.repeat(1_000_000)); return 'said' })
export const lines = remote({ name: 'lines' }, async (n: number) => { for (let at = 0; at < n; at++) process.stderr.write('line ' + at + '\\n'); return 'said' })
export const huge = remote({ name: 'huge' }, async (megabytes: number) => new Uint8Array(megabytes * 1_000_000))
export const hugeText = remote({ name: 'huge-text' }, async (megabytes: number) => 'x'.repeat(megabytes * 1_000_000))
export const item = remote({ name: 'item' }, async function* (bytes: number) { yield 'first'; yield 'x'.repeat(bytes) })
export const uncarried = remote({ name: 'uncarried' }, async () => ({ deep: { cb: () => 1 } }) as any)
export const uncarriedItem = remote({ name: 'uncarried-item' }, async function* () { yield 1; yield { cb: () => 1 } as any })
export const meddle = remote({ name: 'meddling' }, async () => { writeSync(3, 'this is no message at all, and long enough to be a head of one'); await sleep(300); return 'meddled' })
export const orphan = remote({ name: 'orphaning' }, async () => { spawn('sleep', ['30'], { stdio: 'inherit', detached: true }).unref(); process.exit(4) })
export const stubborn = remote({ name: 'stubborn', executionTimeoutMs: 5_000, maxConcurrency: 2 }, async () => { const { attempt } = getContext(); if (attempt === 1) await sleep(60_000); await sleep(2_500); return 'attempt ' + attempt })
export const idle = remote({ name: 'idling', executionTimeoutMs: 5_000 }, async () => 'was free')
`,
}

let project: Project
let vite: ViteProcess
let browser: Browser

beforeAll(async () => {
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
})

async function call(path: string, input: object = {}, url = vite.url, prefix = '/_flash'): Promise<any> {
  const response = await fetch(`${url}${prefix}/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: { 'flash:call': { v: 1 }, ...input } }),
  })
  return response.json()
}

const get = async (path: string): Promise<any> => (await fetch(`${vite.url}/_flash/${path}`)).json()

async function pageOf(url = vite.url): Promise<WatchedPage> {
  const watched = await openPage(browser, url)
  await watched.page.getByText('ready').waitFor()
  return watched
}

const within = <T>(ms: number, work: Promise<T>): Promise<T | 'too late'> =>
  Promise.race([work, new Promise<'too late'>((resolve) => setTimeout(resolve, ms, 'too late'))])

describe('one server', () => {
  let watched: WatchedPage
  const inPage = <T, A>(run: (argument: A) => Promise<T> | T, argument?: A): Promise<T> =>
    watched.page.evaluate(run as never, argument as never) as Promise<T>

  beforeAll(async () => {
    project = createProject(files)
    vite = await startVite(project)
    watched = await pageOf()
  })
  afterAll(async () => {
    await vite?.stop()
    project?.remove()
  })

  describe('how many at a time', () => {
    test('one without maxConcurrency, three with three', async () => {
      const most = await inPage(async () => [
        Math.max(...(await Promise.all([1, 2, 3].map(() => flash.alone(100))))),
        Math.max(...(await Promise.all([1, 2, 3, 4, 5, 6].map(() => flash.three(150))))),
      ])
      expect(most).toEqual([1, 3])
    })

    test('dev.workers makes as many processes', async () => {
      const pids: number[] = await inPage(() => Promise.all([1, 2, 3, 4].map(() => flash.pair(200))))
      expect(new Set(pids).size).toBe(2)
    })

    test('a stuck worker gets no new jobs: the next call starts another', async () => {
      const stuck = call('strange/spin/run_sync', { seconds: 8 })
      await new Promise((resolve) => setTimeout(resolve, 2_500))
      const next = await within(4_000, call('strange/spin/run_sync', { seconds: 0 }))
      expect(next).toMatchObject({ status: 'COMPLETED' })
      expect((await stuck).output).not.toBe((next as any).output)
    })

    test('cancelling a stuck job ends its worker', async () => {
      const { id } = await call('strange/spin/run', { seconds: 60 })
      await expect
        .poll(async () => (await get(`strange/spin/status/${id}`)).status, { timeout: 8_000 })
        .toBe('IN_PROGRESS')
      await new Promise((resolve) => setTimeout(resolve, 500))
      expect(await call(`strange/spin/cancel/${id}`)).toMatchObject({ status: 'CANCELLED' })
      await expect
        .poll(async () => (await get('strange/spin/health')).workers.running, { timeout: 6_000 })
        .toBe(0)
      expect(await within(4_000, call('strange/spin/run_sync', { seconds: 0 }))).toMatchObject({
        status: 'COMPLETED',
      })
    })
  })

  test('refreshWorker() lets the next call have a new process', async () => {
    const [first, second, third, fourth] = await inPage(async () => [
      await flash.refresh(false),
      await flash.refresh(true),
      await flash.refresh(false),
      await flash.refresh(false),
    ])
    expect(second).toBe(first)
    expect(third).not.toBe(first)
    expect(fourth).toBe(third)
  })

  describe('idempotencyKey', () => {
    test('makes one job of two calls, also at the same time', async () => {
      const counts = await inPage(() => {
        const same = flash.once.with({ idempotencyKey: 'order-1' })
        return Promise.all([same(), same(), same()])
      })
      expect(new Set(counts).size).toBe(1)
    })

    test('does not give the result of one function to the caller of another', async () => {
      expect(
        await inPage(async () => {
          await flash.once.with({ idempotencyKey: 'order-2' })()
          return flash.other.with({ idempotencyKey: 'order-2' })()
        }),
      ).toBe('other')
    })
  })

  describe('two tabs', () => {
    test('share a worker, and .attach() in one reads the job of the other', async () => {
      const second = await pageOf()
      const token = await inPage(async () => (await flash.steps.run(5)).id)
      const seen = await second.page.evaluate(
        async (token) => [await flash.steps.attach(token).wait(), await flash.pid()],
        token,
      )
      expect(seen).toEqual(['done', await inPage(() => flash.pid())])
      await second.page.close()
    })
  })

  describe('what a function does', () => {
    test('a rejection nobody handles fails the call with its words, and the next one works', async () => {
      const [code, message] = await inPage(() =>
        flash.rejecting().catch((error: any) => [error.code, error.message]),
      )
      expect([code, message]).toEqual(['WORKER_CRASHED', expect.stringContaining('nobody caught me')])
    })

    test('a hundred megabytes of output neither stop it nor the server', async () => {
      expect(await inPage(() => flash.loud(100))).toBe('said')
      expect(await inPage(() => flash.lines(20_000))).toBe('said')
      expect(await inPage(() => flash.fine())).toBe('fine')
    })

    test('an item over 1 MB fails with its size, and what was before arrives', async () => {
      const seen = await inPage(async () => {
        const items: string[] = []
        try {
          for await (const one of flash.item(1_200_000)) items.push(one)
        } catch (error: any) {
          return [...items, error.code, error.message]
        }
        return items
      })
      expect(seen).toEqual(['first', 'PAYLOAD_TOO_LARGE', expect.stringMatching(/12000\d\d/)])
    })

    test('a result that cannot travel is an error with its path', async () => {
      const failed = await inPage(async () => {
        const items: unknown[] = []
        const second = (async () => {
          for await (const one of flash.uncarriedItem()) items.push(one)
        })()
        return [
          await flash.uncarried().catch((error: any) => [error.code, error.message]),
          await second.catch((error: any) => error.code),
          items,
        ]
      })
      expect(failed).toEqual([['CANNOT_CARRY', expect.stringContaining('deep.cb')], 'CANNOT_CARRY', [1]])
      expect(await call('strange/uncarried/run_sync')).toMatchObject({ code: 'CANNOT_CARRY' })
    })

    test('a result of 30 MB arrives whole', async () => {
      expect(await inPage(async () => (await flash.huge(30)).length)).toBe(30_000_000)
    })

    for (const name of ['huge', 'hugeText']) {
      test(`a result of 80 MB (${name}) arrives or is an error of that call, and the server goes on`, async () => {
        const size = await inPage(
          (name) =>
            flash[name](80).then(
              (value: any) => value.length,
              (error: any) => error.code,
            ),
          name,
        )
        expect([80_000_000, 'PAYLOAD_TOO_LARGE']).toContain(size)
        expect(vite.process.exitCode).toBe(null)
        expect(await inPage(() => flash.fine())).toBe('fine')
      })
    }

    test('bytes on the pipe of the worker fail that call, not the server', async () => {
      const outcome = await within(
        8_000,
        inPage(() => flash.meddle().catch((error: any) => error.code)),
      )
      expect(outcome).toBe('WORKER_CRASHED')
      expect(vite.process.exitCode).toBe(null)
      expect(await inPage(() => flash.fine())).toBe('fine')
    })

    test('a process that outlives the worker and holds its output does not keep the call from failing', async () => {
      const outcome = await within(
        6_000,
        inPage(() => flash.orphan().catch((error: any) => error.code)),
      )
      expect(outcome).toBe('WORKER_CRASHED')
    })
  })

  test('waiting jobs survive the crash of the worker they wait for', async () => {
    const first = call('trouble/exit/run', { code: 3 })
    const ids = await Promise.all([1, 2].map(async () => (await call('trouble/exit/run', { code: 5 })).id))
    await first
    for (const id of ids) {
      await expect
        .poll(async () => (await get(`trouble/exit/status/${id}`)).status, { timeout: 8_000 })
        .toBe('FAILED')
      expect((await get(`trouble/exit/status/${id}`)).error).toContain('code 5')
    }
  })

  test('a retried job is not ended by what is left of its first attempt', async () => {
    const { id } = await call('strange/stubborn/run')
    await expect
      .poll(async () => (await get(`strange/stubborn/status/${id}`)).status, {
        timeout: 10_000,
        interval: 20,
      })
      .toBe('TIMED_OUT')
    expect(await call(`strange/stubborn/retry/${id}`)).toMatchObject({ id })
    await expect
      .poll(async () => (await get(`strange/stubborn/status/${id}`)).status, { timeout: 6_000 })
      .toMatch(/COMPLETED|FAILED/)
    expect(await get(`strange/stubborn/status/${id}`)).toMatchObject({
      status: 'COMPLETED',
      output: 'attempt 2',
    })
  })
})

/** Passes bytes to the server until it is told to cut. */
async function createCutter(target: string) {
  const sockets = new Set<Socket>()
  const { port } = new URL(target)
  const server = createServer((client) => {
    const upstream = connectTcp(Number(port), '127.0.0.1')
    sockets.add(client).add(upstream)
    for (const socket of [client, upstream]) socket.on('error', () => {})
    client.pipe(upstream)
    upstream.pipe(client)
    client.on('close', () => upstream.destroy())
    upstream.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut() {
      for (const socket of sockets) socket.destroy()
      sockets.clear()
    },
    close() {
      for (const socket of sockets) socket.destroy()
      server.close()
    },
  }
}

describe('a connection that breaks', () => {
  let cutter: Awaited<ReturnType<typeof createCutter>>
  beforeAll(async () => {
    project = createProject({
      ...files,
      // The broken connection of Vite's own channel must not reload the page.
      'vite.config.ts': viteConfig('', '').replace("host: '127.0.0.1'", "host: '127.0.0.1', ws: false"),
    })
    vite = await startVite(project)
    cutter = await createCutter(vite.url)
  })
  afterAll(async () => {
    cutter?.close()
    await vite?.stop()
    project?.remove()
  })

  test('in the middle of a stream: each item arrives once', async () => {
    const watched = await pageOf(cutter.url)
    const items = watched.page.evaluate(async () => {
      const seen: number[] = []
      for await (const item of flash.count(20, 60)) {
        seen.push(item)
        ;(window as any).seen = seen.length
      }
      return seen
    })
    await expect
      .poll(() => watched.page.evaluate(() => (window as any).seen ?? 0), { timeout: 10_000 })
      .toBeGreaterThan(3)
    cutter.cut()
    expect(await items).toEqual(Array.from({ length: 20 }, (_, index) => index + 1))
    await watched.page.close()
  })

  test('while a call waits: its result arrives', async () => {
    const watched = await pageOf(cutter.url)
    const result = watched.page.evaluate(() => flash.wait(1_500))
    await new Promise((resolve) => setTimeout(resolve, 500))
    cutter.cut()
    expect(await result).toBe('waited')
    await watched.page.close()
  })
})

describe('a project that changes while it runs', () => {
  afterEach(async () => {
    await vite?.stop()
    project?.remove()
  })

  const hanging = `import { remote } from 'unplugin-flash'
const word = await new Promise<string>(() => {})
export const never = remote({ name: 'never', executionTimeoutMs: 5_000 }, async () => 'loaded ' + word)
`

  test('a module that never finishes loading: the call ends at its time limit, and the fix is all it takes', async () => {
    project = createProject({ 'src/main.ts': '', 'src/never.ts': hanging })
    vite = await startVite(project)
    expect(await within(9_000, call('never/run_sync'))).toMatchObject({ status: 'TIMED_OUT' })
    await project.edit('src/never.ts', 'await new Promise<string>(() => {})', "'at last'")
    expect(
      await within(
        12_000,
        expect
          .poll(async () => (await call('never/run_sync?wait=2000')).output, { timeout: 10_000 })
          .toBe('loaded at last'),
      ),
    ).not.toBe('too late')
  }, 40_000)

  test('a schema that never answers: the call ends at its time limit, and the next one runs', async () => {
    project = createProject({
      'src/main.ts': '',
      'src/slow.ts': `import { remote } from 'unplugin-flash'
const input = { '~standard': { version: 1, vendor: 'x', validate: (value: any) => (value.hang ? new Promise<never>(() => {}) : { value }) } } as const
export const slow = remote({ name: 'slow', executionTimeoutMs: 5_000, input }, async (given: any) => 'checked')
`,
    })
    vite = await startVite(project)
    expect(await within(9_000, call('slow/run_sync', { hang: true }))).toMatchObject({ status: 'TIMED_OUT' })
    expect(await within(4_000, call('slow/run_sync', { hang: false }))).toMatchObject({ output: 'checked' })
  }, 40_000)

  test('a new file, a renamed export, a deleted file', async () => {
    project = createProject(files)
    vite = await startVite(project)
    await call('trouble/fine/run_sync')
    const make = (name: string) =>
      `import { remote } from 'unplugin-flash'\nexport const ${name} = remote({ name: 'late' }, async () => '${name}')\n`
    await project.write('src/late.ts', make('late'))
    await expect.poll(async () => (await call('late/run_sync')).output, { timeout: 8_000 }).toBe('late')
    const ref = /"([a-z2-7]{16}\.[a-z2-7]{16})"/.exec(
      await (await fetch(`${vite.url}/src/late.ts`)).text(),
    )![1]!
    await project.write('src/late.ts', make('later'))
    await expect
      .poll(async () => (await call('late/later/run_sync')).output, { timeout: 8_000 })
      .toBe('later')
    expect(await call('late/late/run_sync')).toMatchObject({ code: 'NOT_FOUND' })
    const old = await fetch(`${vite.url}/_flash/rpc/${ref}`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' },
    })
    expect([old.status, ((await old.json()) as any).code]).toEqual([404, 'UNKNOWN_FUNCTION'])
    rmSync(project.path('src/late.ts'))
    await expect
      .poll(async () => (await call('late/later/run_sync')).code, { timeout: 8_000 })
      .toBe('NOT_FOUND')
    expect((await call('trouble/fine/run_sync')).output).toBe('fine')
  })

  test('a file deleted under a call: that call ends, and others go on', async () => {
    project = createProject(files)
    vite = await startVite(project)
    const flying = call('basics/wait/run_sync', { ms: 1_500 })
    await expect
      .poll(async () => (await call('basics/lastAbort/run_sync')).output, { timeout: 8_000 })
      .toBe('waiting')
    rmSync(project.path('src/basics.ts'))
    expect(await flying).toMatchObject({ status: 'COMPLETED', output: 'waited' })
    expect((await call('trouble/fine/run_sync')).output).toBe('fine')
  })

  test('a barrel that renames remote, made while it runs', async () => {
    project = createProject(files)
    vite = await startVite(project)
    // The watcher takes what it finds before it is ready for something that was always there.
    await project.edit('src/text/mark.ts', "'!'", "'?'")
    await expect
      .poll(async () => (await call('basics/greet/run_sync', { name: 'ann' })).output, { timeout: 8_000 })
      .toBe('hello ann?')
    await project.write('src/barrel.ts', "export { remote as gpu } from 'unplugin-flash'\n")
    await project.write(
      'src/renamed.ts',
      "import { gpu } from './barrel.ts'\nexport const renamed = gpu({ name: 'renamed' }, async () => 'body of renamed')\n",
    )
    await expect
      .poll(() => call('renamed/run_sync'), { timeout: 8_000 })
      .toMatchObject({ output: 'body of renamed' })
    const text = await (await fetch(`${vite.url}/src/renamed.ts`)).text()
    expect(text).not.toContain('body of renamed')
  })

  test('an edit of .env, of a shared constant, and of env in the config reach the next call', async () => {
    project = createProject({
      'src/main.ts': '',
      '.env': 'PAINT=red\nSHAPE=round\n',
      'src/shared.ts':
        "export const shared = { name: 'shared', env: ['PAINT'], executionTimeoutMs: 60_000 }\n",
      'src/one.ts': `import { getContext, remote } from 'unplugin-flash'
import { shared } from './shared.ts'
export const one = remote(shared, async () => [process.env.PAINT ?? null, process.env.SHAPE ?? null, Math.round((getContext().deadline! - Date.now()) / 10_000)])
`,
    })
    vite = await startVite(project)
    const one = async () => (await call('one/run_sync')).output
    expect(await one()).toEqual(['red', null, 6])
    await project.write('.env', 'PAINT=blue\nSHAPE=round\n')
    await expect.poll(one, { timeout: 10_000 }).toEqual(['blue', null, 6])
    await project.edit('src/shared.ts', '60_000', '120_000')
    await expect.poll(one, { timeout: 10_000 }).toEqual(['blue', null, 12])
    await project.edit('src/shared.ts', "['PAINT']", "['PAINT', 'SHAPE']")
    await expect.poll(one, { timeout: 10_000 }).toEqual(['blue', 'round', 12])
  })

  test('options of the plugin and the base that were edited count after the restart', async () => {
    project = createProject({ ...files, 'vite.config.ts': viteConfig('{ maxBodyBytes: 50_000 }') })
    vite = await startVite(project)
    const watched = await pageOf()
    const send = () =>
      watched.page.evaluate(() =>
        flash.echo('x'.repeat(20_000)).then(
          (x: string) => x.length,
          (e: any) => e.code,
        ),
      )
    expect(await send()).toBe(20_000)
    await project.write('vite.config.ts', viteConfig('{ maxBodyBytes: 1_000 }'))
    await vite.waitFor('server restarted')
    await expect.poll(() => send().catch(() => ''), { timeout: 8_000 }).toBe('PAYLOAD_TOO_LARGE')
    await project.write('vite.config.ts', viteConfig('', "base: '/moved/',"))
    await expect
      .poll(
        async () =>
          (await call('trouble/fine/run_sync', {}, vite.url, '/moved/_flash').catch(() => ({}))).output,
        { timeout: 8_000 },
      )
      .toBe('fine')
    await watched.page.close()
  })

  test('the first of two servers of one project leaves the state file of the second alone', async () => {
    project = createProject(files)
    vite = await startVite(project)
    const second = await startVite(project)
    try {
      await expect
        .poll(() => JSON.parse(readFileSync(project.path('.flash/dev.json'), 'utf8')).pid)
        .toBe(second.process.pid)
      await vite.stop()
      expect(existsSync(project.path('.flash/dev.json'))).toBe(true)
      expect(JSON.parse(readFileSync(project.path('.flash/dev.json'), 'utf8')).pid).toBe(second.process.pid)
    } finally {
      await second.stop()
    }
  })
})

describe('other ways to serve', () => {
  afterEach(async () => {
    await vite?.stop()
    project?.remove()
  })

  test("base '/sub/'", async () => {
    project = createProject({ ...files, 'vite.config.ts': viteConfig('', "base: '/sub/',") })
    vite = await startVite(project)
    const origin = new URL(vite.url).origin
    const watched = await pageOf(`${origin}/sub/`)
    expect(await watched.page.evaluate(() => flash.greet('ann'))).toBe('hello ann!')
    expect((await call('trouble/fine/run_sync', {}, origin, '/sub/_flash')).output).toBe('fine')
    expect(vite.output()).toContain('/sub/_flash/basics/greet/run_sync')
    await watched.page.close()
  })

  test('names that need encoding, in files and folders', async () => {
    const body = (name: string) =>
      `import { remote } from 'unplugin-flash'\nexport const ${name} = remote({ name: 'odd-${name}' }, async () => '${name}')\n`
    project = createProject({
      'src/main.ts': `import { slug } from './[slug]/page.ts'
import { space } from './with space.ts'
import { paren } from './(group)/größe.ts'
Object.assign(window, { flash: { slug, space, paren } })
document.querySelector('#app')!.textContent = 'ready'
`,
      'src/[slug]/page.ts': body('slug'),
      'src/with space.ts': body('space'),
      'src/(group)/größe.ts': body('paren'),
      // Vite cannot give this one to a page, and needs not.
      'src/100%.ts': body('percent'),
    })
    vite = await startVite(project)
    const outputs: any[] = []
    for (const [path, wanted] of [
      ['[slug]/page', 'slug'],
      ['with space', 'space'],
      ['(group)/größe', 'paren'],
      ['100%', 'percent'],
    ] as const) {
      const { output, message } = await call(`${path.split('/').map(encodeURIComponent).join('/')}/run_sync`)
      outputs.push([wanted, output ?? message])
    }
    expect(outputs).toEqual(['slug', 'space', 'paren', 'percent'].map((name) => [name, name]))
  })

  test('a file name that Vite cannot read is told as that', async () => {
    project = createProject({
      'src/main.ts': '',
      'src/c#.ts': "import { remote } from 'unplugin-flash'\nexport const a = remote({}, async () => 1)\n",
    })
    vite = await startVite(project)
    const { message, hint } = await call('c%23/run_sync')
    expect(message).toBe('src/c#.ts cannot be loaded while developing: Vite takes # for the end of a path')
    expect(hint).toBe('rename the file or its folder')
  })

  test('https, with HTTP/2 as browsers speak it there', async () => {
    project = createProject(files)
    execFileSync(
      'openssl',
      `req -x509 -newkey rsa:2048 -nodes -keyout ${project.path('k.pem')} -out ${project.path('c.pem')} -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1`.split(
        ' ',
      ),
      { stdio: 'ignore' },
    )
    await project.write(
      'vite.config.ts',
      `import { readFileSync } from 'node:fs'\n${viteConfig().replace("host: '127.0.0.1'", `host: '127.0.0.1', https: { key: readFileSync('k.pem'), cert: readFileSync('c.pem') }`)}`,
    )
    vite = await startVite(project)
    const session = connectHttp2(vite.url, { rejectUnauthorized: false })
    const answer = await new Promise<{ status: unknown; text: string }>((resolve, reject) => {
      session.on('error', reject)
      const stream = session.request({
        ':method': 'POST',
        ':path': '/_flash/basics/greet/run_sync',
        'content-type': 'application/json',
        origin: vite.url,
      })
      let status: unknown
      let text = ''
      stream.on('response', (headers) => (status = headers[':status']))
      stream.on('data', (data) => (text += data))
      stream.on('end', () => resolve({ status, text }))
      stream.on('error', reject)
      stream.end('{"input":{"name":"ann"}}')
    })
    session.close()
    expect([answer.status, JSON.parse(answer.text).output]).toEqual([200, 'hello ann!'])
    const context = await browser.newContext({ ignoreHTTPSErrors: true })
    const page = await context.newPage()
    await page.goto(vite.url)
    await page.getByText('ready').waitFor()
    const seen = await page.evaluate(async () => {
      const items: number[] = []
      for await (const item of flash.count(3, 30)) items.push(item)
      return [await flash.greet('ann'), items, (await flash.echo(new Uint8Array(300_000))).length]
    })
    expect(seen).toEqual(['hello ann!', [1, 2, 3], 300_000])
    await context.close()
  })

  test('bundled development, edits included', async () => {
    project = createProject({
      ...files,
      'vite.config.ts': viteConfig('', 'experimental: { bundledDev: true },'),
    })
    vite = await startVite(project)
    const watched = await pageOf()
    // Vite may load the page once more when its bundle is there.
    const greeting = () => watched.page.evaluate(() => flash.greet('ann')).catch(() => '')
    await expect.poll(greeting, { timeout: 10_000 }).toBe('hello ann!')
    await project.edit('src/basics.ts', "greeting + ' ' + name", "greeting + ', dear ' + name")
    await expect.poll(greeting, { timeout: 10_000 }).toBe('hello, dear ann!')
    await watched.page.close()
  })

  test('two projects of one name in one process: each calls its own functions', async () => {
    const half = (answer: string): Record<string, string> => ({
      'src/main.ts': '',
      'src/who.ts': `import { remote } from 'unplugin-flash'\nexport const who = remote({ name: 'who' }, async () => '${answer}')\n`,
      'src/render.ts': "import { who } from './who.ts'\nexport const render = () => who()\n",
    })
    const other = createProject(half('second'))
    project = createProject({
      ...half('first'),
      'server.mjs': `import { createServer } from 'vite'
const make = (root) => createServer({ root, configFile: root + '/vite.config.ts', server: { middlewareMode: true, watch: null, ws: false, hmr: false }, appType: 'custom', logLevel: 'error' })
const first = await make(${JSON.stringify('ROOT')}.replace('ROOT', process.cwd()))
const second = await make(process.argv[2])
const say = async (vite) => (await vite.ssrLoadModule('/src/render.ts')).render()
console.log('SAID ' + (await say(first)) + ' ' + (await say(second)))
await first.close()
console.log('THEN ' + (await say(second)))
await second.close()
`,
    })
    try {
      const { VITEST: _, NODE_ENV: __, ...env } = process.env
      const output = execFileSync(process.execPath, [project.path('server.mjs'), other.root], {
        cwd: project.root,
        env,
        timeout: 30_000,
      }).toString()
      expect(output).toContain('SAID first second')
      expect(output).toContain('THEN second')
    } finally {
      other.remove()
    }
  })
})

test('nothing of all this still runs', async () => {
  const left = () =>
    readdirSync('/proc').filter((name) => {
      try {
        return (
          /^\d+$/.test(name) &&
          readlinkSync(`/proc/${name}/cwd`).startsWith(project.root) &&
          readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(repository)
        )
      } catch {
        return false
      }
    })
  await expect.poll(left, { timeout: 8_000 }).toEqual([])
})
