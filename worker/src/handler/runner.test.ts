import { EventEmitter } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { createTestClock } from '@flash/protocol'
import { expect, test, vi } from 'vitest'
import { contextStorage } from '../execute/context.ts'
import { captureJobs } from '../execute/job-output.ts'
import type { JobScope } from '../queue/types.ts'
import { createHandlerRunner } from './runner.ts'
import type { HandlerOptions } from './types.ts'

class Stream extends EventEmitter {
  text = ''
  write(chunk: string | Uint8Array): boolean {
    this.text += String(chunk)
    return true
  }
}

function create(options: HandlerOptions, env: Record<string, string> = {}) {
  const streams = { stdout: new Stream(), stderr: new Stream() }
  const clock = createTestClock()
  const runner = createHandlerRunner(options, { env, clock, output: captureJobs(streams) })
  const abort = new AbortController()
  const heard = { chunks: [] as string[], progress: [] as string[], lines: [] as string[] }
  const scope: JobScope = {
    signal: abort.signal,
    progress: (json) => void heard.progress.push(json),
    chunk: async (json) => void heard.chunks.push(json),
    log: (stream, line) => void heard.lines.push(`${stream}: ${line}`),
  }
  return { runner, streams, clock, abort, heard, scope }
}

async function run(options: HandlerOptions, job: Record<string, unknown> = {}, env = {}) {
  const { runner, scope, heard } = create(options, env)
  const { json, ...outcome } = await runner.run({ id: 'j', input: {}, ...job }, scope)
  return { ...outcome, ...heard, result: JSON.parse(json) }
}

test('a handler gets the whole job, and its result follows the rules of the platform', async () => {
  const handler = (job: object) => ({ ...job, error: 'bad', refresh_worker: true })
  expect(await run({ handler }, { input: 5, webhook: 'http://w' })).toMatchObject({
    result: { output: { id: 'j', input: 5, webhook: 'http://w' }, error: 'bad', stopPod: true },
    streamed: false,
  })
})

test('a result that stops the pod lets the process be; the option ends it as well', async () => {
  const once = await run({ handler: async () => ({ refresh_worker: true, a: 1 }) })
  expect(once).not.toHaveProperty('leave')
  const always = await run({ handler: () => 1, refreshWorker: true })
  expect(always).toMatchObject({ result: { output: 1, stopPod: true }, leave: true })
  const asked = await run({ handler: () => contextStorage().getStore()!.refreshWorker() })
  expect(asked).toMatchObject({ result: { output: null, stopPod: true }, leave: true })
})

test('what it throws is an error with the keys of the platform', async () => {
  const handler = async () => {
    throw new RangeError('far')
  }
  const { result, streamed } = await run(
    { handler },
    {},
    { RUNPOD_POD_ID: 'w1', RUNPOD_POD_HOSTNAME: 'host' },
  )
  expect(JSON.parse(result.error)).toMatchObject({
    error_type: 'RangeError',
    error_message: 'far',
    error_traceback: expect.stringContaining('runner.test.ts'),
    hostname: 'host',
    worker_id: 'w1',
  })
  expect([Object.keys(result), streamed]).toEqual([['error'], false])
})

test('a result that is no JSON is an error with its path', async () => {
  const { result } = await run({ handler: () => ({ a: new Map() }) })
  expect(JSON.parse(result.error)).toMatchObject({ error_message: expect.stringMatching(/\ba\b.*Map/) })
})

function* numbers() {
  yield 1
  yield { two: 2 }
}

for (const [what, handler, returnAggregateStream, output] of [
  ['a generator', numbers, false, []],
  ['a generator, aggregated', numbers, true, [1, { two: 2 }]],
  [
    'an async generator',
    async function* () {
      yield* numbers()
    },
    true,
    [1, { two: 2 }],
  ],
  ['a promise of a generator', async () => numbers(), true, [1, { two: 2 }]],
] as const) {
  test(`a stream: ${what}`, async () => {
    expect(await run({ handler, returnAggregateStream })).toMatchObject({
      chunks: ['{"output":1}', '{"output":{"two":2}}'],
      result: { output },
      streamed: true,
    })
  })
}

test('a generator without items streamed nothing, and streamed', async () => {
  expect(await run({ *handler() {} })).toMatchObject({ chunks: [], result: { output: [] }, streamed: true })
})

test('a yielded error ends the stream', async () => {
  const left = vi.fn()
  const handler = function* () {
    try {
      yield 1
      yield { error: { code: 7 } }
      yield 3
    } finally {
      left()
    }
  }
  expect(await run({ handler, returnAggregateStream: true })).toMatchObject({
    chunks: ['{"output":1}'],
    result: { error: '{"code":7}' },
    streamed: true,
  })
  expect(left).toHaveBeenCalledTimes(1)
})

test('a generator that throws ends with a text', async () => {
  const handler = function* () {
    yield 1
    throw new TypeError('second')
  }
  const { result, streamed } = await run({ handler, refreshWorker: true })
  expect(result).toEqual({
    error: expect.stringMatching(/^handler: second \ntraceback: TypeError: second\n +at /),
    stopPod: true,
  })
  expect(streamed).toBe(true)
})

test('has a signal, progress and a log; what it prints is its own', async () => {
  const { runner, scope, heard, streams } = create({
    handler(_, { progress, log, signal }) {
      progress({ percent: 40 })
      log('half', { way: 1 })
      streams.stderr.write('printed\n')
      return signal.aborted
    },
  })
  const { json } = await runner.run({ id: 'j', input: 1 }, scope)
  expect(json).toBe('{"output":false}')
  expect(heard).toEqual({
    chunks: [],
    progress: ['{"percent":40}'],
    lines: ['stdout: half { way: 1 }', 'stderr: printed'],
  })
})

test('progress that cannot be read is told in the log', async () => {
  const blob = new Blob(['x'])
  blob.arrayBuffer = () => Promise.reject(new Error('gone'))
  const { lines, progress } = await run({
    async handler(_, context) {
      context.progress({ blob })
      await turn()
    },
  })
  expect({ lines, progress }).toEqual({
    lines: ['stderr: progress cannot be told: Error: gone'],
    progress: [],
  })
})

test('getContext() works below a handler', async () => {
  const handler = () => {
    const { jobId, attempt, endpoint, deadline } = contextStorage().getStore()!
    return { jobId, attempt, endpoint, deadline }
  }
  const { result } = await run({ handler }, {}, { RUNPOD_ENDPOINT_ID: 'ep' })
  expect(result.output).toEqual({ jobId: 'j', attempt: 1, endpoint: 'ep', deadline: null })
})

test('a job that is stopped aborts its signal, and frees its place after a second', async () => {
  const { runner, scope, abort, clock } = create({ handler: () => new Promise(() => {}) })
  let over = false
  const outcome = runner.run({ id: 'j', input: 1 }, scope).then(() => (over = true))
  abort.abort(new Error('stopped'))
  await turn()
  expect(over).toBe(false)
  clock.advance(1_000)
  await outcome
})

for (const [what, wanted, next] of [
  ['as it says', 5, 5],
  ['a promise', Promise.resolve(2), 2],
  ['none', 0, 3],
  ['no number', Number.NaN, 3],
  ['nothing', undefined, 3],
] as const) {
  test(`concurrency: ${what}`, async () => {
    const { runner } = create({ handler: () => 1, concurrencyModifier: () => wanted as number })
    expect(await runner.concurrency(3)).toBe(next)
  })
}

test('fitness checks run in their order; the first that throws is told by its name', async () => {
  const passed = vi.fn()
  const fitness = {
    disk: passed,
    gpu: async () => {
      throw new RangeError('no memory')
    },
    never: passed,
  }
  const { runner } = create({ handler: () => 1, fitness })
  await expect(runner.prepare!()).rejects.toMatchObject({
    check: 'gpu',
    name: 'RangeError',
    message: 'no memory',
  })
  expect(passed).toHaveBeenCalledTimes(1)
  await expect(create({ handler: () => 1 }).runner.prepare!()).resolves.toBeUndefined()
})
