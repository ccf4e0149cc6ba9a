import { generatedPositionFor, LEAST_UPPER_BOUND, TraceMap } from '@jridgewell/trace-mapping'
import { existsSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { appFiles } from '../helpers/fixture.ts'
import { createProject, type Project, viteConfig } from '../helpers/project.ts'
import { startVite, type ViteProcess } from '../helpers/vite.ts'

let project: Project
let vite: ViteProcess

afterEach(async () => {
  vite?.process.kill('SIGKILL')
  project?.remove()
})

async function call(path: string, input: object = {}): Promise<any> {
  const response = await fetch(`${vite.url}/_flash/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input: { 'flash:call': { v: 1 }, ...input } }),
  })
  return response.json()
}

/** Processes whose working folder is the project: its workers, wherever their parent went. */
function processesOf(root: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        return (
          readlinkSync(`/proc/${pid}/cwd`) === root &&
          readFileSync(`/proc/${pid}/environ`, 'utf8').includes('FLASH_DEV_URL')
        )
      } catch {
        return false
      }
    })
}

describe('nothing is left running', () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const) {
    test(`after ${signal}, also with a function in an endless loop`, async () => {
      project = createProject(appFiles)
      vite = await startVite(project)
      expect((await call('basics/greet/run_sync', { name: 'ann' })).output).toBe('hello ann!')
      await call('trouble/loop/run')
      await expect.poll(() => processesOf(project.root).length).toBe(2)
      await vite.stop(signal)
      await expect.poll(() => processesOf(project.root), { timeout: 8_000 }).toEqual([])
      if (signal !== 'SIGKILL') expect(existsSync(project.path('.flash/dev.json'))).toBe(false)
    })
  }
})

test('a worker starts at the first call and not before', async () => {
  project = createProject(appFiles)
  vite = await startVite(project)
  expect(processesOf(project.root)).toEqual([])
  await call('basics/greet/run_sync', { name: 'ann' })
  expect(processesOf(project.root)).toHaveLength(1)
})

test('the project gets nothing but its state folder', async () => {
  project = createProject(appFiles)
  // Its packages are those of all tests, which write there too.
  const aside = ['node_modules', '.flash', '.vite']
  const files = () =>
    readdirSync(project.root, { withFileTypes: true })
      .filter(({ name }) => !aside.includes(name))
      .flatMap((entry) => [
        entry.name,
        ...(entry.isDirectory() ? readdirSync(join(project.root, entry.name), { recursive: true }) : []),
      ])
  const before = files()
  vite = await startVite(project)
  await call('basics/greet/run_sync', { name: 'ann' })
  expect(files()).toEqual(before)
})

for (const isolation of ['thread', 'none'] as const) {
  test(`isolation '${isolation}' runs the same functions`, async () => {
    project = createProject({ ...appFiles, 'vite.config.ts': viteConfig(`{ isolation: '${isolation}' }`) })
    vite = await startVite(project)
    expect((await call('basics/greet/run_sync', { name: 'ann' })).output).toBe('hello ann!')
    expect((await call('basics/count/run_sync', { to: 3 })).output).toEqual([1, 2, 3])
    expect((await call('relay/run_sync', { name: 'ann' })).output).toBe('relayed: hello ann!')
    expect((await call('basics/pid/run_sync')).output).toBe(vite.process.pid)
    await project.edit('src/text/mark.ts', "'!'", "'?'")
    await expect
      .poll(async () => (await call('basics/greet/run_sync', { name: 'ann' })).output)
      .toBe('hello ann?')
    if (isolation === 'none') return
    expect((await call('trouble/exit/run_sync', { code: 3 })).status).toBe('FAILED')
    expect((await call('trouble/fine/run_sync')).output).toBe('fine')
  })
}

test("a worker can be debugged: it listens where it says, and stops at a breakpoint in the author's file", async () => {
  project = createProject({ ...appFiles, 'vite.config.ts': viteConfig('{ inspect: true }') })
  vite = await startVite(project)
  await call('basics/greet/run_sync', { name: 'ann' })
  await vite.waitFor(/Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/\S+)/)
  const url = /Debugger listening on (ws:\/\/127\.0\.0\.1:\d+\/\S+)/.exec(vite.output())![1]!
  const debug = await connect(url)
  await debug.send('Debugger.enable')
  const line =
    project
      .read('src/basics.ts')
      .split('\n')
      .findIndex((text) => text.includes('const nothing')) + 1
  const {
    url: script,
    scriptId,
    sourceMapURL,
  } = debug.scripts().find(({ url }) => url.includes('/src/basics.ts'))!
  const map = new TraceMap(Buffer.from(sourceMapURL.split('base64,')[1]!, 'base64').toString())
  const place = generatedPositionFor(map, {
    source: map.sources[0]!,
    line,
    column: 0,
    bias: LEAST_UPPER_BOUND,
  })
  await debug.send('Debugger.setBreakpointByUrl', {
    url: script,
    lineNumber: place.line! - 1,
    columnNumber: place.column!,
  })
  const calling = call('basics/broken/run_sync')
  const paused = await debug.event('Debugger.paused')
  expect(paused.callFrames[0].location.scriptId).toBe(scriptId)
  await debug.send('Debugger.resume')
  expect((await calling).status).toBe('FAILED')
  debug.close()
})

/** The little of the inspector's protocol that the test needs. */
async function connect(url: string) {
  const socket = new WebSocket(url)
  await new Promise((resolve) => socket.addEventListener('open', resolve))
  let id = 0
  const scripts: { url: string; scriptId: string; sourceMapURL: string }[] = []
  socket.addEventListener('message', ({ data }) => {
    const { method, params } = JSON.parse(data)
    if (method === 'Debugger.scriptParsed') scripts.push(params)
  })
  const listen = (wanted: (message: any) => boolean) =>
    new Promise<any>((resolve) => {
      const listener = ({ data }: MessageEvent) => {
        const message = JSON.parse(data)
        if (!wanted(message)) return
        socket.removeEventListener('message', listener)
        resolve(message.result ?? message.params)
      }
      socket.addEventListener('message', listener)
    })
  return {
    send(method: string, params: object = {}) {
      const mine = ++id
      const answer = listen((message) => message.id === mine)
      socket.send(JSON.stringify({ id: mine, method, params }))
      return answer
    },
    event: (method: string) => listen((message) => message.method === method),
    scripts: () => scripts,
    close: () => socket.close(),
  }
}
