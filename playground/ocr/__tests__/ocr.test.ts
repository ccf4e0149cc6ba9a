import axe from 'axe-core'
import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import type { Browser, Page } from 'playwright-core'
import sharp from 'sharp'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage, type WatchedPage } from '../../../test/helpers/browser.ts'
import { buildProject, readFiles } from '../../../test/helpers/build.ts'
import { copyPlayground, findViolations } from '../../../test/helpers/playground.ts'
import type { Project } from '../../../test/helpers/project.ts'
import { startVite, type ViteProcess } from '../../../test/helpers/vite.ts'
import printed from '../sample/lines.json' with { type: 'json' }

// A reading takes seconds on a free machine and much longer beside other work.
const readingMs = 150_000
const testMs = { timeout: 2 * readingMs }

const receipt = [
  ...printed.head,
  ...[...printed.facts, ...printed.items, ...printed.sums, printed.total, ...printed.paid].map((pair) =>
    pair.join(' '),
  ),
  ...printed.foot,
]

let project: Project
let vite: ViteProcess
let browser: Browser
let watched: WatchedPage
let page: Page

beforeAll(async () => {
  project = copyPlayground('ocr')
  vite = await startVite(project)
  browser = await launchBrowser()
  watched = await open(vite.url)
  page = watched.page
})

afterAll(async () => {
  await browser?.close()
  await vite?.stop()
  project?.remove()
})

async function open(url: string): Promise<WatchedPage> {
  const opened = await openPage(browser, url)
  opened.page.setDefaultTimeout(readingMs)
  await opened.page.context().grantPermissions(['clipboard-read', 'clipboard-write'])
  await opened.page.getByRole('heading', { name: 'Receipt reader' }).waitFor()
  return opened
}

type Phase = 'empty' | 'reading' | 'done' | 'stopped' | 'failed'

const inPhase = (phase: Phase, at = page) => at.locator(`main[data-phase="${phase}"]`).waitFor()
const lines = (at = page) => at.getByRole('list', { name: 'Lines, top to bottom' }).getByRole('button')
const boxes = (at = page) => at.getByTestId('boxes').locator('polygon')
const button = (name: string, at = page) => at.getByRole('button', { name, exact: true })
const status = (at = page) => at.locator('main > [role="status"]')

interface Picture {
  name: string
  mimeType: string
  buffer: Buffer
}

async function choose(picture: Picture, at = page): Promise<void> {
  await at.locator('input[type="file"]').setInputFiles(picture)
}

async function alertTitle(at = page): Promise<string | null> {
  return at.getByRole('alert').locator('strong').textContent()
}

/** The text that the page gives to take along. */
async function copied(at = page): Promise<string[]> {
  await button('Copy text', at).click()
  await at.getByText('Copied', { exact: true }).waitFor()
  return (await at.evaluate(() => navigator.clipboard.readText())).split('\n')
}

const png = (name: string, buffer: Buffer): Picture => ({ name, mimeType: 'image/png', buffer })

/** The first lines of the sample: a picture that is read fast. */
async function headOfSample(): Promise<Picture> {
  const part = sharp(project.path('sample/receipt.jpg')).extract({
    left: 140,
    top: 120,
    width: 680,
    height: 170,
  })
  return png('head.png', await part.png().toBuffer())
}

async function blank(): Promise<Picture> {
  const paper = { width: 400, height: 300, channels: 3, background: '#eeeae0' } as const
  return png('blank.png', await sharp({ create: paper }).png().toBuffer())
}

/** Processes of the playground's workers. */
function workers(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isHere = readlinkSync(`/proc/${pid}/cwd`) === project.root
        return isHere && readFileSync(`/proc/${pid}/environ`, 'utf8').includes('FLASH_DEV_URL')
      } catch {
        return false
      }
    })
}

/** Processor time that a process has used, in clock ticks: it does not depend on how busy the machine is. */
function ticksOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return Number(fields[11]) + Number(fields[12])
}

describe('the sample', () => {
  interface Moment {
    phase: string
    lines: number
    boxes: number
    done: number | undefined
    of: number | undefined
  }
  let moments: Moment[]
  /** What the worker spends from the first line on. */
  let ticks: number

  beforeAll(async () => {
    await page.evaluate(() => {
      const main = document.querySelector('main')!
      const seen: Moment[] = []
      const look = () => {
        const bar = main.querySelector('progress')
        seen.push({
          phase: main.dataset.phase!,
          lines: main.querySelectorAll('.lines button').length,
          boxes: main.querySelectorAll('polygon').length,
          done: bar?.hasAttribute('value') ? bar.value : undefined,
          of: bar?.hasAttribute('value') ? bar.max : undefined,
        })
      }
      new MutationObserver(look).observe(main, { subtree: true, childList: true, attributes: true })
      Object.assign(window, { seen })
    })
    await button('Try the sample').click()
    await lines().first().waitFor()
    const before = ticksOf(workers()[0]!)
    await inPhase('done')
    moments = await page.evaluate(() => (window as unknown as { seen: Moment[] }).seen)
    ticks = ticksOf(workers()[0]!) - before
  }, testMs.timeout)

  test('is read, word for word', async () => {
    expect(await copied()).toEqual(receipt)
    expect(await status().textContent()).toBe(`Finished. ${receipt.length} lines read. Total 53.44.`)
    expect(await page.getByTestId('count').textContent()).toMatch(/^24 lines in \d+\.\d s$/)
  })

  test('gives its lines one after the other, each with its box', () => {
    const counts = [...new Set(moments.map((moment) => moment.lines))]
    expect(counts).toEqual([...counts].sort((a, b) => a - b))
    expect(counts.length).toBeGreaterThan(4)
    expect(counts.at(-1)).toBe(receipt.length)
    expect(moments.find((moment) => moment.lines > 0)).toMatchObject({ phase: 'reading' })
    for (const moment of moments) expect(moment.boxes).toBe(moment.lines)
  })

  test('shows how far it is', () => {
    const steps = moments.filter((moment) => moment.of !== undefined)
    expect(new Set(steps.map((moment) => moment.of)).size).toBe(1)
    const done = [...new Set(steps.map((moment) => moment.done!))]
    expect(done).toEqual([...done].sort((a, b) => a - b))
    expect(done[0]).toBe(0)
    expect(done.length).toBeGreaterThan(3)
    const first = moments.find((moment) => moment.lines > 0)!
    expect(first.done! / first.of!).toBeLessThan(0.5)
  })

  test('has its total marked', async () => {
    expect(await page.getByTestId('total').textContent()).toContain('53.44')
    expect(await page.locator('.line[data-total]').allTextContents()).toEqual(['TOTAL USD 53.44'])
  })

  const litLines = () =>
    lines().evaluateAll((all) => all.flatMap((each, at) => ('lit' in each.dataset ? [at] : [])))
  const litBoxes = () =>
    boxes().evaluateAll((all) => all.flatMap((each, at) => (each.hasAttribute('data-lit') ? [at] : [])))
  const expectLit = async (wanted: number[]) => {
    await expect.poll(litLines).toEqual(wanted)
    expect(await litBoxes()).toEqual(wanted)
  }

  test('shows a line on the picture, and a place on the picture in the list', async () => {
    await lines().nth(7).hover()
    await expectLit([7])
    await page.getByRole('heading', { name: 'Receipt reader' }).hover()
    await expectLit([])
    await boxes().nth(3).hover()
    await expectLit([3])
    await boxes().nth(3).click()
    await page.getByTestId('total').hover()
    await expectLit([receipt.indexOf('TOTAL USD 53.44')])
  })

  test('can be walked through with the keyboard', async () => {
    await page.mouse.move(0, 0)
    await lines().nth(0).focus()
    await expectLit([0])
    await page.keyboard.press('ArrowDown')
    await expectLit([1])
    await page.keyboard.press('End')
    await expectLit([receipt.length - 1])
    await page.keyboard.press('ArrowDown')
    await expectLit([receipt.length - 1])
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowUp')
    await expectLit([0])
    expect(await lines().evaluateAll((all) => all.filter((each) => each.tabIndex === 0).length)).toBe(1)
  })

  test('keeps the boxes on their lines at any size', async () => {
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height })
      const picture = (await page.getByRole('img', { name: /^Your picture/ }).boundingBox())!
      const places = await boxes().evaluateAll((all) =>
        all.map((each) => each.getBoundingClientRect().toJSON()),
      )
      const tops = places.map((place) => place.top)
      expect(tops).toEqual([...tops].sort((a, b) => a - b))
      for (const place of places) {
        expect(place.left).toBeGreaterThan(picture.x)
        expect(place.right).toBeLessThan(picture.x + picture.width)
        expect(place.bottom).toBeLessThan(picture.y + picture.height)
      }
    }
  })

  for (const width of [320, 390, 1280])
    test(`has room at ${width} pixels`, async () => {
      await page.setViewportSize({ width, height: 800 })
      expect(
        await page.evaluate(() => document.documentElement.scrollWidth - innerWidth),
      ).toBeLessThanOrEqual(0)
    })

  test('passes axe, as does the way there', async () => {
    expect(await findViolations(page, axe.source)).toEqual([])
    const another = await open(vite.url)
    expect(await findViolations(another.page, axe.source)).toEqual([])
    await another.page.close()
  })

  /** Had it gone on to the end, it would have spent as much as before. */
  const expectRest = async (worker: number, ticksBefore: number) => {
    const spent = () => spentIn(worker, 2_000)
    await expect.poll(spent, { timeout: readingMs, interval: 0 }).toBeLessThan(20)
    expect(ticksOf(worker) - ticksBefore).toBeLessThan(ticks / 2)
  }

  test('can be stopped: no further line comes, and the worker rests', testMs, async () => {
    const [worker] = workers()
    await button('Try the sample').click()
    // Until then, the lines of the picture before may still be there.
    await inPhase('reading')
    await lines().first().waitFor()
    await button('Stop').click()
    await inPhase('stopped')
    const stoppedAt = ticksOf(worker!)
    const count = await lines().count()
    expect(count).toBeLessThan(receipt.length)
    expect(await boxes().count()).toBe(count)
    expect(await status().textContent()).toBe(`Stopped. ${count === 1 ? '1 line' : `${count} lines`} read.`)
    expect(await page.getByRole('progressbar').count()).toBe(0)
    // Who stopped with the keyboard goes on from the results.
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('results-title')
    await expectRest(worker!, stoppedAt)
    expect(await lines().count()).toBe(count)
    expect(await status().textContent()).toMatch(/^Stopped/)
  })

  test('leaves the worker ready for the next picture, with the models it has', testMs, async () => {
    const before = workers()
    await choose(await headOfSample())
    await inPhase('reading')
    await inPhase('done')
    expect(await copied()).toEqual(printed.head)
    expect(workers()).toEqual(before)
    expect(before).toHaveLength(1)
  })

  test('gives way to another picture', testMs, async () => {
    await button('Try the sample').click()
    await page.getByRole('img', { name: 'Your picture, sample-receipt.jpg' }).waitFor()
    await page.getByRole('progressbar').waitFor()
    await choose(await headOfSample())
    await page.getByRole('img', { name: 'Your picture, head.png' }).waitFor()
    await inPhase('done')
    expect(await copied()).toEqual(printed.head)
  })

  test('stops with its page', testMs, async () => {
    const [worker] = workers()
    await button('Try the sample').click()
    // Until then, the lines of the picture before may still be there.
    await inPhase('reading')
    await lines().first().waitFor()
    await page.reload()
    await expectRest(worker!, ticksOf(worker!))
    await inPhase('empty')
  })
})

async function spentIn(pid: number, ms: number): Promise<number> {
  const before = ticksOf(pid)
  await new Promise((resolve) => setTimeout(resolve, ms))
  return ticksOf(pid) - before
}

describe('what cannot be read', () => {
  const notSent: [what: string, title: string, picture: Picture][] = [
    [
      'a text',
      'That is not a picture',
      { name: 'list.txt', mimeType: 'text/plain', buffer: Buffer.from('milk') },
    ],
    ['a picture above the limit', 'This picture is too large', png('huge.png', Buffer.alloc(7_000_001))],
  ]
  for (const [what, title, picture] of notSent)
    test(`${what} is refused at once, and what is there stays`, async () => {
      const [phase, count] = [await page.locator('main').getAttribute('data-phase'), await lines().count()]
      await choose(picture)
      expect(await alertTitle()).toBe(title)
      expect(await page.getByRole('alert').textContent()).toContain(picture.name)
      expect(await button('Try again').count()).toBe(0)
      expect(await page.locator('main').getAttribute('data-phase')).toBe(phase)
      expect(await lines().count()).toBe(count)
    })

  test('a file that only says it is a picture is refused by the worker', testMs, async () => {
    await choose(png('broken.png', Buffer.from('not a picture at all')))
    await inPhase('reading')
    await inPhase('empty')
    expect(await alertTitle()).toBe('That is not a picture')
    expect(await page.getByRole('alert').textContent()).toContain('broken.png')
    expect(await findViolations(page, axe.source)).toEqual([])
  })

  test('a dropped and a pasted text are refused as well', async () => {
    for (const type of ['drop', 'paste'] as const) {
      await page.evaluate((type) => {
        const data = new DataTransfer()
        data.items.add(new File(['milk'], `${type}.txt`, { type: 'text/plain' }))
        const options = { bubbles: true, cancelable: true }
        document.body.dispatchEvent(
          type === 'drop'
            ? new DragEvent('drop', { ...options, dataTransfer: data })
            : new ClipboardEvent('paste', { ...options, clipboardData: data }),
        )
      }, type)
      await page.getByRole('alert').getByText(`“${type}.txt”`).waitFor()
    }
  })

  test('an empty sheet says that nothing was found', testMs, async () => {
    await choose(await blank())
    await inPhase('done')
    expect(await alertTitle()).toBe('No text found')
    expect(await lines().count()).toBe(0)
    expect(await findViolations(page, axe.source)).toEqual([])
  })

  test('a sample that cannot be fetched is told', async () => {
    await page.route('**/sample/receipt.jpg*', (route) => route.abort())
    await button('Try the sample').click()
    await expect.poll(() => alertTitle(), { timeout: 10_000 }).toBe('The server does not answer')
    await page.unroute('**/sample/receipt.jpg*')
    // The browser itself tells this one.
    expect(watched.errors.splice(0)).toEqual([expect.stringContaining('net::ERR_FAILED')])
  })
})

test('the page asked for nothing of the worker, and nothing went wrong in its console', async () => {
  expect(watched.errors).toEqual([])
  const asked = await page.evaluate(() => performance.getEntriesByType('resource').map(({ name }) => name))
  expect(asked.filter((url) => /\/src\/ocr\/|onnxruntime|gutenye|sharp/.test(url))).toEqual([])
  expect(asked.some((url) => url.includes('/src/receipt.ts'))).toBe(true)
})

describe('while somebody edits', () => {
  let edited: WatchedPage
  const file = 'src/receipt.ts'

  beforeAll(async () => {
    edited = await open(vite.url)
  })
  afterAll(() => edited?.page.close())

  async function read(): Promise<string[]> {
    await choose(await headOfSample(), edited.page)
    await edited.page.locator('main:not([data-phase="reading"])').waitFor()
    return edited.page.locator('main[data-phase="done"] .line').allTextContents()
  }

  test('the next picture is read by the new code, in the page that is open', testMs, async () => {
    expect(await read()).toEqual(printed.head)
    await project.edit(file, '...line }', '...line, text: line.text.toLowerCase() }')
    await expect
      .poll(read, { timeout: readingMs, interval: 0 })
      .toEqual(printed.head.map((line) => line.toLowerCase()))
    await project.edit('src/ocr/reader.ts', ".normalize('NFKC')", ".normalize('NFKC').replaceAll('e', '3')")
    await expect
      .poll(read, { timeout: readingMs, interval: 0 })
      .toEqual(printed.head.map((line) => line.replaceAll('e', '3').toLowerCase()))
    expect(edited.loads()).toBe(1)
  })

  test('a function that throws is told, and tried again once it is mended', testMs, async () => {
    await project.edit(
      file,
      'const page = await',
      "throw new Error('the glass is dirty')\n    const page = await",
    )
    await expect.poll(async () => (await read()).length, { timeout: readingMs, interval: 0 }).toBe(0)
    await inPhase('failed', edited.page)
    expect(await alertTitle(edited.page)).toBe('The picture could not be read')
    expect(await edited.page.getByRole('alert').textContent()).toContain('the glass is dirty')
    expect(await findViolations(edited.page, axe.source)).toEqual([])
    await project.edit(file, "throw new Error('the glass is dirty')\n    ", '')
    await expect
      .poll(
        async () => {
          const again = button('Try again', edited.page)
          if (await again.isVisible()) await again.click()
          await edited.page.locator('main:not([data-phase="reading"])').waitFor()
          return edited.page.locator('main').getAttribute('data-phase')
        },
        { timeout: readingMs },
      )
      .toBe('done')
    expect(edited.loads()).toBe(1)
  })

  test('a syntax error shows where it is, and goes when it is mended', testMs, async () => {
    const overlay = edited.page.locator('vite-error-overlay')
    await project.edit(file, 'const total = ', 'const total = = ')
    await expect.poll(async () => (await read()).length, { timeout: readingMs, interval: 0 }).toBe(0)
    await inPhase('failed', edited.page)
    expect(await alertTitle(edited.page)).toBe('The picture could not be read')
    await overlay.waitFor({ state: 'attached' })
    expect(await overlay.evaluate((element) => element.shadowRoot!.textContent)).toContain('src/receipt.ts')
    await project.edit(file, 'const total = = ', 'const total = ')
    await expect.poll(async () => (await read()).length, { timeout: readingMs }).toBe(printed.head.length)
    await overlay.waitFor({ state: 'detached' })
    expect(edited.loads()).toBe(1)
  })

  test('a worker that is killed fails that reading only', testMs, async () => {
    await button('Try the sample', edited.page).click()
    await lines(edited.page).first().waitFor()
    const [worker] = workers()
    process.kill(worker!, 'SIGKILL')
    await inPhase('failed', edited.page)
    expect(await alertTitle(edited.page)).toBe('The picture could not be read')
    expect(await read()).toHaveLength(printed.head.length)
    expect(workers()).not.toContain(worker)
  })
})

test('a server that goes away is told, and what was read stays', testMs, async () => {
  const at = await open(vite.url)
  await button('Try the sample', at.page).click()
  await lines(at.page).first().waitFor()
  await vite.stop('SIGKILL')
  // The stub goes on trying for as long as the call may take; the page tells, and can give up.
  await at.page.getByText('Nothing heard from the server').first().waitFor()
  const count = await lines(at.page).count()
  expect(count).toBeGreaterThan(0)
  expect(await findViolations(at.page, axe.source)).toEqual([])
  await button('Stop', at.page).click()
  await inPhase('stopped', at.page)
  expect(await lines(at.page).count()).toBe(count)
  expect(await boxes(at.page).count()).toBe(count)
  await choose(await headOfSample(), at.page)
  expect(await alertTitle(at.page)).toBe('The server does not answer')
  await at.page.getByRole('alert').evaluate((element) => element.setAttribute('data-seen', ''))
  await button('Try again', at.page).click()
  await at.page.locator('[role="alert"]:not([data-seen])').waitFor()
  expect(await alertTitle(at.page)).toBe('The server does not answer')
  expect(await at.page.locator('main').getAttribute('data-phase')).toBe('failed')
  await at.page.close()
})

test('a build has nothing of the worker, and its preview reads a receipt', testMs, async () => {
  const removed = [
    /gutenye/,
    /onnx/,
    /\bsharp\b/,
    /InferenceSession/,
    /openPicture/,
    /loadReader/,
    /findLayout/,
    /straighten/,
    /linesPerBand/,
    /halves its input/,
    /could not be opened as a picture/,
    /NOT_A_PICTURE', `/,
    /receipt-ocr/,
    /NVIDIA L4/,
  ]
  const built = copyPlayground('ocr')
  try {
    const worker = ['receipt', 'ocr/picture', 'ocr/layout', 'ocr/reader']
      .map((name) => built.read(`src/${name}.ts`))
      .join()
    for (const words of removed) expect(worker).toMatch(words)
    const { code, output } = await buildProject(built)
    expect(code, output).toBe(0)
    const files = readFiles(built.path('dist'))
    expect([...files.keys()].some((name) => name.endsWith('.map'))).toBe(true)
    for (const [name, text] of files)
      for (const words of [...removed, /__vite-browser-external/])
        expect(words.exec(text)?.[0], name).toBeUndefined()
    const preview = await startVite(built, ['preview', '--host', '127.0.0.1'])
    const served = await open(preview.url)
    try {
      await choose(await headOfSample(), served.page)
      await inPhase('done', served.page)
      expect(await lines(served.page).count()).toBeGreaterThan(1)
      expect(served.errors).toEqual([])
    } finally {
      await served.page.close()
      await preview.stop()
    }
  } finally {
    built.remove()
  }
})
