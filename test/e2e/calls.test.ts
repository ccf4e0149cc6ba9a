import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchBrowser, openPage, type WatchedPage } from '../helpers/browser.ts'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

declare const flash: any
declare const RemoteError: any

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

describe('a call from the page', () => {
  test('answers with what the function returned', async () => {
    expect(await inPage(() => flash.greet('ann'))).toBe('hello ann!')
    expect(await inPage(() => flash.greet('ann', 'bye'))).toBe('bye ann!')
    expect(await inPage(() => flash.sum(1, 2, 3))).toBe(6)
    expect(await inPage(() => flash.echo(undefined))).toBe(undefined)
  })

  test('carries rich values both ways', async () => {
    const kinds = await inPage(async () => {
      const cycle: any = { list: [] }
      cycle.list.push(cycle)
      const sent = {
        date: new Date(5),
        map: new Map([[1, new Set([2n])]]),
        bytes: new Uint8Array([1, 2, 3]),
        nan: NaN,
        none: undefined,
        minus: -0,
        url: new URL('http://a.b/c'),
        cycle,
      }
      const back = await flash.echo(sent)
      return [
        back.date.getTime(),
        back.map.get(1).has(2n),
        back.bytes instanceof Uint8Array && [...back.bytes].join(),
        Number.isNaN(back.nan),
        'none' in back && back.none === undefined,
        Object.is(back.minus, -0),
        back.url.href,
        back.cycle.list[0] === back.cycle,
      ]
    })
    expect(kinds).toEqual([5, true, '1,2,3', true, true, true, 'http://a.b/c', true])
  })

  test('carries a file with name, type and bytes', async () => {
    const file = await inPage(async () => {
      const back = await flash.echo(
        new File(['päckchen'], 'a b.txt', { type: 'text/plain', lastModified: 7 }),
      )
      return [back instanceof File, back.name, back.type, back.lastModified, await back.text()]
    })
    expect(file).toEqual([true, 'a b.txt', 'text/plain', 7, 'päckchen'])
  })

  test('streams items as they are made', async () => {
    const gaps = await inPage(async () => {
      const start = performance.now()
      const seen: [number, number][] = []
      for await (const item of flash.count(4, 300)) seen.push([item, performance.now() - start])
      return seen
    })
    expect(gaps.map(([item]) => item)).toEqual([1, 2, 3, 4])
    expect(gaps[3]![1] - gaps[0]![1]).toBeGreaterThan(300)
  })

  test('reaches methods of a class, with its constructor arguments', async () => {
    expect(
      await inPage(async () => {
        const counter = new flash.Counter(10)
        return [await counter.add(1), await counter.add(1), await new flash.Counter(0).add(5)]
      }),
    ).toEqual([11, 12, 5])
    expect(
      await inPage(async () => {
        const seen: number[] = []
        for await (const n of new flash.Counter(1).upTo(3)) seen.push(n)
        return seen
      }),
    ).toEqual([1, 2, 3])
  })

  test('reaches a function that calls another endpoint', async () => {
    expect(await inPage(() => flash.relay('ann'))).toBe('relayed: hello ann!')
  })

  test('with .map keeps the order', async () => {
    expect(await inPage(() => flash.greet.map(['a', 'b', 'c'], { concurrency: 2 }))).toEqual([
      'hello a!',
      'hello b!',
      'hello c!',
    ])
  })

  test('with .run gives a job with status, progress and result', async () => {
    const events = await inPage(async () => {
      const job = await flash.steps.run(3)
      const seen: any[] = []
      for await (const event of job) if (event.type === 'progress') seen.push(event.value.done)
      return [
        seen.at(-1),
        await job.wait(),
        (await job.status()).status,
        await flash.steps.attach(job.id).wait(),
      ]
    })
    expect(events).toEqual([3, 'done', 'COMPLETED', 'done'])
  })
})

describe('an error', () => {
  test('meant for the caller keeps code, message and data', async () => {
    expect(
      await inPage(() =>
        flash
          .refuse(3)
          .catch((error: any) => [
            error instanceof RemoteError,
            error.name,
            error.code,
            error.message,
            error.data.seats,
            error.data.since.getTime(),
          ]),
      ),
    ).toEqual([true, 'RemoteError', 'FULL', 'no seats left', 3, 0])
  })

  test("of JavaScript keeps its class, and its stack names the author's line", async () => {
    const [isTypeError, message, stack] = await inPage(() =>
      flash.broken().catch((error: any) => [error instanceof TypeError, error.message, error.stack]),
    )
    expect(isTypeError).toBe(true)
    expect(message).toContain('field')
    const line =
      project
        .read('src/basics.ts')
        .split('\n')
        .findIndex((text) => text.includes('nothing.field')) + 1
    expect(stack).toContain(`src/basics.ts:${line}:`)
  })

  test('of an argument that does not travel names its path', async () => {
    expect(
      await inPage(() =>
        flash.echo({ deep: { cb() {} } }).catch((error: any) => [error.code, error.message]),
      ),
    ).toEqual(['CANNOT_CARRY', expect.stringContaining('deep.cb')])
  })
})

describe('leaving', () => {
  test('an aborted call aborts the signal of the function', async () => {
    const outcome = await inPage(async () => {
      const abort = new AbortController()
      const call = flash.wait
        .with({ signal: abort.signal })(10_000)
        .catch((error: any) => error.name)
      while ((await flash.lastAbort()) !== 'waiting') await new Promise((resolve) => setTimeout(resolve, 20))
      abort.abort()
      const name = await call
      for (let n = 0; n < 250 && (await flash.lastAbort()) !== 'aborted'; n++)
        await new Promise((resolve) => setTimeout(resolve, 20))
      return [name, await flash.lastAbort()]
    })
    expect(outcome).toEqual(['AbortError', 'aborted'])
  })

  test('a call with a timeout rejects with TIMEOUT', async () => {
    expect(
      await inPage(() =>
        flash.wait
          .with({ timeoutMs: 200 })(10_000)
          .catch((error: any) => error.code),
      ),
    ).toBe('TIMEOUT')
  })

  test('server options are refused in pages', async () => {
    expect(
      await inPage(() =>
        flash.greet
          .with({ webhook: 'http://x' })('a')
          .catch((error: any) => error.code),
      ),
    ).toBe('OPTION_SERVER_ONLY')
    expect(await inPage(() => flash.greet.warm().catch((error: any) => error.code))).toBe(
      'OPTION_SERVER_ONLY',
    )
  })
})

describe('trouble stays with its call', () => {
  for (const [name, argument, message] of [
    ['exit', 3, /exited with code 3[\s\S]*about to leave/],
    ['timer', undefined, /from a timer/],
    ['memory', undefined, /heap|memory/i],
  ] as const) {
    // Filling gigabytes takes long on a busy machine, so that is done once.
    const startsAnew = name === 'memory' ? '' : ', and the next one starts anew'
    test(`${name}: that call fails, others work${startsAnew}`, { timeout: 180_000 }, async () => {
      const failed = await inPage(
        ([name, argument]) => flash[name](argument).catch((error: any) => [error.code, error.message]),
        [name, argument] as const,
      )
      expect(failed).toEqual(['WORKER_CRASHED', expect.stringMatching(message)])
      expect(await inPage(() => flash.fine())).toBe('fine')
      if (!startsAnew) return
      const again = await inPage(
        ([name, argument]) => flash[name](argument).catch((error: any) => error.code),
        [name, argument] as const,
      )
      expect(again).toBe('WORKER_CRASHED')
    })
  }

  test('an endless loop ends at its time limit, and others work meanwhile', async () => {
    const outcome = await inPage(async () => {
      const looping = flash.loop().catch((error: any) => error.code)
      return [await flash.fine(), await looping]
    })
    expect(outcome).toEqual(['fine', 'TIMEOUT'])
  })
})

test('nothing went wrong in the console of the page', () => {
  expect(watched.errors).toEqual([])
  expect(watched.loads()).toBe(1)
})
