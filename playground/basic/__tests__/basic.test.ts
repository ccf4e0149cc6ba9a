import axe from 'axe-core'
import { readdirSync } from 'node:fs'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage, type WatchedPage } from '../../../test/helpers/browser.ts'
import { buildProject, readFiles } from '../../../test/helpers/build.ts'
import { copyPlayground, findViolations } from '../../../test/helpers/playground.ts'
import type { Project } from '../../../test/helpers/project.ts'
import { startVite, type ViteProcess } from '../../../test/helpers/vite.ts'

let project: Project
let vite: ViteProcess
let browser: Browser
let watched: WatchedPage
let page: Page

beforeAll(async () => {
  project = copyPlayground('basic')
  vite = await startVite(project)
  browser = await launchBrowser()
  watched = await openPage(browser, vite.url)
  page = watched.page
  page.setDefaultTimeout(30_000)
})

afterAll(async () => {
  await browser?.close()
  await vite?.stop()
  project?.remove()
})

const section = (id: string) => page.getByTestId(id)
const resultOf = (id: string) => section(id).getByRole('status', { name: /^Result of / })
const runButton = (id: string) => section(id).getByRole('button', { name: /^Run / })
const stopButton = (id: string) => section(id).getByRole('button', { name: /^Stop / })

async function reach(id: string, state: string): Promise<string> {
  await page.locator(`[data-testid="${id}"][data-state="${state}"]`).waitFor()
  return (await resultOf(id).textContent()) ?? ''
}

/** Presses the button and waits for the end, whichever it is. */
async function run(id: string): Promise<{ state: string | null; result: string }> {
  const ended = section(id).and(page.locator('[data-state="done"], [data-state="failed"]'))
  await runButton(id).click()
  await ended.waitFor()
  return {
    state: await section(id).getAttribute('data-state'),
    result: (await resultOf(id).textContent()) ?? '',
  }
}

async function usable(button: Locator): Promise<boolean> {
  return (await button.getAttribute('aria-disabled')) !== 'true'
}

const time = String.raw`Date \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z`
const story = 'Once a page asked for a story and the words came one by one. '
const trays = [1, 2, 3, 4, 5].map((tray) => `log tray ${tray} is out\n`).join('')

/** What each section says when it is run as it stands; all but one of them ends well. */
const forms: [id: string, title: string, result: RegExp | string][] = [
  ['async-function', 'Async function', /^"Hello Ada, from process \d+"$/],
  ['sync-function', 'Sync function', '42'],
  ['async-generator', 'Async generator', story],
  ['sync-generator', 'Sync generator', '5 4 3 2 1 '],
  ['class', 'Class', /^"Ada has \d+"$/],
  ['setup', 'Setup state', new RegExp(`^{\\n  capital: "Tokyo"\\n  loadedAt: ${time}\\n}$`)],
  ['schema', 'Input and output schema', '{\n  text: "12 × rolls"\n  total: 30\n}'],
  ['job', 'Job with progress', new RegExp(`^(status IN_QUEUE\\n)?status IN_PROGRESS\\n${trays}"60 rolls"$`)],
  [
    'error',
    'Error with data',
    'RemoteError OVERDRAWN: the account has 100, not 250\ndata {\n  balance: 100\n  missing: 150\n}',
  ],
  ['map', 'Map', '[1, 4, 9, 16, 25, 36, 49, 64]'],
  [
    'values',
    'Rich values',
    '{\n  arrives: Date 2026-03-01T12:00:00.000Z\n  prices: Map(1) { "stamp" → 95000000000000n }\n  bytes: Uint8Array(4) [255, 3, 2, 1]\n  nothing: undefined\n}',
  ],
  [
    'chain',
    'One function calls another',
    /^{\n  here: \d+\n  guests: 3\n  greetings: \["Hello Ada, from process \d+", "Hello Grace, from process \d+"\]\n}$/,
  ],
  ['shared', 'Shared endpoint', /^{\n  first: (\d+)\n  second: \1\n  alone: (?!\1\n)\d+\n}$/],
]

function expectResult(result: string, wanted: RegExp | string): void {
  if (typeof wanted === 'string') expect(result).toBe(wanted)
  else expect(result).toMatch(wanted)
}

describe('before anything runs', () => {
  test('each form has a section with its source and a link to it', async () => {
    const ids = forms.map(([id]) => id)
    ids.splice(ids.indexOf('error'), 0, 'abort')
    const sections = await page.locator('main > section').all()
    expect(await Promise.all(sections.map((each) => each.getAttribute('data-testid')))).toEqual(ids)
    for (const each of sections) {
      expect(await each.getAttribute('data-state')).toBe('idle')
      expect(await each.getByRole('status', { name: /^Result of / }).textContent()).toBe('Not run yet')
      expect(await each.getByRole('region', { name: /^Source of / }).count()).toBeGreaterThan(0)
    }
    expect(
      await page
        .getByRole('navigation', { name: 'Forms' })
        .getByRole('link')
        .evaluateAll((links) => links.map((link) => link.getAttribute('href'))),
    ).toEqual(ids.map((id) => `#${id}`))
  })

  test('a source is shown as it is on disk', async () => {
    const shown = page.getByRole('region', { name: 'Source of src/remote/class.ts' })
    expect(await shown.textContent()).toBe(project.read('src/remote/class.ts').trimEnd())
  })

  test('axe finds nothing', async () => {
    expect(await findViolations(page, axe.source)).toEqual([])
  })
})

describe('each form gives its result', () => {
  for (const [id, title, wanted] of forms)
    test(title, async () => {
      await page.getByRole('button', { name: `Run ${title}`, exact: true }).click()
      const result = await reach(id, id === 'error' ? 'failed' : 'done')
      expect(await page.getByRole('status', { name: `Result of ${title}`, exact: true }).textContent()).toBe(
        result,
      )
      expectResult(result, wanted)
      expect(
        await section(id)
          .getByText(/^\d+ ms$/)
          .count(),
      ).toBe(1)
      expect(await usable(runButton(id))).toBe(true)
    })
})

describe('what the page says to try', () => {
  for (const [what, id, field, value, state, wanted] of [
    [
      'another name',
      'async-function',
      'Name',
      'Grace Ö. 👋',
      'done',
      /^"Hello Grace Ö\. 👋, from process \d+"$/,
    ],
    ['an amount that is there', 'error', 'Amount', '60', 'done', '40'],
    [
      'a country that is not on the list',
      'setup',
      'Country',
      'Atlantis',
      'done',
      /capital: "not on the list"/,
    ],
    ['a quantity of 0', 'schema', 'Quantity', '0', 'failed', /^\w*Error BAD_INPUT: .*quantity/],
  ] as const)
    test(what, async () => {
      await section(id).getByLabel(field).fill(value)
      const outcome = await run(id)
      expect(outcome.state).toBe(state)
      expectResult(outcome.result, wanted)
    })

  test('the class again: the instance is still there', async () => {
    const first = await run('class')
    const second = await run('class')
    const balance = ({ result }: { result: string }) => Number(/has (\d+)/.exec(result)?.[1])
    expect(balance(second)).toBe(balance(first) + 25)
  })

  test('the setup again: the state is still the same', async () => {
    const loadedAt = ({ result }: { result: string }) => /loadedAt: (.*)/.exec(result)?.[1]
    const first = await run('setup')
    expect(loadedAt(first)).toMatch(new RegExp(time))
    expect(loadedAt(await run('setup'))).toBe(loadedAt(first))
  })
})

describe('while a form runs', () => {
  test('words appear one by one, and Stop ends the loop', async () => {
    const id = 'async-generator'
    expect(await usable(stopButton(id))).toBe(false)
    await runButton(id).click()
    await expect.poll(() => resultOf(id).textContent(), { interval: 20 }).toMatch(/^Once /)
    const early = await resultOf(id).textContent()
    expect(early).not.toBe(story)
    expect(story.startsWith(early!)).toBe(true)
    await stopButton(id).click()
    const result = await reach(id, 'done')
    expect(story.startsWith(result)).toBe(true)
    expect(result).not.toBe(story)
  })

  test('a job tells its progress, and Stop cancels it', async () => {
    const id = 'job'
    const bar = page.getByRole('progressbar', { name: 'Progress of Job with progress' })
    expect(await bar.count()).toBe(0)
    await runButton(id).click()
    await bar.waitFor()
    expect(Number(await bar.getAttribute('max'))).toBe(5)
    expect(Number(await bar.getAttribute('value'))).toBeGreaterThan(0)
    await stopButton(id).click()
    const result = await reach(id, 'failed')
    expect(result).toMatch(/AbortError: stopped on this page$/)
    expect(result).not.toContain('rolls')
    expect(await bar.count()).toBe(0)
  })

  test('an abort ends the wait, on the worker too', async () => {
    const id = 'abort'
    const started = performance.now()
    await runButton(id).click()
    await reach(id, 'running')
    expect(await usable(runButton(id))).toBe(false)
    await expect.poll(() => inProgress(), { interval: 50 }).toBe(1)
    await stopButton(id).click()
    expect(await reach(id, 'failed')).toBe('AbortError: stopped on this page')
    await expect.poll(() => inProgress(), { interval: 50 }).toBe(0)
    // The wait is 30 s.
    expect(performance.now() - started).toBeLessThan(25_000)
  })

  test('the keyboard stays where it is, and a second press of Run does nothing', async () => {
    const id = 'abort'
    await runButton(id).focus()
    await page.keyboard.press('Enter')
    await reach(id, 'running')
    await page.keyboard.press('Enter')
    expect(await runButton(id).evaluate((button) => button === document.activeElement)).toBe(true)
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    expect(await reach(id, 'failed')).toBe('AbortError: stopped on this page')
  })
})

/** Jobs of the shared endpoint that a worker has now. */
async function inProgress(): Promise<number> {
  const response = await fetch(`${vite.url}/_flash/remote/abort/health`)
  return ((await response.json()) as { jobs: { inProgress: number } }).jobs.inProgress
}

test('Run all runs every form but the wait', async () => {
  await page.reload()
  const button = page.getByRole('button', { name: 'Run all' })
  await button.click()
  expect(await usable(button)).toBe(false)
  await expect.poll(() => usable(button), { timeout: 45_000 }).toBe(true)
  for (const [id, , wanted] of forms) {
    expect(await section(id).getAttribute('data-state')).toBe(id === 'error' ? 'failed' : 'done')
    expectResult((await resultOf(id).textContent()) ?? '', wanted)
  }
  expect(await section('abort').getAttribute('data-state')).toBe('idle')
})

test('axe finds nothing in results and errors', async () => {
  expect(await findViolations(page, axe.source)).toEqual([])
})

for (const width of [320, 390, 1280])
  test(`nothing sticks out at ${width} pixels`, async () => {
    await page.setViewportSize({ width, height: 800 })
    expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(
      0,
    )
  })

test('a changed file is what is shown, and what runs next', async () => {
  await project.edit('src/remote/sync-function.ts', 'a + b', 'a * b')
  const shown = page.getByRole('region', { name: 'Source of src/remote/sync-function.ts' })
  await expect.poll(() => shown.textContent(), { timeout: 10_000 }).toContain('a * b')
  expect(await run('sync-function')).toEqual({ state: 'done', result: '80' })
})

test('nothing went wrong in the console', () => {
  expect(watched.errors).toEqual([])
})

test('a build has nothing of what was removed', async () => {
  const removed = [
    /from process/,
    /Once a page asked/,
    /Nairobi/,
    /loadCapitals/,
    /not on the list/,
    /the account has/,
    /Waited/,
    /toReversed/,
    /is out/,
    /#balance/,
    /basic-small/,
    /cpu3g-2-8/,
    /\bzod'/,
    /node:timers/,
  ]
  const built = copyPlayground('basic')
  try {
    const worker = readdirSync(built.path('src/remote'))
      .map((name) => built.read(`src/remote/${name}`))
      .join()
    for (const words of removed) expect(worker).toMatch(words)
    // The page shows these files, on purpose. Without that nothing of them is left.
    await built.write('src/sources.ts', "export const findSource = () => ''\n")
    const { code, output } = await buildProject(built)
    expect(code, output).toBe(0)
    const files = readFiles(built.path('dist'))
    expect([...files.keys()].some((name) => name.endsWith('.map'))).toBe(true)
    for (const [name, text] of files)
      for (const words of [...removed, /ZodError|node_modules\/zod|__vite-browser-external/])
        expect(words.exec(text)?.[0], name).toBeUndefined()
  } finally {
    built.remove()
  }
})

test('the built app gives the same results from its bundles', async () => {
  const built = copyPlayground('basic')
  try {
    const { code, output } = await buildProject(built)
    expect(code, output).toBe(0)
    const preview = await startVite(built, ['preview', '--host', '127.0.0.1'])
    const served = await openPage(browser, preview.url)
    try {
      for (const [id, title, wanted] of forms) {
        await served.page.getByRole('button', { name: `Run ${title}`, exact: true }).click()
        const state = id === 'error' ? 'failed' : 'done'
        await served.page.locator(`[data-testid="${id}"][data-state="${state}"]`).waitFor()
        const result = served.page.getByRole('status', { name: `Result of ${title}`, exact: true })
        // What a function prints is for the terminal of its server there.
        const expected = id === 'job' ? /status IN_PROGRESS\n"60 rolls"$/ : wanted
        expectResult((await result.textContent()) ?? '', expected)
      }
      expect(served.errors).toEqual([])
    } finally {
      await served.page.close()
      await preview.stop()
    }
  } finally {
    built.remove()
  }
})
