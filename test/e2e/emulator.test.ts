import { type ChildProcess, spawn } from 'node:child_process'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { buildProject } from '../helpers/build.ts'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, repository } from '../helpers/project.ts'

declare const flash: Record<string, any>

/** Functions that call those of other endpoints. */
const between = {
  'src/main.ts': appFiles['src/main.ts']!.replace(
    'import { relay }',
    "import * as between from './between.ts'\nimport { relay }",
  ).replace('relay }, RemoteError', 'relay, ...between }, RemoteError'),
  'src/between.ts': `import { remote } from 'unplugin-flash'
import { count, refuse, sum, wait } from './basics.ts'
import { Counter } from './counter.ts'
const outer = { name: 'outer', maxConcurrency: 4 }
export const refuseThere = remote(outer, async (seats: number) => refuse(seats))
export const waitThere = remote(outer, async (ms: number) => wait(ms))
export const countThere = remote(outer, async function* (to: number) {
  for await (const item of count(to)) yield item * 10
})
export const codeOfSum = remote(outer, async () => sum(1).catch(({ code }: any) => code))
export const addThere = remote(outer, async (start: number, n: number) => new Counter(start).add(n))
const many = 20
export const back: () => Promise<string> = remote({ name: 'back', maxConcurrency: many }, async () => there())
export const there: () => Promise<string> = remote({ name: 'there', maxConcurrency: many }, async () => back())
export const circle = remote(outer, async () => there().catch(({ code, message }) => code + ': ' + message))
`,
}

let project: Project
let browser: Browser
let runpod: WatchedEmulator
let server: ChildProcess
let page: Page

beforeAll(async () => {
  project = createProject({ ...appFiles, ...between })
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
  runpod = await startEmulator()
  runpod.emulator.addBundles(project.path('.flash/build'))
  const url = await start(runpod.emulator.env)
  browser = await launchBrowser()
  page = (await openPage(browser, url)).page
  await page.getByText('ready').waitFor()
})

afterAll(async () => {
  await browser?.close()
  server?.kill('SIGKILL')
  await runpod?.close()
  project?.remove()
})

/** `flash start` on what was built: it knows the platform's addresses and nothing of the bundles. */
async function start(env: Record<string, string>): Promise<string> {
  const { VITEST: _, NODE_ENV: __, ...inherited } = process.env
  const program = `${repository}/packages/unplugin-flash/bin/flash.mjs`
  server = spawn(process.execPath, [program, 'start', '--public', '--port', '0', '--host', '127.0.0.1'], {
    cwd: project.root,
    env: { ...inherited, NODE_ENV: 'production', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((resolve, reject) => {
    let output = ''
    const read = (text: string) => {
      output += text
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
      if (url) resolve(url)
    }
    for (const stream of [server.stdout!, server.stderr!]) stream.setEncoding('utf8').on('data', read)
    server.on('exit', () => reject(new Error(`flash start ended:\n${output}`)))
  })
}

const call = (name: string, ...args: unknown[]) =>
  page.evaluate(([name, args]) => flash[name](...args), [name, args] as const)

describe('a page of a built app, its server, the queue of a local Runpod and the built workers', () => {
  test('carry values of every kind there and back', async () => {
    expect(await call('greet', 'Ada')).toBe('hello Ada!')
    expect(await call('greet', 'Ada', 'good day')).toBe('good day Ada!')
    expect(await call('sum', 1, 2, 3)).toBe(6)
    const rich = await page.evaluate(async () => {
      const given = new Map<string, unknown>([
        ['since', new Date(0)],
        ['bytes', new Uint8Array([1, 2, 255])],
        ['error', { error: null, refresh_worker: true }],
      ])
      const back = await flash.echo(given)
      return [back.get('since').getTime(), [...back.get('bytes')], back.get('error')]
    })
    expect(rich).toEqual([0, [1, 2, 255], { error: null, refresh_worker: true }])
    expect(await call('echo', {})).toEqual({})
    expect(await call('echo', null)).toBe(null)
  })

  test('stream items, keep state and instances, and tell errors that are meant for pages', async () => {
    const items = await page.evaluate(async () => {
      const all = []
      for await (const item of flash.count(3, 50)) all.push(item)
      return all
    })
    expect(items).toEqual([1, 2, 3])
    const [first, second] = [await call('describe', 'a'), await call('describe', 'b')]
    expect(second).toMatchObject({ answer: 'v1 b', born: (first as { born: number }).born, model: 'model-1' })
    const counted = await page.evaluate(async () => {
      const counter = new flash.Counter(40)
      await counter.add(1)
      return counter.add(1)
    })
    expect(counted).toBe(42)
    const refused = await page.evaluate(() =>
      flash
        .refuse(7)
        .catch(({ code, message, data }: any) => [code, message, data.seats, data.since.getTime()]),
    )
    expect(refused).toEqual(['FULL', 'no seats left', 7, 0])
    expect(await page.evaluate(() => flash.broken().catch(({ code }: any) => code))).toBe('INTERNAL')
  })

  test('cancel: an abort in the page reaches the function in its worker', async () => {
    await page.evaluate(async () => {
      const abort = new AbortController()
      const waiting = flash.wait
        .with({ signal: abort.signal })(20_000)
        .catch(() => {})
      while ((await flash.lastAbort()) !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 50))
      abort.abort()
      await waiting
    })
    await expect.poll(() => call('lastAbort'), { timeout: 15_000 }).toBe('aborted')
  })

  test('let endpoints call each other: values, items, instances and errors pass through both', async () => {
    expect(await call('relay', 'Ada')).toBe('relayed: hello Ada!')
    expect(await call('addThere', 100, 2)).toBe(102)
    const items = await page.evaluate(async () => {
      const all = []
      for await (const item of flash.countThere(3)) all.push(item)
      return all
    })
    expect(items).toEqual([10, 20, 30])
    const refused = await page.evaluate(() =>
      flash
        .refuseThere(7)
        .catch(({ name, code, message, data }: any) => [
          name,
          code,
          message,
          data.seats,
          data.since.getTime(),
        ]),
    )
    expect(refused).toEqual(['RemoteError', 'FULL', 'no seats left', 7, 0])
  })

  test('hand an abort on: what cancels the outer call reaches the inner function', async () => {
    await page.evaluate(async () => {
      const abort = new AbortController()
      const waiting = flash.waitThere
        .with({ signal: abort.signal })(20_000)
        .catch(() => {})
      while ((await flash.lastAbort()) !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 50))
      abort.abort()
      await waiting
    })
    await expect.poll(() => call('lastAbort'), { timeout: 15_000 }).toBe('aborted')
  })

  test('bear with an endpoint that has too much to do, and send nothing twice that may run', async () => {
    const { faults, endpoints } = runpod.emulator
    const { spec } = endpoints.list().find(({ spec: { name } }) => name === 'basics')!
    const trouble = { endpoint: spec.id, plane: 'data', times: 1 } as const
    faults.add({ ...trouble, kind: 'rateLimit', retryAfterSeconds: 1 })
    expect(await call('relay', 'Bob')).toBe('relayed: hello Bob!')
    faults.add({ ...trouble, kind: 'lostResponse' })
    const code = page.evaluate(() => flash.codeOfSum().catch(({ code }: any) => code))
    expect(await code).toBe('SUBMIT_UNKNOWN')
    expect(faults.list()).toEqual([])
  })

  test('end a circle of calls', async () => {
    expect(await call('circle')).toMatch(
      /^CALL_LOOP: endpoint "(?:there|back)" calls endpoint "(?:there|back)" as number 17 of a chain/,
    )
  })

  test('survive a worker that dies: the job fails with its exit code, and the next one runs', async () => {
    const pid = await call('pid')
    expect(await page.evaluate(() => flash.exit(3).catch(({ code }: any) => code))).toBe('INTERNAL')
    expect(await call('pid')).toBe(pid)
    const { endpoints } = runpod.emulator
    const exiting = endpoints.list().find(({ spec }) => spec.name === 'exiting')!
    expect(exiting.queue.health().jobs).toMatchObject({ failed: 1, inQueue: 0, inProgress: 0 })
  })
})
