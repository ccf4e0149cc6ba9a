import { EventEmitter } from 'node:events'
import { createServer } from 'node:http'
import { expect, test, vi } from 'vitest'
import { type QueueOptions, serveQueue } from '../queue/serve.ts'
import { createPlane, status } from '../queue/testing/plane.ts'
import { startWorker, type WorkerHost } from './start.ts'
import type { FetchOptions, HandlerOptions } from './types.ts'

function create(args: string[], env: Record<string, string> = {}) {
  const written = { stdout: '', stderr: '' }
  const stream = (name: 'stdout' | 'stderr') => ({
    write(text: string, done?: () => void) {
      written[name] += text
      done?.()
      return true
    },
  })
  const events = new EventEmitter()
  const exit = vi.fn()
  const process = {
    argv: ['node', 'worker.mjs', ...args],
    env,
    cwd: () => '/nowhere',
    version: 'v24.0.0',
    exit,
    on: events.on.bind(events),
    off: events.off.bind(events),
    listenerCount: events.listenerCount.bind(events),
    stdout: stream('stdout'),
    stderr: stream('stderr'),
  }
  const serveQueue = vi.fn<(options: QueueOptions) => Promise<number>>(async () => 0)
  const host = { process, serveQueue } as unknown as WorkerHost
  const begin = (options: HandlerOptions | FetchOptions) => startWorker(options, host)
  return { begin, written, exit, events, process, serveQueue }
}

const url = async ({ written }: ReturnType<typeof create>) => {
  await vi.waitFor(() => expect(written.stderr).toMatch(/\d\n/))
  return `http://127.0.0.1:${/(\d+)\n/.exec(written.stderr)![1]}`
}

for (const [what, options, job, code, answer] of [
  ['a result', { handler: ({ input }) => input.n * 2 }, { input: { n: 2 } }, 0, { output: 4 }],
  [
    'an error',
    { handler: () => ({ error: 'bad', a: 1 }) },
    { input: 1 },
    1,
    { output: { a: 1 }, error: 'bad' },
  ],
  ['an id', { handler: ({ id }) => id }, { input: 1, id: 'mine' }, 0, { output: 'mine' }],
  ['no id', { handler: ({ id }) => id }, { input: 1 }, 0, { output: 'local_test' }],
  [
    'a generator',
    {
      *handler() {
        yield 1
        yield 2
      },
    },
    { input: 1 },
    0,
    { output: [1, 2] },
  ],
] as [string, HandlerOptions, object, number, object][]) {
  test(`one job: ${what}`, async () => {
    const worker = create(['--test_input', JSON.stringify(job)])
    await worker.begin(options)
    expect(JSON.parse(worker.written.stdout)).toEqual(answer)
    expect(worker.exit.mock.calls).toEqual([[code]])
  })
}

test('one job: what it prints and how far it is go to stderr', async () => {
  const worker = create(['--test-input', '{"input":1}'])
  await worker.begin({
    handler(_, { progress, log }) {
      worker.process.stdout.write('printed\n')
      log('logged')
      progress(5)
      return 1
    },
  })
  expect(worker.written.stdout).toBe('{"output":1}\n')
  expect(worker.written.stderr.trim().split('\n').sort()).toEqual(['logged', 'printed', 'progress: 5'])
})

test('without a job the file that is missing is named, and the end is 1', async () => {
  const worker = create([])
  await worker.begin({ handler: () => 1 })
  expect(worker.exit.mock.calls).toEqual([[1]])
  expect(worker.written.stderr).toMatch(/^flash: BAD_REQUEST: there is no file .*test_input\.json\n/)
})

test('with the variables of the platform it takes jobs, until a signal', async () => {
  const end = new AbortController()
  const worker = create(['--rp_log_level', 'ERROR'], {
    RUNPOD_WEBHOOK_GET_JOB: 'http://127.0.0.1/job-take/w',
  })
  const heard = vi.fn()
  worker.serveQueue.mockImplementation(async ({ runner, env, onSignal, write }) => {
    expect(env.RUNPOD_LOG_LEVEL).toBe('ERROR')
    expect(await runner.concurrency(1)).toBe(5)
    write!('a line\n')
    const stop = onSignal!(heard)
    worker.events.emit('SIGTERM')
    end.abort()
    stop()
    worker.events.emit('SIGTERM')
    return 3
  })
  await worker.begin({ handler: () => 1, concurrencyModifier: () => 5, signal: end.signal })
  expect(heard).toHaveBeenCalledTimes(2)
  expect(worker.exit.mock.calls).toEqual([[3]])
  expect(worker.written.stdout).toBe('a line\n')
})

test('jobs of a real queue are taken, streamed and answered', async () => {
  const plane = await createPlane()
  const end = new AbortController()
  const worker = create([], plane.env({ RUNPOD_ENDPOINT_ID: 'ep' }) as Record<string, string>)
  worker.serveQueue.mockImplementation(serveQueue)
  const ended = worker.begin({
    *handler({ id, input }) {
      worker.process.stdout.write(`running ${id}\n`)
      yield input
      yield { error: 'enough' }
    },
    signal: end.signal,
  })
  plane.give({ id: 'a', input: { n: 1 } })
  expect(await plane.result('a')).toEqual({ error: 'enough' })
  expect(plane.all('job-done')[0]!.query.get('isStream')).toBe('true')
  expect(plane.all('job-stream').map(({ body }) => body)).toEqual([{ output: { n: 1 } }])
  end.abort()
  await ended
  await plane.close()
  expect(worker.exit.mock.calls).toEqual([[0]])
  const lines = worker.written.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines).toContainEqual({ requestId: 'a', message: 'running a', level: 'INFO' })
})

test('an error that nobody catches fails the jobs that run; results that wait still arrive, then the worker ends', async () => {
  const plane = await createPlane()
  plane.script('job-done', status(500))
  const worker = create([], plane.env() as Record<string, string>)
  worker.serveQueue.mockImplementation(serveQueue)
  const ended = worker.begin({
    handler({ id }) {
      if (id === 'done') return 1
      setImmediate(() => worker.events.emit('uncaughtException', new RangeError('stray')))
      return new Promise(() => {})
    },
    concurrencyModifier: () => 2,
  })
  plane.give({ id: 'done', input: 1 })
  await plane.nth('job-done', 1)
  plane.give({ id: 'runs', input: 1 })
  expect(await plane.result('done')).toEqual({ output: 1 })
  const { error } = await plane.result('runs')
  expect(JSON.parse(error)).toMatchObject({ error_type: 'RangeError', error_message: 'stray' })
  await ended
  await plane.close()
  expect(worker.exit.mock.calls).toEqual([[1]])
  expect(worker.written.stderr).toMatch(/^flash: RangeError: stray\n/)
})

test('an error that nobody catches ends one job, and the local API, with an answer', async () => {
  const stray = (worker: ReturnType<typeof create>) => () => {
    setImmediate(() => worker.events.emit('uncaughtException', new RangeError('stray')))
    return new Promise(() => {})
  }
  const one = create(['--test_input', '{"input":1}'])
  await one.begin({ handler: stray(one) })
  expect(JSON.parse(JSON.parse(one.written.stdout).error)).toMatchObject({ error_message: 'stray' })
  const api = create(['--rp_serve_api', '--rp_api_port', '0'])
  const ended = api.begin({ handler: stray(api) })
  const answer = await fetch(`${await url(api)}/runsync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":{}}',
  })
  expect(await answer.json()).toMatchObject({ status: 'FAILED', error: expect.stringContaining('stray') })
  await ended
  expect([one.exit.mock.calls, api.exit.mock.calls]).toEqual([[[1]], [[1]]])
})

test('a program that listens for errors that nobody catches decides itself', async () => {
  const worker = create(['--test_input', '{"input":1}'])
  const heard = vi.fn()
  worker.events.on('uncaughtException', heard)
  await worker.begin({
    async handler() {
      worker.events.emit('uncaughtException', new RangeError('stray'))
      return 'goes on'
    },
  })
  expect(heard).toHaveBeenCalledTimes(1)
  expect(JSON.parse(worker.written.stdout)).toEqual({ output: 'goes on' })
})

test('a fitness check that fails is told to the platform, and ends the worker with 1', async () => {
  const plane = await createPlane()
  const env = plane.env({ RUNPOD_WEBHOOK_PING: `${plane.url}/ping/$RUNPOD_POD_ID` })
  const worker = create([], env as Record<string, string>)
  worker.serveQueue.mockImplementation(serveQueue)
  await worker.begin({
    handler: () => 1,
    fitness: {
      gpu() {
        throw new RangeError('no memory')
      },
    },
  })
  expect(worker.exit.mock.calls).toEqual([[1]])
  expect(worker.written.stdout).toContain('Fitness check failed: gpu | RangeError: no memory')
  expect(plane.all('ping')[0]!.query.get('check')).toBe('gpu')
  await plane.close()
})

test('a signal that was given already ends it as well', async () => {
  const worker = create([], { RUNPOD_WEBHOOK_GET_JOB: 'http://127.0.0.1/job-take/w' })
  worker.serveQueue.mockImplementation(
    ({ onSignal }) => new Promise((resolve) => onSignal!(() => resolve(0))),
  )
  await worker.begin({ handler: () => 1, signal: AbortSignal.abort() })
  expect(worker.exit.mock.calls).toEqual([[0]])
})

test('the local API answers until a signal', async () => {
  const worker = create(['--rp_serve_api', '--rp_api_port', '0'])
  const ended = worker.begin({ handler: ({ input }) => input })
  const answer = await fetch(`${await url(worker)}/runsync`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"input":{"a":1}}',
  })
  expect(await answer.json()).toMatchObject({ status: 'COMPLETED', output: { a: 1 } })
  worker.events.emit('SIGINT')
  await ended
  expect(worker.exit.mock.calls).toEqual([[0]])
})

test('with fetch it answers requests, and says when it is ready', async () => {
  const end = new AbortController()
  const worker = create([], { PORT: '0', HEALTH_CHECK_PATH: '/alive' })
  const ended = worker.begin({ fetch: ({ url }) => new Response(url), signal: end.signal })
  const at = await url(worker)
  expect((await fetch(`${at}/alive`)).status).toBe(200)
  expect(await (await fetch(`${at}/x`)).text()).toBe(`${at}/x`)
  end.abort()
  await ended
  expect(worker.exit.mock.calls).toEqual([[0]])
})

test('an error that nobody catches lets requests end before the worker does', async () => {
  const worker = create([], { PORT: '0' })
  const ended = worker.begin({
    async fetch() {
      worker.events.emit('uncaughtException', new RangeError('stray'))
      await new Promise((resolve) => setImmediate(resolve))
      return new Response('whole')
    },
  })
  expect(await (await fetch(await url(worker))).text()).toBe('whole')
  await ended
  expect(worker.exit.mock.calls).toEqual([[1]])
  expect(worker.written.stderr).toContain('flash: RangeError: stray\n')
})

test('a start that fails is told, and the health check says so', async () => {
  const worker = create([], { PORT: '0', HOST: '127.0.0.1', RUNPOD_POD_ID: 'w' })
  const ended = worker.begin({ fetch: () => new Response(), ready: Promise.reject(new Error('no model')) })
  const at = await url(worker)
  await vi.waitFor(() => expect(worker.written.stderr).toContain('could not start: Error: no model'))
  expect(
    (await fetch(`${at.replace(/\d+$/, /port (\d+)/.exec(worker.written.stderr)![1]!)}/ping`)).status,
  ).toBe(503)
  worker.events.emit('SIGTERM')
  await ended
})

test('a port that is none, or taken, ends it with 1', async () => {
  const wrong = create([], { PORT: 'x' })
  await wrong.begin({ fetch: () => new Response() })
  expect(wrong.written.stderr).toMatch(/BAD_ENVIRONMENT: PORT is "x", not a port/)
  const other = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => other.once('listening', resolve))
  const { port } = other.address() as { port: number }
  const taken = create([], { PORT: String(port), PORT_HEALTH: String(port) })
  await taken.begin({ fetch: () => new Response() })
  other.close()
  expect([wrong.exit.mock.calls, taken.exit.mock.calls]).toEqual([[[1]], [[1]]])
  expect(taken.written.stderr).toContain('EADDRINUSE')
})

for (const [what, options] of [
  ['both', { handler: () => 1, fetch: () => new Response() }],
  ['neither', {}],
  ['no function', { handler: 1 }],
  ['nothing', undefined],
  ['a limit that is no number', { fetch: () => new Response(), maxBodyBytes: '30mb' }],
] as const) {
  test(`${what} is no worker`, async () => {
    const worker = create([])
    await worker.begin(options as never)
    expect(worker.written.stderr).toMatch(/^flash: BAD_OPTION: start\(\) was given/)
    expect(worker.exit.mock.calls).toEqual([[1]])
  })
}
