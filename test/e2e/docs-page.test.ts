import { Validator } from '@seriousme/openapi-schema-validator'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { createProject, type Project } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

let project: Project
let vite: ViteProcess
let browser: Browser

beforeAll(async () => {
  project = createProject({
    'package.json': '{ "name": "shop", "version": "3.2.1", "type": "module" }',
    'src/main.ts': "import { shout } from './words.ts'\nconsole.log(typeof shout)\n",
    'src/types.ts': 'export interface Box { width: number; inside?: Box[] }\n',
    'src/words.ts': `import { remote } from 'unplugin-flash'
import type { Box } from './types.ts'
/** Makes it loud. */
export const shout = remote({ name: 'words' }, async (text: string, times = 2): Promise<string> => text.toUpperCase().repeat(times))
export const pack = remote({}, async (box: Box): Promise<Box[]> => [box])
export const count = remote({}, async function* (to: number): AsyncGenerator<number> { yield to })
export class Model { constructor(readonly name: string) {} run(text: string) { return this.name + text } }
export const Remote = remote({}, Model)
`,
    'src/checked.ts': `import { remote } from 'unplugin-flash'
import { z } from 'zod'
import * as v from 'valibot'
export const checked = remote({ name: 'checked', input: z.object({ prompt: z.string().max(40) }) }, async ({ prompt }) => prompt)
export const untold = remote({ name: 'untold', input: v.object({ prompt: v.string() }) }, async ({ prompt }: { prompt: string }) => prompt)
`,
    'src/images.ts': `import { endpoint } from 'unplugin-flash'
import { z } from 'zod'
export const api = endpoint({ name: 'images' })
api.post('/resize/:width', async ({ params, body }) => ({ width: params.width, url: body.url }), {
  params: z.object({ width: z.coerce.number() }),
  body: z.object({ url: z.string() }),
})
api.get('/items/:id', async ({ params }): Promise<{ id: string }> => ({ id: params.id }))
`,
    'src/site.ts': `import { endpoint } from 'unplugin-flash'
export const site = endpoint({ name: 'site' }, { fetch: () => new Response('hello') })
`,
  })
  vite = await startVite(project)
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  await vite?.stop()
  project?.remove()
})

const readDocument = async () => (await (await fetch(`${vite.url}/_flash/openapi.json`)).json()) as any

test('the document is valid, and says where everything is and what it takes', async () => {
  const document = await readDocument()
  const { valid, errors } = await new Validator().validate(structuredClone(document))
  expect(errors).toBeUndefined()
  expect(valid).toBe(true)
  expect(document.info).toMatchObject({ title: 'shop', version: '3.2.1' })
  expect(document.servers).toEqual([{ url: `${vite.url}/_flash` }])
  expect(Object.keys(document.paths)).toEqual(
    expect.arrayContaining([
      '/words/shout/run_sync',
      '/words/Remote/run/run_sync',
      '/checked/checked/run',
      '/images/resize/{width}',
      '/images/items/{id}',
      '/site/{path}',
    ]),
  )
  const inputOf = (path: string) =>
    document.paths[path].post.requestBody.content['application/json'].schema.properties.input
  expect(inputOf('/words/pack/run').properties.box).toEqual({ $ref: '#/components/schemas/Box' })
  expect(inputOf('/checked/checked/run').properties.prompt).toEqual({ type: 'string', maxLength: 40 })
  expect(document.paths['/checked/untold/run'].post['x-flash-note']).toMatch(/valibot/)
})

test('an edit makes another document, of types in other files too', async () => {
  await project.edit('src/types.ts', 'width: number', "width: 'small' | 'big'")
  const width = async () => (await readDocument()).components.schemas.Box?.properties.width
  await expect.poll(width, { timeout: 10_000 }).toEqual({ type: 'string', enum: ['small', 'big'] })
})

test('the page opens from the address bar, loads from nowhere else, and runs a function and a route', async () => {
  const page = await browser.newPage()
  const elsewhere: string[] = []
  page.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(`${vite.url}/`))
      elsewhere.push(request.url())
  })
  const errors: string[] = []
  page.on('console', (message) => void (message.type() === 'error' && errors.push(message.text())))
  page.on('pageerror', (error) => errors.push(String(error)))
  await page.goto(`${vite.url}/_flash/docs`)
  const operation = page.locator('#operations-words-shout_run_sync')
  await operation.waitFor()
  for (const id of ['images-api_POST_resize_width', 'site-site_ANY', 'checked-checked_run'])
    expect(await page.locator(`#operations-${id}`).count()).toBe(1)
  await operation.locator('.opblock-summary').click()
  expect(await operation.innerText()).toContain('Makes it loud.')
  await operation.locator('textarea').fill('{ "input": { "text": "hey" } }')
  await operation.getByRole('button', { name: 'Execute' }).click()
  const answer = operation.locator('.live-responses-table .response')
  await answer.waitFor()
  await expect.poll(() => answer.innerText()).toMatch(/200[^]*"COMPLETED"[^]*"HEYHEY"/)
  const resize = page.locator('#operations-images-api_POST_resize_width')
  await resize.locator('.opblock-summary').click()
  await resize.locator('input').first().fill('640')
  await resize.locator('textarea').fill('{ "url": "a.png" }')
  await resize.getByRole('button', { name: 'Execute' }).click()
  const resized = resize.locator('.live-responses-table .response')
  await resized.waitFor()
  await expect.poll(() => resized.innerText()).toMatch(/200[^]*"width": 640[^]*"a\.png"/)
  expect(elsewhere).toEqual([])
  expect(errors).toEqual([])
  await page.close()
})

test('the page is for nobody else', async () => {
  const ask = (path: string, headers: Record<string, string>, method = 'GET') =>
    fetch(`${vite.url}/_flash/${path}`, { method, headers })
  expect((await ask('docs', { 'sec-fetch-site': 'none' })).status).toBe(200)
  for (const [path, site, method] of [
    ['docs', 'cross-site', 'GET'],
    ['docs', 'none', 'POST'],
    ['openapi.json', 'none', 'GET'],
    ['docs/init.js', 'cross-site', 'GET'],
  ] as const)
    expect((await ask(path, { 'sec-fetch-site': site }, method)).status, `${method} ${path}`).toBe(403)
})

test('a page of the app finds nothing that the policy of the page does not allow', async () => {
  const { page, errors } = await openPage(browser, `${vite.url}/_flash/docs`)
  await page.locator('.opblock').first().waitFor()
  const tried = await page.evaluate(async () => {
    const script = document.createElement('script')
    script.textContent = 'window.injected = true'
    document.head.append(script)
    const outside = await fetch('http://127.0.0.1:1/').then(
      () => 'fetched',
      () => 'refused',
    )
    return [(window as any).injected, outside]
  })
  expect(tried).toEqual([undefined, 'refused'])
  expect(errors.join()).toMatch(/Content Security Policy/)
  await page.close()
})
