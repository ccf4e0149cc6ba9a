import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readFailure } from '@flash/protocol'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { workerModule } from '../local/testing.ts'
import { createPlane, type Plane, status } from '../queue/testing/plane.ts'
import { createBundle, functionOf, type TestBundle } from './testing.ts'

const functions = [
  functionOf('say', ['name']),
  functionOf('items', ['n']),
  functionOf('count', ['a?'], { setup: 'src/a.ts#setup' }),
  functionOf('chatter', ['name']),
  functionOf('fail', []),
  functionOf('timer', []),
  functionOf('later', []),
  functionOf('wait', []),
  functionOf('refresh', []),
]

let bundle: TestBundle
let broken: TestBundle
let plane: Plane
let temporary: string
beforeAll(async () => {
  bundle = await createBundle(
    {
      'a.ts': workerModule(`
const define = (id: string, body: unknown, config = {}) => __flash_define(__flash_functions, id + '-id', config, body)
const storage = () => (globalThis as any)[Symbol.for('unplugin-flash.context')].getStore()
define('say', async (name: string) => {
  storage().progress({ percent: 50 })
  return 'hello ' + name
})
define('items', function* (n: number) { for (let i = 0; i < n; i++) yield { i } })
let made = 0
define('count', (_: unknown, state: { made: number }) => state, { setup: () => ({ made: ++made }) })
define('chatter', async (name: string) => {
  for (let n = 0; n < 10_000; n++) {
    if (n % 2) console.log(name, n)
    else process.stderr.write(name + ' ' + n + '\\n')
    if (n % 500 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
})
define('fail', () => { throw new TypeError('on purpose') })
define('timer', () => new Promise(() => setTimeout(() => { throw new RangeError('in a timer') }, 5)))
define('later', () => { setTimeout(() => { throw new RangeError('afterwards') }, 100); return 'said' })
define('wait', () => new Promise((_, reject) => {
  const { signal, progress } = storage()
  progress('running')
  signal.addEventListener('abort', () => reject(signal.reason))
}))
define('refresh', () => { storage().refreshWorker(); return process.pid })
`),
    },
    functions,
    { maxConcurrency: 2 },
  )
  broken = await createBundle({ 'a.ts': workerModule(`throw new RangeError('top of the module')`) }, [
    functionOf('say', ['name']),
  ])
})
beforeEach(async () => {
  plane = await createPlane()
  temporary = mkdtempSync(join(tmpdir(), 'flash-spool-'))
})
afterEach(async () => {
  await plane.close()
  rmSync(temporary, { recursive: true, force: true })
})
afterAll(() => {
  bundle.close()
  broken.close()
})

const take = (from = bundle, more: Record<string, string> = {}) =>
  from.take(plane.env({ TMPDIR: temporary, ...more }))
const call = (fn: string, input: object = {}) => ({ 'flash:call': { v: 1, fn }, ...input })

test('takes jobs, answers each in its caller’s form, and keeps its state', async () => {
  const { child, exit } = take()
  plane.give(
    { id: 'a', input: call('say', { name: 'you' }) },
    { id: 'b', input: { method: 'items', n: 2 } },
    { id: 'c', input: call('count') },
    { id: 'd', input: call('count') },
    { id: 'e', input: call('fail') },
    { id: 'f', input: call('nothing') },
  )
  expect(await plane.result('a')).toEqual({ output: 'hello you' })
  expect(await plane.result('b')).toEqual({ output: [{ i: 0 }, { i: 1 }] })
  expect(plane.all('job-stream').map(({ job, body }) => [job, body])).toEqual([
    ['b', { output: { i: 0 } }],
    ['b', { output: { i: 1 } }],
  ])
  expect([await plane.result('c'), await plane.result('d')]).toEqual([
    { output: { made: 1 } },
    { output: { made: 1 } },
  ])
  expect(readFailure((await plane.result('e')).error)).toMatchObject({
    name: 'TypeError',
    message: 'on purpose',
    stack: expect.stringContaining(join(bundle.root, 'src/a.ts')),
  })
  expect(readFailure((await plane.result('f')).error)).toMatchObject({ code: 'BAD_INPUT' })
  const progress = plane.all('job-done').filter(({ body }) => body.status === 'IN_PROGRESS')
  expect(progress.map(({ job, body }) => [job, body.output])).toEqual([['a', { percent: 50 }]])
  child.kill('SIGTERM')
  expect(await exit).toEqual({ code: 0, signal: null })
})

const numberOf = (line: string) => Number(line.split(' ')[1])

test('two jobs that print 10,000 lines at once: each line has its job, in its order', async () => {
  const { child, exit, printed } = take(bundle, { RUNPOD_ENDPOINT_ID: 'ep' })
  for (const name of ['a', 'b']) plane.give({ id: `job-${name}`, input: call('chatter', { name }) })
  await Promise.all([plane.result('job-a'), plane.result('job-b')])
  child.kill('SIGTERM')
  await exit
  const lines = printed.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const name of ['a', 'b']) {
    const own = lines.filter(({ requestId }) => requestId === `job-${name}`)
    const said = own.flatMap(({ message }) => (message.startsWith(`${name} `) ? [message] : []))
    // A machine that is busy may read slower than they print; then a line says how many are missing.
    const missing = own.flatMap(({ message }) => /^\[(\d+) lines of output dropped/.exec(message)?.[1] ?? [])
    expect(said.length + missing.reduce((sum, count) => sum + Number(count), 0)).toBe(10_000)
    expect(said.length + missing.length).toBe(own.length)
    expect(said).toEqual(said.toSorted((a, b) => numberOf(a) - numberOf(b)))
    expect(said.at(-1)).toBe(`${name} 9999`)
    expect(new Set(own.map(({ level }) => level))).toEqual(new Set(['INFO', 'ERROR']))
  }
  expect(printed.stderr).toBe('')
})

test('modules that do not load fail every job, and the worker stays', async () => {
  const { child, exit } = take(broken)
  for (const id of ['a', 'b']) {
    plane.give({ id, input: { name: 'you' } })
    expect(readFailure((await plane.result(id)).error)).toMatchObject({
      code: 'MODULE_FAILED',
      message: 'the bundle could not be loaded: top of the module',
    })
  }
  child.kill('SIGTERM')
  expect(await exit).toEqual({ code: 0, signal: null })
})

test('an error that nobody catches fails what runs, and ends the worker', async () => {
  const { exit } = take()
  plane.give({ id: 'a', input: call('timer') })
  expect(readFailure((await plane.result('a')).error)).toMatchObject({
    code: 'WORKER_CRASHED',
    message: expect.stringContaining('in a timer'),
  })
  expect(await exit).toEqual({ code: 1, signal: null })
})

test('a result that was not accepted yet is not lost by an error of another job', async () => {
  const { exit } = take()
  plane.script('job-done', status(500), status(500))
  plane.give({ id: 'a', input: call('later') })
  expect(await plane.result('a')).toEqual({ output: 'said' })
  expect(await exit).toEqual({ code: 1, signal: null })
})

test('a worker that shall be refreshed leaves after its job', async () => {
  const { child, exit } = take()
  plane.give({ id: 'a', input: call('refresh') })
  expect(await plane.result('a')).toEqual({ output: child.pid, stopPod: true })
  expect(await exit).toEqual({ code: 0, signal: null })
})

test('a job that is stopped is not answered, and makes room for others', async () => {
  take(bundle, { RUNPOD_MAX_CONCURRENCY: '1' })
  plane.give({ id: 'a', input: call('wait') })
  await plane.nth('job-done', 1)
  plane.stop('a')
  plane.give({ id: 'b', input: call('say', { name: 'next' }) })
  expect(await plane.result('b')).toEqual({ output: 'hello next' })
  const ofFirst = plane.all('job-done').filter(({ job }) => job === 'a')
  expect(ofFirst.map(({ body }) => body)).toEqual([{ status: 'IN_PROGRESS', output: 'running' }])
})

test('a bundle for a later Node says so and ends with 1', async () => {
  const later = await createBundle({ 'a.ts': workerModule('') }, [], { node: 99 })
  const { exit, printed } = later.take(plane.env())
  expect(await exit).toEqual({ code: 1, signal: null })
  later.close()
  expect(printed.stderr).toMatch(
    new RegExp(`NODE_MISMATCH: .* is made for Node 99, and this is Node ${process.versions.node}`),
  )
})
