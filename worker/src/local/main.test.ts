import { type ChildProcess, spawn } from 'node:child_process'
import type { Duplex } from 'node:stream'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { createParent, createProject, type Project, workerModule } from './testing.ts'

const program = join(import.meta.dirname, 'main.ts')

let project: Project
const children: ChildProcess[] = []

beforeAll(async () => {
  project = await createProject({
    'helper.ts': `export const greet = (name: string): string => \`hello \${name}\`

export function fail(): never {
  throw new TypeError('from the helper')
}
`,
    'main.ts': workerModule(`import { fail, greet } from './helper.ts'
interface Options { loud?: boolean }
const define = (id: string, body: unknown) => __flash_define(__flash_functions, id, {}, body)
define('say', async (name: string, options?: Options): Promise<string> => {
  console.log('saying', name)
  console.error('to stderr')
  return options?.loud ? greet(name).toUpperCase() : greet(name)
})
define('fail', () => fail())
define('loop', () => { console.log('before the loop'); for (;;); })
define('exit', () => process.exit(3))
define('timer', () => new Promise(() => setTimeout(() => fail(), 5)))
define('reject', () => new Promise(() => void Promise.reject(new Error('nobody listens'))))
define('wait', () => new Promise((done) => setTimeout(done, 60_000)))
define('pid', () => process.pid)
`),
  })
})

afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
})

afterAll(() => project.close())

function launch(root = project.root) {
  const child = spawn(process.execPath, [program], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH },
  })
  children.push(child)
  const pipe = child.stdio[3] as Duplex
  pipe.on('error', () => {})
  const parent = createParent({
    send: (bytes) => void pipe.write(bytes),
    onData: (listener) => void pipe.on('data', listener),
  })
  Object.assign(parent.answers, project.answers)
  const written = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const)
    child[name]!.setEncoding('utf8').on('data', (text: string) => (written[name] += text))
  const exit = new Promise<{ code: number | null; signal: string | null }>((done) =>
    child.once('close', (code, signal) => done({ code, signal })),
  )
  parent.say({ t: 'start', root, endpoint: 'test', unnamed: [] })
  return { child, pipe, parent, written, exit }
}

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a child process runs a function of the project and passes on what it prints', async () => {
  const { parent, written } = launch()
  await parent.hear('ready')
  expect(await parent.call('say', ['you', { loud: true }])).toBe('HELLO YOU')
  expect(parent.output(1)).toBe('saying you\nto stderr\n')
  expect(parent.said.filter(({ t }) => t === 'log')).toMatchObject([
    { stream: 'stdout' },
    { stream: 'stderr' },
  ])
  expect(written).toEqual({ stdout: '', stderr: '' })
})

test('an error keeps its class, and its stack names the lines the author wrote', async () => {
  const { parent } = launch()
  const error: any = await parent.call('fail').catch((caught) => caught)
  expect(error).toBeInstanceOf(TypeError)
  expect(error.stack).toContain(`${project.file('helper.ts')}:4:9`)
  expect(error.stack).toContain(`${project.file('main.ts')}:11:`)
})

test('a function that blocks: what it printed is there, and the beat stops', async () => {
  const { parent } = launch()
  await parent.hear('beat')
  void parent.call('loop')
  await parent.hear('log', ({ text }) => text === 'before the loop\n')
  const beats = parent.said.filter(({ t }) => t === 'beat').length
  await new Promise((done) => setTimeout(done, 1_200))
  expect(parent.said.filter(({ t }) => t === 'beat')).toHaveLength(beats)
})

for (const [what, fn, code, stderr] of [
  ['exits', 'exit', 3, /^$/],
  ['throws in a timer', 'timer', 1, /TypeError: from the helper\n    at .*helper\.ts:4:9/],
  ['rejects a promise nobody listens to', 'reject', 1, /Error: nobody listens/],
] as const) {
  test(`a function that ${what} ends the process with code ${code}, and says why`, async () => {
    const { parent, exit, written } = launch()
    void parent.call(fn)
    expect(await exit).toEqual({ code, signal: null })
    expect(written.stderr).toMatch(stderr)
  })
}

test('the process ends at once when the channel closes, whatever still runs', async () => {
  const { parent, pipe, exit } = launch()
  const call = parent.call('wait')
  await parent.hear('started')
  pipe.destroy()
  expect(await exit).toEqual({ code: 0, signal: null })
  void call
})

test('Ctrl+C in the terminal leaves the decision to the dev server', async () => {
  const { parent, child } = launch()
  await parent.hear('ready')
  child.kill('SIGINT')
  expect(await parent.call('say', ['you'])).toBe('hello you')
})

test('a blocked process ends when the one that started it was killed', async () => {
  // A dev server in between: starts the worker, sends one call, and is killed.
  const call = {
    t: 'call',
    call: 1,
    jobId: 'j',
    attempt: 1,
    deadline: null,
    fn: 'loop',
    module: 'blocked',
    input: { args: [] },
    shape: { kind: 'function', callables: [], takesObject: false },
    foreign: false,
    setup: null,
    endpoint: 'e',
    instances: 1,
  }
  const messages = [{ t: 'start', root: project.root, endpoint: 'e', unnamed: [] }, call].map((one) =>
    JSON.stringify(one),
  )
  const between = `
    import { spawn } from 'node:child_process'
    import { createMessageReader, encodeMessage } from '@flash/protocol'
    const child = spawn(process.execPath, [${JSON.stringify(program)}], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
    const say = (text) => child.stdio[3].write(encodeMessage({ type: 17, rich: false, text, parts: [] }))
    const reader = createMessageReader(({ text }) => {
      const message = JSON.parse(text)
      if (message.t === 'log') console.log(child.pid)
      if (message.t !== 'request') return
      const code = 'const functions = Object.create(null); functions.loop = { config: {}, body() { console.log("in"); for (;;); } }; Object.defineProperty(__vite_ssr_exports__, "__flash_functions", { get: () => functions })'
      const ok = message.name === 'getBuiltins' ? [] : { code, file: '/blocked', id: '/blocked', url: '/blocked', invalidate: false }
      say(JSON.stringify({ t: 'reply', request: message.request, ok }))
    })
    child.stdio[3].on('data', (bytes) => reader.push(bytes))
    for (const message of ${JSON.stringify(messages)}) say(message)
  `
  const parent = spawn(process.execPath, ['--input-type=module', '--eval', between], {
    cwd: import.meta.dirname,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(parent)
  const pid = await new Promise<number>((found) => parent.stdout.on('data', (text) => found(Number(text))))
  expect(isAlive(pid)).toBe(true)
  parent.kill('SIGKILL')
  const until = Date.now() + 10_000
  while (isAlive(pid) && Date.now() < until) await new Promise((done) => setTimeout(done, 50))
  const alive = isAlive(pid)
  if (alive) process.kill(pid, 'SIGKILL')
  expect(alive).toBe(false)
})

test('the same program serves in a thread', async () => {
  const worker = new Worker(program, { stdout: true, stderr: true, env: {} })
  const parent = createParent({
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    send: (bytes) => worker.postMessage(bytes),
    onData: (listener) => void worker.on('message', listener),
  })
  Object.assign(parent.answers, project.answers)
  parent.say({ t: 'start', root: project.root, endpoint: 'test', unnamed: [] })
  expect(await parent.call('say', ['you'])).toBe('hello you')
  expect(await parent.call('pid')).toBe(process.pid)
  expect(parent.output(1)).toBe('saying you\nto stderr\n')
  const failed = new Promise<Error>((done) => worker.once('error', (error) => done(error as Error)))
  const exit = new Promise((done) => worker.once('exit', done))
  void parent.call('timer')
  expect((await failed).stack).toContain('helper.ts:4:9')
  expect(await exit).toBe(1)
})
