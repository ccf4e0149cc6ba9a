import { EventEmitter } from 'node:events'
import { type BundleFunction, createTestClock, readFailure, readOutput, RemoteError } from '@flash/protocol'
import { currentCaller } from '@flash/runtime/server'
import { expect, test, vi } from 'vitest'
import { contextStorage } from '../execute/context.ts'
import { createDefinition, type Functions } from '../execute/definition.ts'
import { captureJobs } from '../execute/job-output.ts'
import { createWorker } from '../execute/worker.ts'
import type { JobScope } from '../queue/types.ts'
import { createRunner } from './runner.ts'
import { classOf, functionOf } from './testing.ts'

class Stream extends EventEmitter {
  text = ''
  write(chunk: string | Uint8Array): boolean {
    this.text += String(chunk)
    return true
  }
}

interface Setting {
  functions?: BundleFunction[]
  config?: object
  executionTimeoutMs?: number
}

function create(bodies: Record<string, unknown>, { functions, config = {}, ...more }: Setting = {}) {
  const table: Functions = Object.create(null)
  for (const [name, body] of Object.entries(bodies)) table[`${name}-id`] = createDefinition(config, body)
  const clock = createTestClock()
  const streams = { stdout: new Stream(), stderr: new Stream() }
  const runner = createRunner({
    info: {
      endpoint: 'ocr',
      wireVersion: 1,
      node: 24,
      maxConcurrency: 1,
      instances: 16,
      executionTimeoutMs: more.executionTimeoutMs ?? 10_000,
      functions: functions ?? Object.keys(bodies).map((name) => functionOf(name, ['a?'])),
    },
    functions: table,
    worker: createWorker({ endpoint: 'ocr', clock, write: () => {} }),
    clock,
    output: captureJobs(streams),
    concurrency: 1,
    source: { hostname: 'host', workerId: 'w1' },
  })
  return { runner, clock, streams }
}

/** What the queue side hears of one job. */
function createScope() {
  const abort = new AbortController()
  const heard = {
    progress: [] as unknown[],
    chunks: [] as unknown[],
    lines: [] as string[],
  }
  const scope: JobScope = {
    signal: abort.signal,
    progress: (json) => void heard.progress.push(JSON.parse(json)),
    chunk: async (json) => void heard.chunks.push(JSON.parse(json)),
    log: (stream, line) => void heard.lines.push(`${stream}: ${line}`),
  }
  return { scope, heard, abort }
}

const ours = { 'flash:call': { v: 1 as const } }

async function run(bodies: Record<string, unknown>, input: unknown, setting?: Setting) {
  const { runner, clock } = create(bodies, setting)
  const { scope, heard } = createScope()
  const outcome = await runner.run({ id: 'job-1', input }, scope)
  return { ...outcome, ...heard, result: JSON.parse(outcome.json), clock }
}

const failureIn = ({ result }: { result: { error: string } }) => readFailure(result.error)

for (const [what, value, input, output] of [
  ['plain JSON', { a: [1, 'x'] }, ours, { a: [1, 'x'] }],
  ['nothing', undefined, {}, null],
  ['dates, to a foreign caller', { at: new Date(0) }, {}, { at: '1970-01-01T00:00:00.000Z' }],
] as const) {
  test(`a result: ${what}`, async () => {
    const ran = await run({ f: () => value }, input)
    expect(ran).toMatchObject({ result: { output }, streamed: false })
    expect(ran).not.toHaveProperty('leave')
  })
}

for (const value of [new Map([[1, 2]]), { error: 'data' }, { refresh_worker: true }, {}]) {
  test(`a result that the platform must not see: ${JSON.stringify(value)}`, async () => {
    const { result } = await run({ f: () => value }, ours)
    expect(Object.keys(result.output)).toEqual(['flash:value'])
    expect(readOutput(result.output)).toEqual(value)
  })
}

test('a failure has the keys of the platform, and what they do not say', async () => {
  const ran = await run(
    {
      f() {
        throw new RemoteError('TOO_DARK', 'dark', { data: { lux: 1 }, cause: new TypeError('inner') })
      },
    },
    ours,
  )
  expect(JSON.parse(ran.result.error)).toEqual({
    error_type: 'RemoteError',
    error_message: 'dark',
    error_traceback: expect.stringContaining('runner.test.ts'),
    hostname: 'host',
    worker_id: 'w1',
    runpod_version: 'unknown',
    flash: {
      name: 'RemoteError',
      code: 'TOO_DARK',
      data: { lux: 1 },
      cause: expect.objectContaining({ message: 'inner' }),
    },
  })
  expect(ran.streamed).toBe(false)
})

test('a map for a foreign caller, an unknown function and a wrong input are failures of the job', async () => {
  expect(failureIn(await run({ f: () => ({ deep: new Map() }) }, {}))).toMatchObject({
    code: 'OUTPUT_NOT_JSON',
    message: expect.stringContaining('deep'),
  })
  expect(failureIn(await run({ f: () => 1, g: () => 2 }, {}))).toMatchObject({ code: 'BAD_INPUT' })
  expect(failureIn(await run({ f: () => 1 }, { b: 1 }))).toMatchObject({ code: 'BAD_INPUT' })
  expect(failureIn(await run({ f: () => 1 }, null))).toMatchObject({ code: 'BAD_INPUT' })
})

async function* items() {
  yield 1
  yield new Date(0)
}

test('items of a generator go ahead; only a foreign caller has the list as well', async () => {
  const foreign = await run({ f: items }, {})
  expect(foreign).toMatchObject({
    chunks: [{ output: 1 }, { output: '1970-01-01T00:00:00.000Z' }],
    result: { output: [1, '1970-01-01T00:00:00.000Z'] },
    streamed: true,
  })
  const own = await run({ f: items }, ours)
  expect(own).toMatchObject({
    chunks: [{ output: 1 }, { output: { 'flash:value': expect.any(String) } }],
    result: { output: [] },
    streamed: true,
  })
})

test('an item is accepted before the function is asked for the next', async () => {
  const seen: string[] = []
  const { runner } = create({
    *f() {
      seen.push('first')
      yield 1
      seen.push('second')
    },
  })
  const { scope } = createScope()
  let accept = () => {}
  const done = runner.run(
    { id: 'j', input: ours },
    { ...scope, chunk: () => new Promise<void>((resolve) => (accept = resolve)) },
  )
  await vi.waitFor(() => expect(seen).toEqual(['first']))
  await new Promise((resolve) => setImmediate(resolve))
  expect(seen).toEqual(['first'])
  accept()
  await done
  expect(seen).toEqual(['first', 'second'])
})

test('more items than a result can have are in the stream only, and a line says so', async () => {
  const ran = await run(
    {
      *f() {
        for (let n = 0; n < 21; n++) yield 'x'.repeat(999_000)
      },
    },
    {},
  )
  expect([ran.chunks.length, ran.result]).toEqual([21, { output: [] }])
  expect(ran.lines).toEqual([
    expect.stringContaining('stderr: the items of this job have more than 20000000'),
  ])
})

test('a generator that throws fails its job behind its items', async () => {
  const ran = await run(
    {
      *f() {
        yield 1
        throw new TypeError('second')
      },
    },
    ours,
  )
  expect([ran.chunks, ran.streamed]).toEqual([[{ output: 1 }], true])
  expect(failureIn(ran)).toMatchObject({ name: 'TypeError', message: 'second' })
})

test('what a function says and prints is its own', async () => {
  const { runner, streams } = create({
    f() {
      const context = contextStorage().getStore()!
      streams.stdout.write('written\n')
      context.log('logged')
      context.progress({ percent: 1 })
      context.progress(new Set([1]))
      return [context.jobId, context.attempt, context.endpoint]
    },
  })
  const { scope, heard } = createScope()
  const { json } = await runner.run({ id: 'job-1', input: ours }, scope)
  expect(JSON.parse(json)).toEqual({ output: ['job-1', 1, 'ocr'] })
  expect(heard.lines).toEqual(['stdout: written', 'stdout: logged'])
  expect(heard.progress).toEqual([{ percent: 1 }, { 'flash:value': expect.any(String) }])
})

test('a worker that shall be refreshed says so with its result, and leaves', async () => {
  const refresh = () => contextStorage().getStore()!.refreshWorker()
  expect(
    await run(
      {
        f() {
          refresh()
          return 1
        },
      },
      ours,
    ),
  ).toMatchObject({ json: '{"output":1,"stopPod":true}', leave: true })
  const failed = await run(
    {
      f() {
        refresh()
        throw new Error('no')
      },
    },
    ours,
  )
  expect(failed).toMatchObject({ result: { stopPod: true, error: expect.any(String) }, leave: true })
})

test('states and instances stay from job to job, a setup that throws is tried by the next', async () => {
  let tries = 0
  const setup = () => {
    if (++tries === 1) throw new Error('not yet')
    return { tries }
  }
  class Model {
    calls = 0
    constructor(readonly name: string) {}
    ask() {
      return [this.name, ++this.calls]
    }
  }
  const { runner } = create(
    { f: (_: unknown, state: unknown) => state, Model },
    {
      config: { setup },
      functions: [functionOf('f', ['a?', 'state'], { setup: 'a.ts#setup' }), classOf('Model', { ask: [] })],
    },
  )
  const call = async (header: object) => {
    const { json } = await runner.run(
      { id: 'j', input: { 'flash:call': { v: 1, ...header } } },
      createScope().scope,
    )
    return JSON.parse(json)
  }
  expect(readFailure((await call({ fn: 'f' })).error)).toMatchObject({ code: 'SETUP_FAILED' })
  expect(await call({ fn: 'f' })).toEqual({ output: { tries: 2 } })
  expect(await call({ fn: 'f' })).toEqual({ output: { tries: 2 } })
  for (const count of [1, 2]) expect(await call({ fn: 'ask', new: ['m'] })).toEqual({ output: ['m', count] })
  expect(await call({ fn: 'ask', new: ['other'] })).toEqual({ output: ['other', 1] })
  await runner.close()
})

for (const [what, header, policy, afterMs] of [
  ['the limit of the endpoint', {}, undefined, 10_000],
  ["the job's own limit", {}, { executionTimeout: 6_000 }, 6_000],
  ['the deadline of the caller', { deadline: 1_700_000_000_000 + 500 }, undefined, 500],
  ['a limit that is none is not looked at', {}, { executionTimeout: -1 }, 10_000],
] as const) {
  test(`a job ends at ${what}`, async () => {
    const { runner, clock } = create({ f: () => new Promise(() => {}) })
    const { scope } = createScope()
    const outcome = runner.run({ id: 'j', input: { 'flash:call': { v: 1, ...header } }, policy }, scope)
    let over = false
    void outcome.then(() => (over = true))
    const pass = async (ms: number) => {
      clock.advance(ms)
      for (let n = 0; n < 5; n++) await new Promise((resolve) => setImmediate(resolve))
    }
    await pass(afterMs - 1)
    await pass(1)
    expect(over).toBe(false)
    await pass(1_000)
    expect(over).toBe(true)
    expect(readFailure(JSON.parse((await outcome).json).error)).toMatchObject({ code: 'TIMEOUT' })
  })
}

for (const [header, hops] of [
  [{}, 0],
  [{ hops: 3 }, 3],
] as const) {
  test(`calls that a function makes can know how many led to it: ${hops}`, async () => {
    const { result, clock } = await run(
      { f: () => ({ ...currentCaller(), signal: 'left out' }) },
      {
        'flash:call': { v: 1, ...header },
      },
    )
    expect(result.output).toEqual({
      endpoint: 'ocr',
      deadline: clock.now() + 10_000,
      hops,
      signal: 'left out',
    })
  })
}

test('a job that is stopped tells its function, and frees its place when that does not listen', async () => {
  const reasons: unknown[] = []
  const { runner, clock } = create({
    f: () =>
      new Promise(() => {
        const { signal } = contextStorage().getStore()!
        signal.addEventListener('abort', () => reasons.push(signal.reason))
      }),
  })
  const { scope, abort } = createScope()
  const outcome = runner.run({ id: 'j', input: ours }, scope)
  await new Promise((resolve) => setImmediate(resolve))
  abort.abort(new Error('stopped by the platform'))
  expect(reasons).toEqual([
    expect.objectContaining({
      code: 'CANCELLED',
      message: expect.stringContaining('stopped by the platform'),
    }),
  ])
  clock.advance(1_000)
  await outcome
  const late = createScope()
  late.abort.abort()
  expect(JSON.parse((await runner.run({ id: 'k', input: ours }, late.scope)).json)).toHaveProperty('error')
})
