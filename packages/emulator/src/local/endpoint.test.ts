import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { AppError, createTestClock, type LocalCall, readFailure } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { EndpointContext } from './context.ts'
import type { LocalSubmission } from './endpoint.ts'
import { createEndpoint, type EndpointSettings, type LocalFunction, plainOutput, STREAMED } from './index.ts'
import { createFakeWorker, type FakeWorker } from './testing.ts'

const read: LocalFunction = {
  id: 'read',
  kind: 'function',
  callables: [{ name: 'read', kind: 'function', params: [{ name: 'text', kind: 'plain', optional: false }] }],
  setup: 'src/read.ts#setup',
  hasInput: false,
}
const other: LocalFunction = { ...read, id: 'other', setup: null }

const settingsOf = (more: Partial<EndpointSettings['config']> = {}): EndpointSettings => ({
  name: 'ocr',
  config: {
    executionTimeoutMs: 10_000,
    maxConcurrency: 1,
    instances: 7,
    dev: { target: null, workers: 1, keepWarm: false },
    ...more,
  },
  env: { A: '1' },
  unnamed: ['SECRET'],
})

const workersOf = (workers: number) => ({ target: null, workers, keepWarm: false })

let ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

function setUp(settings = settingsOf(), more: Partial<EndpointContext<LocalFunction>> = {}) {
  const clock = createTestClock()
  const workers: FakeWorker[] = []
  const printed: string[] = []
  const endpoint = createEndpoint(settings, {
    clock,
    root: '/app',
    launch(env) {
      const worker = createFakeWorker(env)
      workers.push(worker)
      return worker.launched
    },
    moduleOf: ({ id }) => `/src/${id}.ts`,
    answer: async (question, data) => ({ question, data }),
    onOutput: (name, stream, text) => printed.push(`${name} ${stream} ${text}`),
    ...more,
  })
  ends.push(endpoint.close)
  const submit = (given: Partial<LocalSubmission<LocalFunction>> = {}) =>
    endpoint.submit({ fact: read, input: { text: 'a' }, parts: [], foreign: false, kind: 'run', ...given }).id
  const statusOf = (id: string) => endpoint.queue.status(id)!
  const failureOf = (id: string) => readFailure(statusOf(id).error)
  return { clock, workers, printed, endpoint, submit, statusOf, failureOf }
}

const done = (call: number, text = '"done"', rich = false) => ({ t: 'done', call, rich, text }) as const
const turn = () => new Promise((resolve) => setImmediate(resolve))

test('the first job starts a worker, which gets the call with all it needs', () => {
  const { workers, submit, endpoint } = setUp()
  expect(workers).toHaveLength(0)
  const id = submit({ parts: [new Uint8Array([1, 2])], idempotencyKey: 'k', foreign: true })
  const [worker] = workers as [FakeWorker]
  expect(worker.env).toEqual({ A: '1' })
  expect(worker.heard[0]).toEqual({ t: 'start', root: '/app', endpoint: 'ocr', unnamed: ['SECRET'] })
  expect(worker.heard[1]).toEqual({
    t: 'call',
    call: 1,
    jobId: id,
    attempt: 1,
    deadline: 1_700_000_010_000,
    fn: 'read',
    module: '/src/read.ts',
    input: { text: 'a' },
    shape: {
      kind: 'function',
      callables: [{ name: 'read', params: read.callables[0]!.params }],
      takesObject: false,
    },
    foreign: true,
    setup: 'src/read.ts#setup',
    endpoint: 'ocr',
    instances: 7,
    idempotencyKey: 'k',
  } satisfies LocalCall)
  expect(worker.parts[1]).toEqual([new Uint8Array([1, 2])])
  expect(endpoint.executionTimeoutMs).toBe(10_000)
})

test('a process waits for a worker only while calls run in it', () => {
  const { workers, submit } = setUp(settingsOf({ maxConcurrency: 2 }))
  submit()
  submit()
  const [worker] = workers as [FakeWorker]
  expect(worker.held).toBe(true)
  worker.say(done(1))
  expect(worker.held).toBe(true)
  worker.say(done(2))
  expect(worker.held).toBe(false)
  submit()
  expect(worker.held).toBe(true)
})

test('a result is kept as the worker sent it, and is read for others', async () => {
  const { workers, submit, statusOf, endpoint } = setUp()
  const id = submit()
  workers[0]!.say(done(1, '[["Uint8Array",0]]', true), [new Uint8Array([3])])
  expect(statusOf(id)).toMatchObject({
    status: 'COMPLETED',
    output: { rich: true, parts: [expect.anything()] },
  })
  const plain = submit()
  workers[0]!.say(done(2, '{"n":1}'))
  expect(await plainOutput(endpoint.queue, statusOf(plain))).toEqual({ n: 1 })
  expect(await plainOutput(endpoint.queue, { id: 'x', status: 'IN_QUEUE' })).toBeUndefined()
})

test('what a function says while it runs goes to the readers of its job', () => {
  const { workers, submit, endpoint, printed } = setUp()
  const id = submit()
  const said: unknown[] = []
  endpoint.queue.subscribe(id, (event) => said.push(event.type === 'item' ? event.item : event.type))
  const [worker] = workers as [FakeWorker]
  worker.say({ t: 'started', call: 1 })
  worker.say({ t: 'progress', call: 1, rich: false, text: '5' })
  worker.say({ t: 'item', call: 1, rich: false, text: '"i"' })
  worker.say({ t: 'log', call: 1, stream: 'stdout', text: 'hello\n' })
  worker.say({ t: 'log', call: null, stream: 'stderr', text: 'nobody\n' })
  worker.print('stdout', 'raw\n')
  worker.say(done(1, ''))
  expect(said).toEqual([
    'status',
    'progress',
    { type: expect.any(Number), rich: false, text: '"i"', parts: [] },
    'log',
    'end',
  ])
  expect(printed).toEqual(['ocr stdout hello\n', 'ocr stderr nobody\n', 'ocr stdout raw\n'])
})

test('the result of a generator is that its items are in the stream', async () => {
  const { workers, submit, statusOf, endpoint } = setUp()
  const id = submit()
  for (const text of ['1', '2']) workers[0]!.say({ t: 'item', call: 1, rich: false, text })
  workers[0]!.say(done(1, ''))
  expect(statusOf(id).output).toBe(STREAMED)
  expect(await plainOutput(endpoint.queue, statusOf(id))).toEqual([1, 2])
})

test('an error fails the job, and the worker takes the next', () => {
  const { workers, submit, failureOf } = setUp()
  const [first, second] = [submit(), submit()]
  expect(workers[0]!.calls()).toHaveLength(1)
  workers[0]!.say({ t: 'failed', call: 1, error: { name: 'TypeError', message: 'no' } })
  expect(failureOf(first)).toMatchObject({ name: 'TypeError', message: 'no' })
  expect(workers[0]!.calls().map(({ jobId }) => jobId)).toEqual([first, second])
})

test('keys of callers belong to one function or method, and to who calls', () => {
  const { submit } = setUp()
  const id = submit({ idempotencyKey: 'k' })
  expect(submit({ idempotencyKey: 'k' })).toBe(id)
  const method = (fn: string) => ({ 'flash:call': { v: 1 as const, fn } })
  const others = [
    submit({ idempotencyKey: 'k', fact: other }),
    submit({ idempotencyKey: 'k', scope: 'ann' }),
    submit({ idempotencyKey: 'k', scope: 'bob' }),
    submit({ idempotencyKey: 'k', input: method('load') }),
    submit({ idempotencyKey: 'k', input: method('scan') }),
  ]
  expect(new Set([id, ...others]).size).toBe(6)
  expect(submit({ idempotencyKey: 'k', scope: 'bob' })).toBe(others[2])
})

test('warming runs setup and nothing else', async () => {
  const { workers, endpoint } = setUp()
  const warm = endpoint.warm(read)
  expect(workers[0]!.heard[1]).toEqual({
    t: 'warm',
    call: 1,
    fn: 'read',
    module: '/src/read.ts',
    setup: 'src/read.ts#setup',
    endpoint: 'ocr',
  })
  workers[0]!.say(done(1, 'null'))
  await warm
  const failing = endpoint.warm(read)
  workers[0]!.say({
    t: 'failed',
    call: 2,
    error: { name: 'RemoteError', message: 'm', code: 'SETUP_FAILED' },
  })
  await expect(failing).rejects.toMatchObject({ code: 'SETUP_FAILED' })
})

test('workers are as many as the config says, and are counted', () => {
  const { workers, submit, endpoint } = setUp(settingsOf({ dev: workersOf(2) }))
  for (let n = 0; n < 3; n++) submit()
  expect(workers).toHaveLength(2)
  expect(endpoint.workers()).toEqual({ idle: 0, ready: 0, running: 2 })
  workers[0]!.say(done(1))
  expect(workers[0]!.calls()).toHaveLength(2)
  workers[1]!.say(done(1))
  expect(endpoint.workers()).toEqual({ idle: 1, ready: 1, running: 1 })
})

test('a worker runs as many calls at a time as the config allows, the least busy one first', () => {
  const { workers, submit } = setUp(settingsOf({ maxConcurrency: 2 }))
  for (let n = 0; n < 3; n++) submit()
  expect(workers).toHaveLength(1)
  expect(workers[0]!.calls()).toHaveLength(2)
})

test('changed files reach the workers', () => {
  const { workers, submit, endpoint } = setUp()
  submit()
  endpoint.invalidate(['/app/src/a.ts'])
  expect(workers[0]!.heard.at(-1)).toEqual({ t: 'invalidate', files: ['/app/src/a.ts'] })
})

describe('new settings', () => {
  test('with other variables mean fresh workers; calls in flight finish on the old ones', async () => {
    const { workers, submit, endpoint, statusOf } = setUp()
    const before = submit()
    endpoint.configure({ ...settingsOf(), env: { A: '2' } })
    const after = submit()
    expect(workers.map(({ env }) => env)).toEqual([{ A: '1' }, { A: '2' }])
    workers[0]!.say(done(1))
    workers[1]!.say(done(1))
    expect([statusOf(before).status, statusOf(after).status]).toEqual(['COMPLETED', 'COMPLETED'])
    expect(workers.map(({ killed }) => killed)).toEqual([true, false])
  })

  test('with other limits hold for the next jobs, in the same workers', () => {
    const { workers, submit, endpoint } = setUp()
    submit()
    submit()
    endpoint.configure(settingsOf({ maxConcurrency: 2, executionTimeoutMs: 20_000 }))
    expect(workers[0]!.calls()).toHaveLength(2)
    expect(endpoint.executionTimeoutMs).toBe(20_000)
  })

  test('can be fresh workers alone', () => {
    const { workers, submit, endpoint } = setUp()
    submit()
    workers[0]!.say(done(1))
    endpoint.retire()
    expect(workers[0]!.killed).toBe(true)
    submit()
    expect(workers).toHaveLength(2)
  })
})

describe('a worker that ends', () => {
  for (const [what, exit, message] of [
    ['by itself', { code: 3 }, /^the worker of "ocr" exited with code 3 .*its last output:\nlast words$/s],
    ['by a signal', { code: null, signal: 'SIGSEGV' }, /was ended by SIGSEGV/],
    ['before it began', { code: null, reason: 'spawn ENOENT' }, /could not be started.*spawn ENOENT/s],
  ] as const) {
    test(`${what} fails its calls with what it said last, and the next call starts another`, async () => {
      const { workers, submit, failureOf } = setUp()
      const id = submit()
      workers[0]!.print('stderr', 'last words\n')
      await workers[0]!.end(exit)
      expect(failureOf(id)).toMatchObject({
        code: 'WORKER_CRASHED',
        message: expect.stringMatching(message),
        data: { exitCode: exit.code, lastOutput: 'last words' },
      })
      submit()
      expect(workers).toHaveLength(2)
    })
  }

  test('fails a call that waits for its setup as well', async () => {
    const { workers, endpoint } = setUp()
    const crashed = expect(endpoint.warm(read)).rejects.toMatchObject({ code: 'WORKER_CRASHED' })
    await workers[0]!.end({ code: 1 })
    await crashed
  })

  test('before it was ready is explained by whoever knows more', async () => {
    const explainExit = vi.fn(() => new AppError('DEPENDENCY_NOT_INSTALLED', { message: 'sharp is missing' }))
    const { workers, submit, failureOf } = setUp(settingsOf(), { explainExit })
    const first = submit()
    await workers[0]!.end({ code: 1 })
    expect(failureOf(first)).toMatchObject({ code: 'DEPENDENCY_NOT_INSTALLED', message: 'sharp is missing' })
    const second = submit()
    workers[1]!.say({ t: 'ready' })
    await workers[1]!.end({ code: 1 })
    expect(failureOf(second).code).toBe('WORKER_CRASHED')
    expect(explainExit).toHaveBeenCalledTimes(1)
  })

  test('is not written to any more', async () => {
    const { workers, submit, endpoint } = setUp()
    submit()
    const heard = workers[0]!.heard.length
    await workers[0]!.end()
    endpoint.invalidate(['/app/a.ts'])
    workers[0]!.say({ t: 'request', request: 1, name: 'getBuiltins', data: [] })
    await turn()
    expect(workers[0]!.heard).toHaveLength(heard)
  })
})

test('questions are answered, also with an error', async () => {
  const answer = vi.fn(async (question: string) => {
    if (question === 'setupKey') throw new AppError('MODULE_FAILED', { message: 'broken' })
    return ['fs']
  })
  const { workers, submit } = setUp(settingsOf(), { answer })
  submit()
  workers[0]!.say({ t: 'request', request: 1, name: 'getBuiltins', data: [] })
  workers[0]!.say({ t: 'request', request: 2, name: 'setupKey', data: ['read'] })
  await turn()
  expect(workers[0]!.heard.slice(2)).toEqual([
    { t: 'reply', request: 1, ok: ['fs'] },
    { t: 'reply', request: 2, error: expect.objectContaining({ code: 'MODULE_FAILED', message: 'broken' }) },
  ])
})

test('a worker that says nothing that can be understood is ended', async () => {
  const { workers, submit, failureOf } = setUp()
  const id = submit()
  workers[0]!.send(new Uint8Array(64).fill(255))
  expect(workers[0]!.killed).toBe(true)
  await turn()
  expect(failureOf(id)).toMatchObject({ code: 'WORKER_CRASHED' })
})

test('a word that is not known is passed over', () => {
  const { workers, submit, statusOf } = setUp()
  const id = submit()
  workers[0]!.say({ t: 'new word' } as never)
  workers[0]!.say(done(1))
  expect(statusOf(id).status).toBe('COMPLETED')
})

test('a worker that asks for a fresh one ends after its call', () => {
  const { workers, submit } = setUp(settingsOf({ maxConcurrency: 2 }))
  submit()
  workers[0]!.say({ t: 'refresh', call: 1 })
  submit()
  expect(workers).toHaveLength(2)
  workers[0]!.say(done(1))
  expect(workers.map(({ killed }) => killed)).toEqual([true, false])
})

describe('a call that is stopped', () => {
  test('is told to the worker, and what it still says is ignored', async () => {
    const { workers, submit, endpoint, statusOf, clock } = setUp()
    const id = submit()
    workers[0]!.say({ t: 'ready' })
    endpoint.queue.cancel(id)
    expect(workers[0]!.heard.at(-1)).toEqual({ t: 'cancel', call: 1, reason: 'cancelled' })
    workers[0]!.say({ t: 'item', call: 1, rich: false, text: '1' })
    workers[0]!.say(done(1))
    expect(statusOf(id)).toMatchObject({ status: 'CANCELLED' })
    clock.advance(2_500)
    await turn()
    expect(workers[0]!.killed).toBe(false)
    submit()
    expect(workers).toHaveLength(1)
  })

  test('and does not end is not waited for: its worker takes the next', async () => {
    const { workers, submit, endpoint, clock } = setUp()
    const id = submit()
    workers[0]!.say({ t: 'ready' })
    endpoint.queue.cancel(id)
    submit()
    expect(workers[0]!.calls()).toHaveLength(1)
    for (let beat = 1; beat <= 5; beat++) {
      expect(workers[0]!.calls()).toHaveLength(1)
      clock.advance(500)
      workers[0]!.say({ t: 'beat', turn: beat })
    }
    await turn()
    expect(workers[0]!.calls()).toHaveLength(2)
    expect(workers).toHaveLength(1)
  })

  test('by its time means a fresh worker for the next', async () => {
    const { workers, submit, clock, statusOf } = setUp()
    const id = submit()
    workers[0]!.say({ t: 'ready' })
    clock.advance(10_000)
    expect(statusOf(id).status).toBe('TIMED_OUT')
    expect(workers[0]!.heard.at(-1)).toMatchObject({ t: 'cancel', reason: 'timed-out' })
    submit()
    expect(workers).toHaveLength(2)
  })

  test('in a worker whose loop stands still ends that worker', async () => {
    const { workers, submit, endpoint, clock } = setUp()
    const id = submit()
    workers[0]!.say({ t: 'ready' })
    clock.advance(2_001)
    endpoint.queue.cancel(id)
    await turn()
    expect(workers[0]!.killed).toBe(true)
  })
})

test('a worker whose loop stands still gets no further job: another is started', async () => {
  const { workers, submit, clock } = setUp(settingsOf({ maxConcurrency: 2 }))
  submit()
  workers[0]!.say({ t: 'ready' })
  clock.advance(1_500)
  workers[0]!.say({ t: 'beat', turn: 1 })
  clock.advance(2_001)
  submit()
  expect(workers).toHaveLength(2)
  workers[0]!.say({ t: 'beat', turn: 2 })
  submit()
  submit()
  // Each runs two.
  expect(workers.map((worker) => worker.calls().length)).toEqual([2, 2])
})

test('workers that stand still are not replaced without end', () => {
  const { workers, submit, clock } = setUp()
  for (let n = 0; n < 6; n++) {
    submit({ executionTimeoutMs: 1_000_000 })
    workers.at(-1)!.say({ t: 'ready' })
    clock.advance(2_100)
  }
  expect(workers).toHaveLength(3)
  // While jobs wait it looks again by itself.
  workers[0]!.say({ t: 'beat', turn: 1 })
  workers[0]!.say(done(1))
  clock.advance(250)
  expect(workers[0]!.calls()).toHaveLength(2)
})

test('a job that cannot be handed over fails', () => {
  const { submit, failureOf } = setUp(settingsOf(), {
    moduleOf() {
      throw new AppError('UNKNOWN_FUNCTION', { message: 'gone' })
    },
  })
  expect(failureOf(submit())).toMatchObject({ code: 'UNKNOWN_FUNCTION' })
})

test('closing ends the workers, and jobs are gone', () => {
  const { workers, submit, endpoint } = setUp()
  const id = submit()
  endpoint.close()
  expect(workers[0]!.killed).toBe(true)
  expect(endpoint.queue.status(id)).toBeUndefined()
})

describe('webhooks', () => {
  async function receive(status: number) {
    const bodies: unknown[] = []
    const server = createServer((request, response) => {
      let text = ''
      request.on('data', (chunk) => (text += chunk))
      request.on('end', () => {
        bodies.push(JSON.parse(text))
        response.writeHead(status).end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ends.push(() => server.close())
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook?secret=1`, bodies }
  }

  test('get the job with its result in plain JSON', async () => {
    const { url, bodies } = await receive(200)
    const { workers, submit } = setUp()
    const id = submit({ webhook: url })
    workers[0]!.say(done(1, '[["Date","2026-01-01T00:00:00.000Z"]]', true))
    await vi.waitFor(() => expect(bodies).toHaveLength(1))
    expect(bodies[0]).toMatchObject({ id, status: 'COMPLETED', output: '2026-01-01T00:00:00.000Z' })
  })

  test('that cannot be told are complained about, without their address', async () => {
    const { workers, submit, printed } = setUp()
    submit({ webhook: 'http://127.0.0.1:1/hook?secret=1' })
    workers[0]!.say(done(1, '[["Map"]]', true))
    await vi.waitFor(() => expect(printed).toHaveLength(1))
    expect(printed[0]).toMatch(/^webhook stderr job \S+ could not be told to http:\/\/127\.0\.0\.1:1: /)
  })

  test('that answer something else than 200 are tried again, then complained about', async () => {
    const { url, bodies } = await receive(500)
    const { workers, submit, printed, clock } = setUp()
    submit({ webhook: url })
    workers[0]!.say(done(1))
    for (let n = 1; n <= 3; n++) {
      await vi.waitFor(() => expect(bodies).toHaveLength(n))
      await vi.waitFor(() => {
        clock.advance(10_000)
        expect(bodies.length > n || printed.length > 0).toBe(true)
      })
    }
    expect(printed).toEqual([expect.stringContaining('no answer was 200')])
  })
})
