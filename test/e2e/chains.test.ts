import { type ChildProcess, spawn } from 'node:child_process'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { buildProject } from '../helpers/build.ts'
import { createProject, type Project, repository } from '../helpers/project.ts'
import { startVite } from '../helpers/vite.ts'

declare const flash: Record<string, any>

/** Endpoints that call each other: two with a queue, and two with routes. */
const files: Record<string, string> = {
  'src/main.ts': `import { ask, circle } from './there.ts'
Object.assign(window, { flash: { ask, circle } })
document.querySelector('#app')!.textContent = 'ready'
`,
  'src/there.ts': `import { getContext, remote } from 'unplugin-flash'
import { back, left } from './back.ts'
import { time, to } from './to.ts'
export const there = remote({ name: 'there', maxConcurrency: 20 }, async (): Promise<number> => back())
const told = (error: any) => error.code + ': ' + error.message
export const circle = remote({ name: 'circle' }, async (ofRoutes: boolean) => (ofRoutes ? to() : there()).catch(told))
export const ask = remote({ name: 'asking' }, async () => {
  const own = getContext().deadline!
  const limited = await left.with({ timeoutMs: 20_000 })()
  return { isShorter: limited < own - 1_000, byQueue: (await left()) === own, byRoute: (await time()) === own }
})
`,
  'src/back.ts': `import { getContext, remote } from 'unplugin-flash'
import { there } from './there.ts'
export const back = remote({ name: 'back', maxConcurrency: 20 }, async (): Promise<number> => there())
export const left = remote({ name: 'left', executionTimeoutMs: 900_000 }, async () => getContext().deadline!)
`,
  'src/to.ts': `import { endpoint, getContext } from 'unplugin-flash'
import { fro } from './fro.ts'
const api = endpoint({ name: 'to-fro', maxConcurrency: 20 })
export const to = api.get('/to', async (): Promise<number> => fro())
export const time = api.get('/time', () => getContext().deadline)
`,
  'src/fro.ts': `import { endpoint } from 'unplugin-flash'
import { to } from './to.ts'
const api = endpoint({ name: 'fro-to', maxConcurrency: 20 })
export const fro = api.get('/fro', async (): Promise<number> => to())
`,
}

let project: Project
let browser: Browser

beforeAll(async () => {
  project = createProject(files)
  browser = await launchBrowser()
  const { code, output } = await buildProject(project)
  expect(code, output).toBe(0)
})

afterAll(async () => {
  await browser?.close()
  project?.remove()
})

interface Served {
  url: string
  stop(): unknown
}

/** `flash start`, which runs the built bundles itself. */
async function startApp(): Promise<Served> {
  const { VITEST: _, ...inherited } = process.env
  const program = `${repository}/packages/unplugin-flash/bin/flash.mjs`
  const server: ChildProcess = spawn(
    process.execPath,
    [program, 'start', '--public', '--port', '0', '--host', '127.0.0.1'],
    { cwd: project.root, env: { ...inherited, NODE_ENV: 'production', FLASH_TARGET: 'local' } },
  )
  let output = ''
  const url = await new Promise<string>((resolve, reject) => {
    for (const stream of [server.stdout!, server.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
        const [found] = /http:\/\/127\.0\.0\.1:\d+/.exec(output) ?? []
        if (found) resolve(found)
      })
    server.on('exit', () => reject(new Error(`flash start ended:\n${output}`)))
  })
  return { url, stop: () => server.kill('SIGTERM') }
}

const hosts: [name: string, start: () => Promise<Served>][] = [
  ['vite dev', () => startVite(project)],
  ['vite preview', () => startVite(project, ['preview'])],
  ['flash start with the bundles', startApp],
]

describe.each(hosts)('%s', (_, start) => {
  let served: Served
  let page: Page

  beforeAll(async () => {
    served = await start()
    page = (await openPage(browser, served.url)).page
    await page.getByText('ready').waitFor()
  })

  afterAll(async () => {
    await page?.close()
    await served?.stop()
  })

  for (const [what, ofRoutes, names] of [
    ['functions', false, 'there|back'],
    ['routes', true, 'to-fro|fro-to'],
  ] as const) {
    test(`${what} that call each other without an end are ended`, { timeout: 60_000 }, async () => {
      const told = await page.evaluate((ofRoutes) => flash.circle(ofRoutes), ofRoutes)
      expect(told).toMatch(
        new RegExp(
          `^CALL_LOOP: endpoint "(?:${names})" calls endpoint "(?:${names})" as number 17 of a chain`,
        ),
      )
    })
  }

  test('what is called has no more time than its caller', { timeout: 60_000 }, async () => {
    expect(await page.evaluate(() => flash.ask())).toEqual({ isShorter: true, byQueue: true, byRoute: true })
  })
})
