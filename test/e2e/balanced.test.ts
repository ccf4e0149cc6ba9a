import { type ChildProcess, spawn } from 'node:child_process'
import type { Browser, Page, Request } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { balancedFiles } from '../helpers/balanced-app.ts'
import { launchBrowser, openPage } from '../helpers/browser.ts'
import { buildProject, readFiles } from '../helpers/build.ts'
import { startEmulator } from '../helpers/emulator.ts'
import { createProject, type Project, repository } from '../helpers/project.ts'
import { startVite } from '../helpers/vite.ts'

declare const flash: Record<string, any>

let project: Project
let browser: Browser

beforeAll(async () => {
  project = createProject(balancedFiles)
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

/** `flash start` in front of a local Runpod that runs the bundles. */
async function startApp(): Promise<Served> {
  const runpod = await startEmulator()
  runpod.emulator.addBundles(project.path('.flash/build'))
  const { VITEST: _, NODE_ENV: __, ...inherited } = process.env
  const program = `${repository}/packages/unplugin-flash/bin/flash.mjs`
  const server: ChildProcess = spawn(
    process.execPath,
    [program, 'start', '--public', '--port', '0', '--host', '127.0.0.1'],
    { cwd: project.root, env: { ...inherited, NODE_ENV: 'production', ...runpod.emulator.env } },
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
  return {
    url,
    async stop() {
      server.kill('SIGKILL')
      await runpod.close()
    },
  }
}

const hosts: [name: string, start: () => Promise<Served>][] = [
  ['vite dev', () => startVite(project)],
  ['vite preview', () => startVite(project, ['preview'])],
  ['flash start and a local Runpod', startApp],
]

describe.each(hosts)('%s', (host, start) => {
  let served: Served
  let page: Page
  const isLocal = host.startsWith('vite')

  beforeAll(async () => {
    served = await start()
    page = (await openPage(browser, served.url)).page
    await page.getByText('ready').waitFor()
  })

  afterAll(async () => {
    await page?.close()
    await served?.stop()
  })

  const run = <A>(body: (argument: A) => unknown, argument?: A): Promise<any> =>
    page.evaluate(body as never, argument as never)
  const failure = (name: string, options?: object) =>
    run(
      ([name, options]) =>
        flash[name](options).catch(({ code, message, data }: any) => ({ code, message, data })),
      [name, options] as const,
    )

  test('values come as their schemas name them, and state is there', async () => {
    expect(await run(() => flash.list())).toEqual({
      query: { page: 1, tag: [] },
      page: 'number',
      state: 'setup planted-setup',
    })
    expect(await run(() => flash.list({ query: { page: 3, tag: 'a', all: true } }))).toMatchObject({
      query: { page: 3, tag: ['a'], all: true },
    })
    expect(await run(() => flash.add({ body: { name: 'x' } }))).toEqual({ added: 'x', count: 1 })
    expect(await run(() => flash.remove({ params: { id: 'a/b' } }))).toBeUndefined()
  })

  test('paths and headers arrive; what belongs to the page does not travel', async () => {
    await run(() => (document.cookie = 'own=1'))
    const answer = await run(() =>
      flash.one({ params: { id: 'a/b ü' }, headers: { 'x-own': 'yes', authorization: 'Bearer mine' } }),
    )
    expect(answer).toEqual({ id: 'a/b ü', own: 'yes', cookie: null, authorization: null })
  })

  test('a violation names the field', async () => {
    expect(await failure('list', { query: { page: 'many' } })).toMatchObject({
      code: 'BAD_INPUT',
      data: { field: 'query.page' },
    })
    expect(await failure('add', { body: { name: '' } })).toMatchObject({ data: { field: 'body.name' } })
  })

  test('errors that are meant for the page, and others', async () => {
    expect(await failure('refuse')).toEqual({ code: 'FULL', message: 'no seats left', data: { seats: 3 } })
    const broken = await failure('broken')
    expect(broken.code).toBe('INTERNAL')
    expect(JSON.stringify(broken)).not.toContain('secret detail')
  })

  test('a response is a response, without its cookies', async () => {
    expect(
      await run(async () => {
        const response = await flash.raw()
        return [
          response.status,
          response.headers.get('x-kind'),
          response.headers.get('set-cookie'),
          await response.text(),
        ]
      }),
    ).toEqual([418, 'pot', null, 'teapot'])
  })

  test('what a handler compresses comes decoded', async () => {
    const read = async () => {
      const response = await flash.zipped()
      return [response.headers.get('content-encoding'), await response.text()]
    }
    expect(await run(read)).toEqual([null, 'hello gzip'])
  })

  test('a call that has finished is no failed request to the browser', async () => {
    const failed: string[] = []
    const onFailed = (request: Request) =>
      void failed.push(`${request.url()} ${request.failure()?.errorText}`)
    page.on('requestfailed', onFailed)
    const counted = await run(async () => {
      let items = 0
      for (let time = 0; time < 20; time++) {
        await flash.list()
        await flash.beside(1)
        for await (const _ of await flash.count({ params: { to: '2' } })) items++
      }
      return items
    })
    // What fails is told in the order in which it does.
    const failing = page.waitForEvent('requestfailed', (request) => request.url().endsWith('/none'))
    await run(() => fetch('http://127.0.0.1:1/none').catch(() => null))
    await failing
    page.off('requestfailed', onFailed)
    expect(counted).toBe(40)
    expect(failed).toEqual([expect.stringContaining('/none')])
  })

  test('what a handler answers is the answer, and no trouble of its endpoint', async () => {
    const told = await run(async () => {
      const told: unknown[] = []
      for (let time = 0; time < 6; time++) {
        const response = await flash.down()
        told.push([response.status, response.headers.get('x-flash-result'), await response.text()])
      }
      return told
    })
    expect(told).toEqual(Array.from({ length: 6 }, () => [502, null, 'upstream is down']))
  })

  test('items come one by one', async () => {
    const take = (to: string) =>
      run(async (to) => {
        const items: number[] = []
        try {
          for await (const { at } of await flash.count({ params: { to } })) items.push(at)
        } catch (error: any) {
          return [items.length, error.code]
        }
        return items
      }, to)
    expect(await take('3')).toEqual([1, 2, 3])
    expect(await take('13')).toEqual([13, 'UNLUCKY'])
  })

  test('files are uploaded', async () => {
    expect(
      await run(async () => {
        const body = new FormData()
        body.set('file', new File(['hello from a page'], 'note.txt', { type: 'text/plain' }))
        body.set('note', 'mine')
        return flash.upload({ body })
      }),
    ).toEqual({ name: 'note.txt', type: 'text/plain', text: 'hello from a page', size: 17, note: 'mine' })
  })

  test('an abort reaches the handler', async () => {
    expect(
      await run(async () => {
        const stop = new AbortController()
        const answer = flash.slow({ signal: stop.signal }).catch((error: any) => error.name)
        while ((await flash.lastAbort()) !== 'waiting')
          await new Promise((resolve) => setTimeout(resolve, 20))
        stop.abort()
        const name = await answer
        while ((await flash.lastAbort()) !== 'aborted')
          await new Promise((resolve) => setTimeout(resolve, 20))
        return name
      }),
    ).toBe('AbortError')
  })

  test('a web app answers through its stub, and through a typed client', async () => {
    const { hello, path } = await run(async () => (await flash.site.fetch('/hello/Ada')).json())
    expect([hello, path]).toEqual(['Ada', '/hello/Ada'])
    expect(
      await run(async () => (await flash.hono.hello[':name'].$get({ param: { name: 'Grace' } })).json()),
    ).toMatchObject({ hello: 'Grace' })
    expect(await run(async () => (await flash.site.post('/echo', { body: 'text' })).text())).toBe('text')
    expect(await run(async () => (await flash.site.fetch('/stream')).text())).toBe('one two three')
    expect(await run(async () => (await flash.bare.fetch('//evil.test/x?y=1')).text())).toBe(
      'GET //evil.test/x?y=1',
    )
    expect(await run(async () => (await flash.modern.get('/from-h3')).json())).toEqual({ made: 'with h3' })
  })

  test('hostile paths lead nowhere', async () => {
    for (const [path, code] of [
      ['/a/../../x', 'BAD_PATH'],
      ['/%2e%2e/x', 'BAD_PATH'],
      ['/a\\b', 'BAD_PATH'],
      ['/ping', 'RESERVED_PATH'],
      ['/%70ing', 'RESERVED_PATH'],
      ['/execute', 'RESERVED_PATH'],
      ['/_runpod/x', 'RESERVED_PATH'],
    ])
      expect(await run((path) => flash.site.fetch(path).catch((error: any) => error.code), path), path).toBe(
        code,
      )
  })

  test('sockets open, talk and close', async () => {
    const talk = (name: 'live' | 'modern') =>
      run(async (name) => {
        const socket: WebSocket = await (name === 'live'
          ? flash.live.connect({ params: { room: 'a' } })
          : flash.modern.connect('/socket'))
        const heard: string[] = []
        const enough = new Promise<void>((resolve) => {
          socket.addEventListener('message', ({ data }) => {
            heard.push(String(data))
            if (heard.length === (name === 'live' ? 2 : 1)) resolve()
          })
        })
        socket.send('hi')
        await enough
        socket.close()
        return heard
      }, name)
    const heard = await talk('live')
    expect(heard.at(-1)).toBe('echo hi')
    expect(await talk('modern')).toEqual(['h3 hi'])
  })

  test('a queue function calls routes and web apps of other endpoints', async () => {
    expect(await run(() => flash.ask('Ada'))).toEqual({
      page: 2,
      items: [1, 2, 3],
      hello: 'Ada',
      added: { added: 'Ada', count: 1 },
      refused: 'BAD_INPUT',
    })
    expect(await run(() => flash.beside(1))).toBe(14)
  })

  if (isLocal)
    test('programs ask the routes themselves', async () => {
      const ask = (path: string, init?: RequestInit) => fetch(`${served.url}/_flash/${path}`, init)
      const answer = await ask('items/api/items?page=4')
      expect(await answer.json()).toMatchObject({ query: { page: 4 } })
      expect(await (await ask('webs/bare/a/b?c=1')).text()).toBe('GET /a/b?c=1')
      const wrong = await ask('items/api/items?page=x')
      expect([wrong.status, await wrong.json()]).toMatchObject([422, { code: 'BAD_INPUT' }])
      expect((await ask('items/api/items', { method: 'PUT' })).status).toBe(405)
      expect((await ask('items/api/nothing')).status).toBe(404)
      const events = await (await ask('items/api/count/2')).text()
      expect(events).toContain('data: {"at":1}')
      expect(await (await ask('items/api/silent')).json()).toBe('planted-silent')
    })
})

test('the built app has nothing of routes and web apps', () => {
  const texts = [...readFiles(project.path('dist')).values()].join('\n')
  for (const planted of ['planted-', 'teapot', 'secret detail', 'with h3', 'no thirteen'])
    expect(texts).not.toContain(planted)
})
