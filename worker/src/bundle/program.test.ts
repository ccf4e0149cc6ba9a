import { EventEmitter } from 'node:events'
import { AppError, type BundleFunction, type BundleInfo, RemoteError } from '@flash/protocol'
import { describe, expect, test, vi } from 'vitest'
import { contextStorage } from '../execute/context.ts'
import { createDefinition, type Functions } from '../execute/definition.ts'
import type { CreateLoader } from '../local/session.ts'
import type { JobRunner } from '../queue/types.ts'
import { openProgram } from './program.ts'
import { classOf, functionOf } from './testing.ts'
import type { BundleProcess } from './types.ts'

interface Setting {
  args?: string[]
  env?: Record<string, string>
}

/** A process that does not really end, and what it wrote. */
function createProcess({ args = [], env = {} }: Setting) {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string, done?: () => void) {
      written[name] += text
      done?.()
      return true
    },
  })
  const exit = vi.fn()
  const events = new EventEmitter()
  const process = {
    argv: ['node', 'main.mjs', ...args],
    env,
    exitCode: undefined as number | undefined,
    version: 'v24.1.0',
    cwd: () => '/tmp',
    exit,
    on: events.on.bind(events),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
  }
  return { process, written, exit, emit: events.emit.bind(events) }
}

function open(setting: Setting = {}) {
  const made = createProcess(setting)
  const serve = vi.fn<(descriptor: number, createLoader: CreateLoader, options: object) => void>()
  const serveJobs = vi.fn<(runner: JobRunner, write: (line: string) => void) => Promise<number>>(
    () => new Promise(() => {}),
  )
  const crash = vi.fn()
  const start = openProgram({
    process: made.process as unknown as BundleProcess,
    root: '/app',
    serve,
    serveJobs,
    crash,
  })
  return { ...made, serve, serveJobs, crash, start }
}

const infoOf = (functions: BundleFunction[], more: Partial<BundleInfo> = {}): BundleInfo => ({
  endpoint: 'ocr',
  wireVersion: 1,
  node: 24,
  maxConcurrency: 1,
  instances: 16,
  executionTimeoutMs: 10_000,
  functions,
  ...more,
})

function tableOf(bodies: Record<string, unknown>, config: object = {}): Functions {
  const table: Functions = Object.create(null)
  for (const [name, body] of Object.entries(bodies)) table[`${name}-id`] = createDefinition(config, body)
  return table
}

/** Runs one job; what was printed is parsed. */
async function runJob(
  input: unknown,
  bodies: Record<string, unknown>,
  more: { functions?: BundleFunction[]; config?: object; info?: Partial<BundleInfo> } = {},
) {
  const program = open({ args: ['--test-input', JSON.stringify({ input })] })
  const functions = more.functions ?? Object.keys(bodies).map((name) => functionOf(name, ['a?']))
  program.start(infoOf(functions, more.info), [tableOf(bodies, more.config)])
  await vi.waitFor(() => expect(program.exit).toHaveBeenCalled(), 5_000)
  const { stdout, stderr } = program.written
  const code: unknown = program.exit.mock.calls[0]![0]
  expect(stdout).toMatch(code === 2 ? /^$/ : /^[^\n]+\n$/)
  return { code, stderr, answer: stdout && JSON.parse(stdout) }
}

describe('one job', () => {
  test('prints its result', async () => {
    const ran = await runJob({ a: 2 }, { double: (a: number) => a * 2 })
    expect(ran).toEqual({ code: 0, stderr: '', answer: { output: 4 } })
  })

  test('without a result prints null', async () => {
    expect(await runJob({}, { nothing: () => {} })).toMatchObject({ answer: { output: null } })
  })

  test('of a generator prints the list of its items', async () => {
    const body = async function* () {
      yield { at: new Date(0) }
      yield new Uint8Array([1])
    }
    expect(await runJob({}, { items: body })).toMatchObject({
      code: 0,
      answer: { output: [{ at: '1970-01-01T00:00:00.000Z' }, 'AQ=='] },
    })
  })

  test('gives a caller of ours what plain JSON cannot say', async () => {
    const header = { 'flash:call': { v: 1 } }
    expect(await runJob(header, { map: () => new Map([[1, 2]]) })).toMatchObject({
      code: 0,
      answer: { output: { 'flash:value': expect.stringContaining('Map') } },
    })
    expect(await runJob({}, { map: () => new Map() })).toMatchObject({
      code: 1,
      answer: { error: { code: 'OUTPUT_NOT_JSON' } },
    })
  })

  test('runs with its context, its setup and the instances of the endpoint', async () => {
    const seen: unknown[] = []
    const body = (_: unknown, state: unknown) => {
      const { jobId, attempt, deadline, endpoint, log, progress, refreshWorker } =
        contextStorage().getStore()!
      seen.push(jobId, attempt, endpoint, deadline! - Date.now() > 9_000)
      log('hello')
      progress({ percent: 5 })
      refreshWorker()
      return state
    }
    const dispose = vi.fn()
    const setup = () => ({ name: 'state', dispose })
    const functions = [functionOf('stateful', ['a?', 'state'], { setup: 'a.ts#setup' })]
    const ran = await runJob(
      { a: 1 },
      { stateful: (a: unknown, s: { name: string }) => body(a, s.name) },
      {
        functions,
        config: { setup },
      },
    )
    expect(ran).toMatchObject({
      code: 0,
      answer: { output: 'state' },
      stderr: 'hello\nprogress: {"percent":5}\n',
    })
    expect(seen).toEqual(['test-input', 1, 'ocr', true])
    expect(dispose).toHaveBeenCalledTimes(1)
  })

  test('of a class makes an instance and calls its method', async () => {
    class Model {
      name: string
      constructor(name = 'none') {
        this.name = name
      }
      ask(question: string) {
        return `${this.name}: ${question}`
      }
    }
    const functions = [classOf('Model', { ask: ['question'] })]
    const input = { question: 'why', 'flash:call': { v: 1, fn: 'ask', new: ['small'] } }
    expect(await runJob(input, { Model }, { functions })).toMatchObject({ answer: { output: 'small: why' } })
    const foreign = { question: 'why', method: 'ask' }
    expect(await runJob(foreign, { Model }, { functions })).toMatchObject({ answer: { output: 'none: why' } })
  })

  test('prints an error with all that is known, and tells people of it on stderr', async () => {
    const body = () => {
      throw new RemoteError('TOO_DARK', 'the picture is dark', { data: { lux: 1 }, hint: 'add light' })
    }
    const { code, answer, stderr } = await runJob({}, { read: body })
    expect(code).toBe(1)
    expect(answer).toEqual({
      error: {
        name: 'RemoteError',
        code: 'TOO_DARK',
        message: 'the picture is dark',
        hint: 'add light',
        data: { lux: 1 },
        stack: expect.stringContaining('program.test.ts'),
      },
    })
    expect(stderr).toMatch(/^RemoteError: the picture is dark\n +at .*program\.test\.ts/)
  })

  test('with an input that does not fit is an error of the job', async () => {
    expect(await runJob({ b: 1 }, { read: () => 1 })).toMatchObject({
      code: 1,
      answer: { error: { code: 'BAD_INPUT', message: expect.stringContaining('"b"') } },
      stderr: expect.stringMatching(/^BAD_INPUT: the function has no parameter "b"\n {2}\S/),
    })
  })

  test('that runs too long is ended', async () => {
    const ran = await runJob({}, { wait: () => new Promise(() => {}) }, { info: { executionTimeoutMs: 20 } })
    expect(ran).toMatchObject({ code: 1, answer: { error: { code: 'TIMEOUT' } } })
  })

  test('that names none of several functions is not run', async () => {
    const ran = await runJob({}, { one: () => 1, two: () => 2 })
    expect(ran).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(/^flash: BAD_INPUT: .*\n {2}add .* one, two\n$/),
    })
  })

  test('of a function whose module does not define it says so', async () => {
    const ran = await runJob({}, {}, { functions: [functionOf('gone', [])] })
    expect(ran).toMatchObject({ code: 1, answer: { error: { code: 'UNKNOWN_FUNCTION' } } })
  })
})

describe('the process of one job', () => {
  const job = { args: ['--test-input', '{"input":{}}'] }

  test('has everything on stderr but the answer', async () => {
    const { process, written, start, exit } = open(job)
    process.stdout.write('while loading\n')
    const body = () => void process.stdout.write('while running\n')
    start(infoOf([functionOf('talk', [])]), [tableOf({ talk: body })])
    await vi.waitFor(() => expect(exit).toHaveBeenCalledWith(0))
    expect(written).toEqual({ stdout: '{"output":null}\n', stderr: 'while loading\nwhile running\n' })
  })

  test('answers for modules that do not load, and for no more than that', () => {
    const { start, written, exit, emit } = open(job)
    emit('uncaughtException', new TypeError('at the top'))
    expect(JSON.parse(written.stdout)).toMatchObject({
      error: {
        code: 'MODULE_FAILED',
        message: 'the bundle could not be loaded: at the top',
        hint: 'correct it, and build again',
        cause: { name: 'TypeError' },
      },
    })
    expect(written.stderr).toMatch(/^MODULE_FAILED: .*\n {2}correct it.*\n {2}TypeError: at the top\n +at /)
    expect(exit.mock.calls).toEqual([[1]])
    start(infoOf([]), [])
    emit('uncaughtException', new Error('again'))
    expect(exit.mock.calls).toEqual([[1]])
  })

  test('answers for what nobody catches while it runs', () => {
    const { start, written, exit, emit } = open(job)
    start(infoOf([functionOf('wait', [])]), [tableOf({ wait: () => new Promise(() => {}) })])
    emit('uncaughtException', new Error('in a timer'))
    expect(JSON.parse(written.stdout)).toMatchObject({ error: { name: 'Error', message: 'in a timer' } })
    expect(exit.mock.calls).toEqual([[1]])
  })

  test('that ends before its function is an error', () => {
    const { process, written, emit } = open(job)
    emit('exit', 0)
    expect(JSON.parse(written.stdout)).toMatchObject({
      error: { code: 'WORKER_CRASHED', message: 'the process ended with code 0 before the function did' },
    })
    expect(process.exitCode).toBe(1)
  })

  test('that has answered ends as it wants', async () => {
    const { process, start, exit, emit, written } = open(job)
    start(infoOf([functionOf('one', [])]), [tableOf({ one: () => 1 })])
    await vi.waitFor(() => expect(exit).toHaveBeenCalled())
    emit('exit', 0)
    expect(process.exitCode).toBeUndefined()
    expect(written.stdout).toBe('{"output":1}\n')
  })
})

test('a process with a queue that does not know where it is says which ways there are, and ends', () => {
  const { exit, written, start, serve, emit } = open()
  start(infoOf([functionOf('read', [])]), [])
  expect(exit.mock.calls).toEqual([[2]])
  expect(written).toEqual({
    stdout: '',
    stderr: expect.stringMatching(/^flash: NOT_AVAILABLE: .*\n {2}run one job .*\n$/),
  })
  emit('uncaughtException', new Error('late'))
  expect(serve).not.toHaveBeenCalled()
})

test('a request for a bundle that takes jobs is bad usage', () => {
  const { exit, written, start } = open({ args: ['--test-input', '{"request":{"path":"/"}}'] })
  start(infoOf([functionOf('read', [])]), [])
  expect(exit.mock.calls).toEqual([[2]])
  expect(written.stderr).toMatch(
    /^flash: BAD_REQUEST: the bundle of "ocr" takes jobs, .*\n {2}write \{"input"/,
  )
})

test('a process whose arguments cannot be understood says so, and ends', () => {
  const { exit, written, start } = open({ args: ['--serve'] })
  expect(exit.mock.calls).toEqual([[2]])
  start(infoOf([]), [])
  expect(written.stderr).toMatch(/^flash: BAD_REQUEST: the argument "--serve" is not known\n/)
})

describe('a worker', () => {
  const worker = () => open({ env: { FLASH_WORKER_CHANNEL: '4' } })
  const loadOf = async ({ serve }: ReturnType<typeof open>) => {
    const [descriptor, createLoader, options] = serve.mock.calls[0]!
    expect([descriptor, options]).toEqual([4, { setupKey: expect.any(Function) }])
    const loader = await createLoader({ root: '/', ask: vi.fn() })
    loader.invalidate(['/a.ts'])
    return loader.load('whatever')
  }

  test('serves the functions of all modules', async () => {
    const made = worker()
    expect(made.serve).not.toHaveBeenCalled()
    const [one, two] = [tableOf({ one: () => 1 }), tableOf({ two: () => 2 })]
    made.start(infoOf([]), [one, two])
    const { __flash_functions: functions } = await loadOf(made)
    expect(functions).toEqual({ ...one, ...two })
    expect(Object.getPrototypeOf(functions)).toBeNull()
    expect(made.exit).not.toHaveBeenCalled()
  })

  test('whose modules do not load answers every call with why', async () => {
    const made = worker()
    const told = new AppError('ENV_MISSING', { message: 'TOKEN is missing' })
    made.emit('uncaughtException', told)
    await expect(loadOf(made)).rejects.toMatchObject({ code: 'MODULE_FAILED', cause: told })
    made.start(infoOf([]), [])
    expect(made.serve).toHaveBeenCalledTimes(1)
  })

  test('ends by what nobody catches later', () => {
    const made = worker()
    made.start(infoOf([]), [])
    const error = new Error('in a timer')
    made.emit('uncaughtException', error)
    expect(made.crash).toHaveBeenCalledWith(error)
  })
})

describe('a worker of a queue', () => {
  const RUNPOD_WEBHOOK_GET_JOB = 'http://127.0.0.1:1/job-take/w'
  const openQueue = (env = {}, version = 'v24.1.0') => {
    const made = open({ env: { RUNPOD_WEBHOOK_GET_JOB, ...env } })
    made.process.version = version
    return made
  }
  const scope = { signal: new AbortController().signal, progress() {}, async chunk() {}, log() {} }

  test('takes jobs when the modules are there', async () => {
    const { start, serveJobs, exit } = openQueue({ RUNPOD_MAX_CONCURRENCY: '3' })
    expect(serveJobs).not.toHaveBeenCalled()
    start(infoOf([functionOf('double', ['a'])]), [tableOf({ double: (a: number) => a * 2 })])
    const [runner] = serveJobs.mock.calls[0]!
    expect(runner.concurrency(1)).toBe(3)
    expect(await runner.run({ id: 'j', input: { a: 2 } }, scope)).toEqual({
      json: '{"output":4}',
      streamed: false,
    })
    expect(exit).not.toHaveBeenCalled()
    await runner.close()
  })

  test('ends as the queue says, when everything is written', async () => {
    const { start, serveJobs, exit, written } = openQueue()
    serveJobs.mockImplementation(async (_, write) => {
      write('a line\n')
      return 1
    })
    start(infoOf([]), [])
    await vi.waitFor(() => expect(exit.mock.calls).toEqual([[1]]))
    expect(written).toEqual({ stdout: 'a line\n', stderr: '' })
  })

  test('whose variables cannot be used says which', async () => {
    const { start, serveJobs, exit, written } = openQueue()
    serveJobs.mockRejectedValue(new AppError('BAD_ENVIRONMENT', { message: 'no address', hint: 'set it' }))
    start(infoOf([]), [])
    await vi.waitFor(() => expect(exit.mock.calls).toEqual([[1]]))
    expect(written.stderr).toBe('flash: BAD_ENVIRONMENT: no address\n  set it\n')
  })

  test('has the concurrency of the endpoint', () => {
    const { start, serveJobs } = openQueue()
    start(infoOf([], { maxConcurrency: 7 }), [])
    expect(serveJobs.mock.calls[0]![0].concurrency(1)).toBe(7)
  })

  test('that answers requests fails every job, and says why', async () => {
    const { start, serveJobs, written } = open({ env: { RUNPOD_WEBHOOK_GET_JOB: 'http://127.0.0.1/take' } })
    start(infoOf([functionOf('site', [], { kind: 'web' })]), [])
    expect(written.stderr).toMatch(/^flash: BAD_ENVIRONMENT: the bundle of "ocr" answers requests/)
    const [runner] = serveJobs.mock.calls[0]!
    const { json } = await runner.run({ id: 'j', input: {} }, {} as never)
    expect(JSON.parse(json).error).toContain('answers requests')
  })

  test('whose modules do not load fails every job with why', async () => {
    const { start, serveJobs, emit, written } = openQueue({ RUNPOD_POD_ID: 'w1' })
    emit('uncaughtException', new RangeError('at the top'))
    start(infoOf([]), [])
    expect(serveJobs).toHaveBeenCalledTimes(1)
    const [runner] = serveJobs.mock.calls[0]!
    const { json } = await runner.run({ id: 'j', input: {} }, scope)
    expect(JSON.parse(JSON.parse(json).error)).toMatchObject({
      error_message: 'the bundle could not be loaded: at the top',
      worker_id: 'w1',
      flash: { code: 'MODULE_FAILED' },
    })
    expect(runner.concurrency(1)).toBe(1)
    await runner.close()
    expect(written.stderr).toMatch(/^flash: MODULE_FAILED: /)
  })

  for (const [what, env, version, line] of [
    [
      'an older Node',
      {},
      'v22.12.0',
      /NODE_MISMATCH: the bundle of "ocr" is made for Node 24, and this is Node 22\.12\.0/,
    ],
    [
      'a concurrency that is none',
      { RUNPOD_MAX_CONCURRENCY: '0' },
      'v24.0.0',
      /RUNPOD_MAX_CONCURRENCY is "0"/,
    ],
  ] as const) {
    test(`ends with 1 for ${what}`, async () => {
      const { start, serveJobs, exit, written } = openQueue(env, version)
      start(infoOf([]), [])
      await vi.waitFor(() => expect(exit.mock.calls).toEqual([[1]]))
      expect(serveJobs).not.toHaveBeenCalled()
      expect(written.stderr).toMatch(line)
    })
  }

  for (const [what, env, version] of [
    ['a newer Node', {}, 'v26.0.0'],
    ['any Node when that is wanted', { FLASH_ANY_NODE: '1' }, 'v20.19.0'],
  ] as const) {
    test(`runs in ${what}`, () => {
      const { start, serveJobs } = openQueue(env, version)
      start(infoOf([]), [])
      expect(serveJobs).toHaveBeenCalledTimes(1)
    })
  }

  test('fails what runs when nobody catches an error, and leaves', async () => {
    const { start, serveJobs, crash, emit } = openQueue()
    start(infoOf([functionOf('wait', [])]), [tableOf({ wait: () => new Promise(() => {}) })])
    const [runner] = serveJobs.mock.calls[0]!
    const outcome = runner.run({ id: 'j', input: {} }, scope)
    emit('uncaughtException', new Error('in a timer'))
    const { json, leave } = await outcome
    expect(leave).toBe(true)
    expect(JSON.parse(JSON.parse(json).error)).toMatchObject({
      error_message: 'an error that nobody caught ended the worker: in a timer',
      flash: { code: 'WORKER_CRASHED', cause: { message: 'in a timer' } },
    })
    expect(runner.broken!.aborted).toBe(true)
    emit('uncaughtException', new Error('once more, while it is told'))
    expect(crash).not.toHaveBeenCalled()
  })

  test('an error that nobody catches while nothing runs lets results arrive before the end', () => {
    const { start, serveJobs, crash, emit, written } = openQueue()
    start(infoOf([]), [])
    emit('uncaughtException', new Error('idle'))
    expect(serveJobs.mock.calls[0]![0].broken!.aborted).toBe(true)
    expect(written.stderr).toMatch(/^flash: Error: idle\n/)
    expect(crash).not.toHaveBeenCalled()
  })
})
