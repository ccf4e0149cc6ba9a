import { spawn } from 'node:child_process'
import { join, resolve } from 'node:path'
import { createTestClock } from '@flash/protocol'
import { build } from 'esbuild'
import { expect, onTestFinished, test } from 'vitest'
import { parseEnvironment } from './environment.ts'
import { startHeartbeat } from './heartbeat.ts'
import { type Plane, reset, type Seen, silent, status } from './testing/plane.ts'
import { until } from './testing/until.ts'
import { openPlane, startWorker, temporaryFolder } from './testing/worker.ts'

const quiet = { info() {}, warn() {}, error() {}, output() {} }

async function setUp(intervalMs = 20) {
  const plane = await openPlane()
  const env = plane.env({
    RUNPOD_WEBHOOK_PING: `${plane.url}/ping/$RUNPOD_POD_ID?x=1`,
    RUNPOD_PING_INTERVAL: String(intervalMs),
  })
  const { ping } = parseEnvironment(env)
  const start = () => {
    const heartbeat = startHeartbeat({
      ping: ping!,
      authorization: 'raw-worker-key',
      userAgent: 'test',
      version: '9.9.9',
      clock: createTestClock(),
      log: quiet,
    })
    onTestFinished(() => heartbeat.close())
    return heartbeat
  }
  /** A ping from now on. */
  const hear = (fits: (ping: Seen) => boolean) => {
    const count = plane.all('ping').length
    return until(() => plane.all('ping').slice(count).find(fits), 'such a ping')
  }
  return { plane, env, start, hear }
}

test('pings say which jobs are here, and nothing of jobs when there are none', async () => {
  const { plane, start, hear } = await setUp()
  const heartbeat = start()
  const idle = await plane.nth('ping', 1)
  expect(idle.url).toBe('/v2/ep/ping/w1?x=1&runpod_version=9.9.9')
  expect(idle.headers.authorization).toBe('raw-worker-key')
  heartbeat.tell(['a', 'b c'])
  const busy = await hear(({ query }) => query.has('job_id'))
  expect(Object.fromEntries(busy.query)).toEqual({ x: '1', job_id: 'a,b c', runpod_version: '9.9.9' })
  heartbeat.tell([])
  await hear(({ query }) => !query.has('job_id'))
})

test('a list that is too long ends with the last id that has room', async () => {
  const { start, hear } = await setUp()
  const heartbeat = start()
  heartbeat.tell(Array.from({ length: 20_000 }, (_, i) => String(10_000 + i)))
  const long = await hear(({ query }) => query.has('job_id'))
  const ids = long.query.get('job_id')!
  expect(ids.length).toBeLessThanOrEqual(65_535)
  expect(ids.length).toBeGreaterThan(65_525)
  expect(ids).toMatch(/^(?:\d{5},)+\d{5}$/)
  heartbeat.tell(['x'.repeat(70_000)])
  await hear(({ query }) => !query.has('job_id'))
})

test('a ping that fails is sent again before the next one is due', async () => {
  const { plane, start } = await setUp(3_000)
  plane.script('ping', status(503))
  const since = performance.now()
  start()
  await plane.nth('ping', 2)
  expect(performance.now() - since).toBeLessThan(2_900)
})

test('refused, broken and unanswered pings are followed by others', async () => {
  const { plane, start } = await setUp()
  plane.script('ping', status(404), status(429), reset, silent, silent)
  start()
  const eighth = await plane.nth('ping', 8)
  expect(eighth.query.get('runpod_version')).toBe('9.9.9')
})

test('a thread that ends is started again', async () => {
  const { ping } = parseEnvironment((await openPlane()).env({ RUNPOD_WEBHOOK_PING: 'http://127.0.0.1:1/' }))
  const clock = createTestClock()
  const problems: string[] = []
  const waits: number[] = []
  const heartbeat = startHeartbeat({
    ping: ping!,
    // No header takes it, so the thread throws.
    authorization: '\n',
    userAgent: 'test',
    version: '9.9.9',
    clock: {
      now: clock.now,
      after(ms, run) {
        waits.push(ms)
        return clock.after(ms, run)
      },
    },
    log: { ...quiet, error: (problem) => void problems.push(problem) },
  })
  onTestFinished(() => heartbeat.close())
  await until(() => waits.length === 1)
  clock.advance(1_000)
  await until(() => waits.length === 2)
  expect(waits).toEqual([1_000, 1_000])
  expect(problems).toHaveLength(2)
  expect(problems[0]).toContain('the heartbeat broke')
})

test('a worker pings with its jobs while they run, and no more when it has ended', async () => {
  const { plane, env } = await setUp()
  let end = () => {}
  const { done, signal } = await startWorker({
    plane,
    env,
    run: () => new Promise((resolve) => (end = () => resolve({ json: '{}', streamed: false }))),
  })
  await plane.nth('ping', 1)
  plane.give({ id: 'a', input: 1 })
  await until(() => plane.all('ping').some(({ query }) => query.get('job_id') === 'a'))
  const count = plane.all('ping').length
  end()
  await until(() =>
    plane
      .all('ping')
      .slice(count)
      .some(({ query }) => !query.has('job_id')),
  )
  signal()
  expect(await done).toBe(0)
})

/** A program of its own, in one file as bundles are. */
async function startProgram(plane: Plane, name: string) {
  const folder = temporaryFolder()
  const outfile = join(folder, 'worker.mjs')
  await build({
    entryPoints: [resolve(import.meta.dirname, `testing/${name}.ts`)],
    outfile,
    bundle: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    logLevel: 'silent',
  })
  const env = plane.env({
    RUNPOD_WEBHOOK_PING: `${plane.url}/ping/$RUNPOD_POD_ID`,
    RUNPOD_PING_INTERVAL: '100',
    RUNPOD_LOG_LEVEL: 'ERROR',
    TMPDIR: folder,
  })
  const child = spawn(process.execPath, [outfile], { env, stdio: 'inherit' })
  onTestFinished(() => void child.kill('SIGKILL'))
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve))
  return { child, exited }
}

test('pings go on while a function blocks the event loop, with the id of its job', async () => {
  const plane = await openPlane()
  const { child, exited } = await startProgram(plane, 'blocking')
  plane.give({ id: 'blocking', input: 2_000 })
  await plane.result('blocking')
  const pings = plane.all('ping').filter(({ query }) => query.get('job_id') === 'blocking')
  expect(pings.length).toBeGreaterThanOrEqual(10)
  child.kill('SIGTERM')
  expect(await exited).toBe(0)
})

test('pings cease when the event loop has not turned for long, and come again when it does', async () => {
  const plane = await openPlane()
  await startProgram(plane, 'dead')
  await plane.nth('ping', 1)
  let last = performance.now()
  let longest = 0
  let count = plane.all('ping').length
  await until(() => {
    if (plane.all('ping').length === count) return false
    count = plane.all('ping').length
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
    return longest > 800
  })
})
