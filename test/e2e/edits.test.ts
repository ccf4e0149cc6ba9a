import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage, type WatchedPage } from '../helpers/browser.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, viteConfig } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

declare const flash: any
declare let marker: number

let project: Project
let vite: ViteProcess
let browser: Browser
let watched: WatchedPage

beforeAll(async () => {
  project = createProject(appFiles)
  vite = await startVite(project)
  browser = await launchBrowser()
  watched = await openPage(browser, vite.url)
  await watched.page.getByText('ready').waitFor()
})

afterAll(async () => {
  await browser?.close()
  await vite?.stop()
  project?.remove()
})

const inPage = <T, A>(run: (argument: A) => Promise<T> | T, argument?: A): Promise<T> =>
  watched.page.evaluate(run as never, argument as never) as Promise<T>

/** Asks until the answer is the wanted one, as somebody at the keyboard would. */
async function until<T>(ask: () => Promise<T>, wanted: T): Promise<void> {
  await expect.poll(ask, { timeout: 10_000, interval: 25 }).toEqual(wanted)
}

const greet = () => inPage(() => flash.greet('ann'))

test('an edit of a body reaches the next call, and the page hears nothing of it', async () => {
  expect(await greet()).toBe('hello ann!')
  const before = await inPage(() => marker)
  const updates: string[] = []
  const onConsole = (message: { text(): string }) => void updates.push(message.text())
  watched.page.on('console', onConsole)
  await project.edit('src/basics.ts', "greeting + ' ' + name", "greeting + ', dear ' + name")
  await until(greet, 'hello, dear ann!')
  watched.page.off('console', onConsole)
  expect(await inPage(() => marker)).toBe(before)
  expect(watched.loads()).toBe(1)
  expect(updates.filter((text) => text.includes('[vite]'))).toEqual([])
})

test('an edit two imports below reaches the next call too', async () => {
  await project.edit('src/text/mark.ts', "'!'", "'?'")
  await until(greet, 'hello, dear ann?')
  expect(watched.loads()).toBe(1)
})

test('calls in flight finish on the code they began with, in the process that goes on', async () => {
  const pid = await inPage(() => flash.pid())
  const flying = inPage(() => flash.wait(1_500))
  await until(() => inPage(() => flash.lastAbort()), 'waiting')
  await project.edit('src/basics.ts', "return 'waited'", "return 'waited anew'")
  await until(() => inPage(() => flash.wait(0)), 'waited anew')
  expect(await flying).toBe('waited')
  expect(await inPage(() => flash.pid())).toBe(pid)
})

test('the state of setup is kept until setup, or what it is made of, changes', async () => {
  const ask = () =>
    inPage(() => flash.describe('q')) as Promise<{ answer: string; born: number; model: string }>
  const first = await ask()
  await project.edit('src/stateful.ts', "'v1 '", "'v2 '")
  await until(async () => (await ask()).answer, 'v2 q')
  expect((await ask()).born).toBe(first.born)
  await project.edit('src/model.ts', 'model-1', 'model-2')
  await until(async () => (await ask()).model, 'model-2')
  const second = await ask()
  expect(second.born).not.toBe(first.born)
  await project.edit('src/stateful.ts', 'loaded: ++loaded', 'loaded: ++loaded + 100')
  await until(async () => (await ask()).born === second.born, false)
})

test('a syntax error answers 500 with the place, shows the overlay, and recovers after the fix', async () => {
  const before = await inPage(() => marker)
  await project.edit('src/basics.ts', 'export const sum = remote(', 'export const sum = = remote(')
  const ask = async () => {
    const response = await fetch(`${vite.url}/_flash/basics/greet/run_sync`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"input":{"name":"ann"}}',
    })
    return { status: response.status, body: (await response.json()) as any }
  }
  await until(async () => (await ask()).status, 500)
  const line =
    project
      .read('src/basics.ts')
      .split('\n')
      .findIndex((text) => text.includes('= =')) + 1
  expect((await ask()).body).toMatchObject({
    code: 'SYNTAX_ERROR',
    at: { file: 'src/basics.ts', line, column: expect.any(Number) },
  })
  expect(await inPage(() => flash.greet('ann').catch((error: any) => error.code))).toBe('SYNTAX_ERROR')
  await watched.page.locator('vite-error-overlay').waitFor({ state: 'attached' })
  await project.edit('src/basics.ts', '= = remote(', '= remote(')
  await until(greet, 'hello, dear ann?')
  await watched.page.locator('vite-error-overlay').waitFor({ state: 'detached' })
  expect(await inPage(() => marker)).toBe(before)
})

test('the overlay follows the save, without a call', async () => {
  await project.edit('src/basics.ts', 'export const sum = remote(', 'export const sum = = remote(')
  await watched.page.locator('vite-error-overlay').waitFor({ state: 'attached' })
  await project.edit('src/basics.ts', '= = remote(', '= remote(')
  await watched.page.locator('vite-error-overlay').waitFor({ state: 'detached' })
})

test('an edit of the config applies to the next call', async () => {
  await project.edit('src/trouble.ts', "name: 'trouble' }", "name: 'trouble', executionTimeoutMs: 4 }")
  await until(() => inPage(() => flash.fine().catch((error: any) => error.code)), 'BAD_CONFIG')
  const message = await inPage(() => flash.fine().catch((error: any) => error.message))
  expect(message).toMatch(/src\/trouble\.ts:2.*executionTimeoutMs/s)
  await project.edit('src/trouble.ts', 'executionTimeoutMs: 4 }', 'executionTimeoutMs: 6_000 }')
  await until(() => inPage(() => flash.fine()), 'fine')
})

test('a new function updates the page', async () => {
  await project.edit(
    'src/basics.ts',
    'export const pid',
    "export const added = remote(shared, async () => 'added')\nexport const pid",
  )
  await until(() => inPage(() => (window as any).flash?.added?.()), 'added')
})

test('an open tab survives a restart of the dev server', async () => {
  const loads = watched.loads()
  await project.write('vite.config.ts', `${viteConfig()}// again\n`)
  await vite.waitFor('server restarted')
  await until(
    () => inPage(() => (window as any).flash?.greet('ann').catch((error: any) => error.code)),
    'hello, dear ann?',
  )
  expect(watched.loads() - loads).toBeLessThanOrEqual(1)
})
