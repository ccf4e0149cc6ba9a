import { createDeferred } from '../local/session.ts'
import { expect, test } from 'vitest'
import { serveQueue } from './serve.ts'
import { reset, silent, status } from './testing/plane.ts'
import { until } from './testing/until.ts'
import { openPlane, outputOf, startWorker } from './testing/worker.ts'
import type { JobOutcome } from './types.ts'

const job = (id: string, input: unknown = id) => ({ id, input })

test('a job is taken, run and reported as the platform wants it', async () => {
  const { plane, signal, done } = await startWorker()
  plane.give({ id: 'job-1', input: { n: 1 } })
  expect(await plane.result('job-1')).toEqual({ output: { n: 1 } })
  const [take] = plane.all('job-take')
  expect(take).toMatchObject({ method: 'GET', worker: 'w1', headers: { authorization: 'raw-worker-key' } })
  expect(take!.url).toBe('/v2/ep/job-take/w1?gpu=none&job_in_progress=0')
  const [post] = plane.all('job-done')
  expect(post).toMatchObject({ method: 'POST', worker: 'w1', job: 'job-1' })
  expect(post!.url).toBe('/v2/ep/job-done/w1/job-1?gpu=none&isStream=false')
  expect(post!.headers).toMatchObject({
    authorization: 'raw-worker-key',
    'content-type': 'application/x-www-form-urlencoded',
    charset: 'utf-8',
    'user-agent': expect.stringContaining('unplugin-flash/9.9.9'),
    'x-request-id': expect.stringMatching(/^[\w-]{36}$/),
  })
  signal()
  expect(await done).toBe(0)
})

test('an id that is special in an address stays where it belongs', async () => {
  const { plane } = await startWorker()
  const id = 'a/../b?x=1&$ID#ü'
  plane.give(job(id))
  await plane.result(id)
  expect(plane.all('job-done')[0]!.url).toContain(`/job-done/w1/${encodeURIComponent(id)}?gpu=none`)
})

test('a signal while nothing runs ends the worker, and the take is given back', async () => {
  let isClosed = false
  const { plane, signal, done, lines } = await startWorker({
    runner: { close: async () => void (isClosed = true) },
  })
  await until(() => plane.held('job-take') && plane.held('job-stop'))
  signal()
  expect(await done).toBe(0)
  expect(isClosed).toBe(true)
  await until(() => plane.held('job-take') === 0 && plane.held('job-stop') === 0)
  expect(lines.join('')).toContain('no more jobs are taken')
  expect(lines.join('')).not.toContain('no job could be taken')
})

test('a signal lets running jobs end and their results arrive', async () => {
  const gate = createDeferred<void>()
  const plane = await openPlane()
  plane.script('job-done', status(500))
  const { signal, done, clock } = await startWorker({
    plane,
    run: ({ id }) => gate.promise.then(() => outputOf(id)),
  })
  plane.give(job('a'), job('b'))
  await until(() => plane.all('job-take').length === 1 && plane.held('job-take') === 0)
  signal()
  gate.resolve()
  await clock.pass((ms) => ms >= 250 && ms <= 500)
  expect(await plane.result('a')).toEqual({ output: 'a' })
  expect(await done).toBe(0)
  expect(plane.all('job-take')).toHaveLength(1)
})

test('a job whose answer has begun when the signal comes is run', async () => {
  const plane = await openPlane()
  const text = JSON.stringify(job('a'))
  let finish = () => {}
  plane.script('job-take', ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.write(text.slice(0, 5))
    finish = () => void response.end(text.slice(5))
  })
  const { signal, done, clock } = await startWorker({ plane })
  await plane.nth('job-take', 1)
  signal()
  await until(() => clock.waits.includes(1_000))
  finish()
  expect(await done).toBe(0)
  expect(await plane.result('a')).toEqual({ output: 'a' })
})

test('a take that the other side keeps open is given up a second after the signal', async () => {
  const plane = await openPlane()
  plane.script('job-take', ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).write('{')
  })
  const { signal, done, clock } = await startWorker({ plane })
  await plane.nth('job-take', 1)
  signal()
  await clock.pass((ms) => ms === 1_000)
  expect(await done).toBe(0)
})

test('a signal ends the pause between two takes', async () => {
  const plane = await openPlane()
  plane.script('job-take', status(429))
  const { signal, done, clock } = await startWorker({ plane })
  await until(() => clock.waits.includes(5_000))
  signal()
  expect(await done).toBe(0)
  expect(plane.all('job-take')).toHaveLength(1)
})

for (const [what, end] of [
  ['a second signal', ({ signal }) => signal()],
  ['the end of its time', ({ clock }) => clock.advance(600_000)],
] as [string, (worker: Awaited<ReturnType<typeof startWorker>>) => void][]) {
  test(`${what} aborts the jobs that still run; nothing is posted for them`, async () => {
    const reasons: unknown[] = []
    const worker = await startWorker({
      run: (_job, { signal }) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => {
            reasons.push(signal.reason.code)
            resolve(outputOf('late'))
          })
        }),
    })
    worker.plane.give(job('a'))
    await until(() => worker.plane.all('job-take').length === 1 && worker.plane.held('job-take') === 0)
    await until(() => worker.clock.waits.includes(1_000))
    worker.signal()
    end(worker)
    expect(await worker.done).toBe(1)
    expect(reasons).toEqual(['WORKER_LOST'])
    expect(worker.plane.all('job-done')).toEqual([])
  })
}

test('a function that ignores its abort keeps the worker for the grace only', async () => {
  const { plane, signal, done, clock } = await startWorker({ run: () => new Promise(() => {}) })
  plane.give(job('a'))
  await until(() => plane.all('job-take').length === 1 && plane.held('job-take') === 0)
  await until(() => clock.waits.includes(1_000))
  signal()
  signal()
  await clock.pass((ms) => ms === 5_000)
  expect(await done).toBe(1)
})

test('a worker that shall leave takes nothing more, lets the others end, and ends with 0', async () => {
  const other = createDeferred<JobOutcome>()
  const { plane, done } = await startWorker({
    run: async ({ id }) =>
      id === 'other'
        ? other.promise
        : { json: '{"output":"bye","stopPod":true}', streamed: false, leave: true },
    runner: { concurrency: () => 2 },
  })
  plane.give(job('other'), job('last'))
  expect(await plane.result('last')).toEqual({ output: 'bye', stopPod: true })
  plane.give(job('for the next worker'))
  other.resolve(outputOf('done'))
  expect(await done).toBe(0)
  expect(await plane.result('other')).toEqual({ output: 'done' })
  expect(plane.all('job-done')).toHaveLength(2)
})

test('nothing is taken before the runner is prepared', async () => {
  const ready = createDeferred<void>()
  const { plane } = await startWorker({ runner: { prepare: () => ready.promise } })
  plane.give(job('a'))
  await new Promise((resolve) => setImmediate(resolve))
  expect(plane.seen).toEqual([])
  ready.resolve()
  await plane.result('a')
})

for (const [what, act] of [
  ['is told', undefined],
  ['cannot be told', reset],
  ['is told to nobody who answers', silent],
] as const) {
  test(`a runner that cannot be prepared ends the worker with 1; the platform ${what}`, async () => {
    const plane = await openPlane()
    if (act) plane.script('ping', act)
    let isClosed = false
    const { done, lines, clock } = await startWorker({
      plane,
      env: plane.env({ RUNPOD_WEBHOOK_PING: `${plane.url}/ping/$RUNPOD_POD_ID` }),
      runner: {
        prepare: () => Promise.reject(Object.assign(new Error('x'.repeat(400)), { check: 'disk' })),
        close: async () => void (isClosed = true),
      },
    })
    const ping = await plane.nth('ping', 1)
    if (act === silent) await clock.pass((ms) => ms === 2_000)
    expect(await done).toBe(1)
    expect(isClosed).toBe(true)
    expect(Object.fromEntries(ping.query)).toEqual({
      status: 'unhealthy',
      check: 'disk',
      reason: `Error: ${'x'.repeat(249)}`,
      runpod_version: '9.9.9',
    })
    expect(plane.all('job-take')).toEqual([])
    expect(lines.join('')).toContain('Fitness check failed: disk | Error: xxx')
  })
}

test('a signal while the runner prepares itself ends the worker', async () => {
  const { done, signal, plane } = await startWorker({ runner: { prepare: () => new Promise(() => {}) } })
  signal()
  expect(await done).toBe(0)
  expect(plane.seen).toEqual([])
})

test('a signal while the runner thinks about its number of jobs ends the worker', async () => {
  let isAsked = false
  const { done, signal } = await startWorker({
    runner: {
      concurrency() {
        isAsked = true
        return new Promise(() => {})
      },
    },
  })
  await until(() => isAsked)
  signal()
  expect(await done).toBe(0)
})

test('a runner that does not end is not waited for longer than ten seconds', async () => {
  const { done, signal, clock } = await startWorker({ runner: { close: () => new Promise(() => {}) } })
  signal()
  await clock.pass((ms) => ms === 10_000)
  expect(await done).toBe(0)
})

test('a runner that ends badly is logged', async () => {
  const { done, signal, lines } = await startWorker({ runner: { close: () => Promise.reject('oh') } })
  signal()
  expect(await done).toBe(0)
  expect(lines.join('')).toContain('did not end well: oh')
})

test('a worker without a key shows an empty one', async () => {
  const plane = await openPlane()
  await startWorker({ plane, env: { ...plane.env(), RUNPOD_AI_API_KEY: undefined } })
  const { headers } = await plane.nth('job-take', 1)
  expect(headers.authorization).toBe('')
})

test('a worker without its variables does not start', async () => {
  const runner = { run: async () => outputOf(1), concurrency: () => 1, close: async () => {} }
  await expect(serveQueue({ env: {}, runner, version: '1' })).rejects.toMatchObject({
    code: 'BAD_ENVIRONMENT',
    message: 'RUNPOD_WEBHOOK_GET_JOB is not set',
  })
})

test('SIGTERM of the process ends a worker on the real clock', async () => {
  const plane = await openPlane()
  const listeners = process.listenerCount('SIGTERM')
  const runner = { run: async () => outputOf(1), concurrency: () => 1, close: async () => {} }
  const done = serveQueue({ env: plane.env(), runner, version: '1', write() {} })
  plane.give(job('a'))
  await plane.result('a')
  process.emit('SIGTERM')
  expect(await done).toBe(0)
  expect(process.listenerCount('SIGTERM')).toBe(listeners)
})
