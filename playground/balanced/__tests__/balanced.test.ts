import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage, type WatchedPage } from '../../../test/helpers/browser.ts'
import { buildProject, readFiles } from '../../../test/helpers/build.ts'
import { copyPlayground, findViolations } from '../../../test/helpers/playground.ts'
import type { Project } from '../../../test/helpers/project.ts'
import { startVite, type ViteProcess } from '../../../test/helpers/vite.ts'

let project: Project
let browser: Browser

beforeAll(async () => {
  project = copyPlayground('balanced')
  browser = await launchBrowser()
})

afterAll(async () => {
  await browser?.close()
  project?.remove()
})

/** The text of a place once it is like this. */
async function reach(page: Page, selector: string, wanted: RegExp): Promise<string> {
  const place = page.locator(selector)
  await expect.poll(() => place.textContent(), { timeout: 30_000 }).toMatch(wanted)
  return (await place.textContent())!
}

describe.each(['dev', 'preview'] as const)('%s', (command) => {
  let vite: ViteProcess
  let watched: WatchedPage
  let page: Page

  beforeAll(async () => {
    if (command === 'preview') expect((await buildProject(project)).output).not.toContain('error')
    vite = await startVite(project, command === 'preview' ? ['preview'] : [])
    watched = await openPage(browser, vite.url)
    page = watched.page
    page.setDefaultTimeout(30_000)
  })

  afterAll(async () => {
    await watched?.page.close()
    await vite?.stop()
  })

  test('a picture that was drawn is known to the worker', async () => {
    await page.getByRole('button', { name: 'Draw one' }).click()
    await reach(page, '#picture', /^drawn\.png: 800 × 600, png, \d+ bytes$/)
  })

  test('it is made smaller, in another format', async () => {
    await page.getByLabel('Width').fill('100')
    await page.getByLabel('Format').selectOption('jpeg')
    await page.getByRole('button', { name: 'Resize' }).click()
    await reach(page, '#result', /^100x75, image\/jpeg, \d+ bytes$/)
    const image = page.locator('#pictures img')
    expect(await image.evaluate((one: HTMLImageElement) => one.decode().then(() => one.naturalWidth))).toBe(
      100,
    )
  })

  test('what its schemas do not allow is named', async () => {
    await page.locator('form').evaluate((form: HTMLFormElement) => (form.noValidate = true))
    await page.getByLabel('Width').fill('0')
    await page.getByRole('button', { name: 'Resize' }).click()
    await reach(page, '#result', /BAD_INPUT|params\.width|width/)
    expect(await page.locator('#result').getAttribute('data-state')).toBe('failed')
  })

  test('a queue function asks the routes', async () => {
    await page.getByRole('button', { name: 'Thumbnails' }).click()
    await reach(page, '#result', /^64\.webp \d+ bytes, 128\.webp \d+ bytes, 256\.webp \d+ bytes$/)
    expect(await page.locator('#pictures img').count()).toBe(3)
  })

  test('the stream tells what happens, until nobody listens', async () => {
    await page.getByRole('button', { name: 'Listen' }).click()
    const before = await reach(page, '#live', /has made \d+ pictures/)
    await page.getByLabel('Width').fill('50')
    await page.getByRole('button', { name: 'Resize' }).click()
    const count = (text: string) => Number(/made (\d+)/.exec(text)?.[1])
    await expect
      .poll(async () => count((await page.locator('#live').textContent())!))
      .toBeGreaterThan(count(before))
    await page.getByRole('button', { name: 'Listen' }).click()
    await reach(page, '#live', /^Not connected$/)
  })

  test('a file that is no picture is refused, and the page says why', async () => {
    await page
      .getByLabel('Picture')
      .setInputFiles({ name: 'note.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') })
    await reach(page, '#picture', /no picture/)
  })

  test('programs upload to the route itself', async () => {
    const picture = await sharp({ create: { width: 9, height: 5, channels: 3, background: 'red' } })
      .png()
      .toBuffer()
    const answer = await fetch(`${vite.url}/_flash/api/images/inspect`, {
      method: 'POST',
      headers: { 'content-type': 'image/png' },
      body: new Uint8Array(picture),
    })
    expect(answer.status).toBe(200)
    expect(await answer.json()).toMatchObject({ width: 9, height: 5, format: 'png' })
  })

  test('axe finds nothing', async () => {
    expect(await findViolations(page, axe.source)).toEqual([])
  })

  test('nothing went wrong on the page', () => {
    expect(watched.errors.filter((text) => !text.includes('422') && !text.includes('400'))).toEqual([])
  })
})

test('the built page has nothing of the routes', () => {
  const texts = [...readFiles(project.path('dist')).values()].join('\n')
  for (const part of ['withoutEnlargement', 'toFormat', 'arrayBuffer()).rotate'])
    expect(texts).not.toContain(part)
})
