import * as fc from 'fast-check'
import { createDeferred } from '../local/session.ts'
import { expect, test } from 'vitest'
import { type Act, bytes, reset, silent, status, torn } from './testing/plane.ts'
import { until } from './testing/until.ts'
import { openPlane, outputOf, startWorker, type TestWorker } from './testing/worker.ts'
import type { JobOutcome } from './types.ts'

/** The next job is taken in spite of what came before. */
async function expectNextJob({ plane }: TestWorker): Promise<void> {
  plane.give({ id: 'next', input: 'good' })
  expect(await plane.result('next')).toEqual({ output: 'good' })
}

const job = (id: string, input: unknown = id) => ({ id, input })

for (const [what, act, [least, most]] of [
  ['204 at once', status(204), [10, 20]],
  ['400, as with FlashBoot', status(400), [10, 20]],
  ['429', status(429), [5_000, 5_000]],
  ['429 with a time in seconds', status(429, { 'retry-after': '7' }), [7_000, 7_000]],
  [
    '429 with a date',
    status(429, { 'retry-after': new Date(1_700_000_009_000).toUTCString() }),
    [9_000, 9_000],
  ],
  ['429 with a time beyond reason', status(429, { 'retry-after': '99999999' }), [300_000, 300_000]],
  ['500', status(500), [250, 500]],
  ['503 with a time', status(503, { 'retry-after': '3' }), [3_000, 3_000]],
  ['401', status(401), [250, 500]],
  ['a redirect', status(302, { location: 'http://127.0.0.1:1/' }), [250, 500]],
  ['a connection that breaks', reset, [250, 500]],
  ['an answer that breaks off', torn, [250, 500]],
  ['another content type', bytes('{"id":"x","input":1}', 'text/html'), [10, 20]],
  ['no body', bytes(''), [10, 20]],
  ['no JSON', bytes('{"id":'), [10, 20]],
  ['no job', bytes('null'), [10, 20]],
  ['lists without end', bytes(`${'['.repeat(100_000)}${']'.repeat(100_000)}`), [10, 20]],
  ['a job without an id', bytes('{"input":1}'), [10, 20]],
  ['an id that is no text', bytes('{"id":7,"input":1}'), [10, 20]],
  ['an id that would lead elsewhere', bytes('{"id":"..","input":1}'), [10, 20]],
  ['an id with half a character', bytes('{"id":"\\ud800","input":1}'), [10, 20]],
] as [string, Act, [number, number]][]) {
  test(`a take answered with ${what} is followed by a pause and another take`, async () => {
    const plane = await openPlane()
    plane.script('job-take', act)
    const worker = await startWorker({ plane })
    const waited = await worker.clock.pass((ms) => ms !== 90_000 && ms !== 1_000 && ms !== 60_000)
    expect(waited).toBeGreaterThanOrEqual(least)
    expect(waited).toBeLessThanOrEqual(most)
    await expectNextJob(worker)
  })
}

test('pauses grow while a server answers at once, and begin anew after a job', async () => {
  const plane = await openPlane()
  plane.script('job-take', ...Array.from({ length: 6 }, () => status(204)), ({ pass }) => pass(), status(204))
  const { clock } = await startWorker({ plane })
  const isPause = (ms: number) => ms < 1_000 && ms >= 10
  const waited: number[] = []
  for (let i = 0; i < 6; i++) waited.push(await clock.pass(isPause))
  for (const [i, ms] of waited.entries()) expect(ms).toBeLessThanOrEqual(20 * 2 ** i)
  expect(waited.at(-1)).toBeGreaterThanOrEqual(320)
  plane.give(job('a'))
  await plane.result('a')
  expect(await clock.pass(isPause)).toBeLessThanOrEqual(20)
})

test('a server that held the take is asked again without a pause', async () => {
  const plane = await openPlane()
  let worker: TestWorker | undefined
  plane.script('job-take', ({ response }) => {
    worker!.clock.advance(20_000)
    response.writeHead(204).end()
  })
  worker = await startWorker({ plane })
  await plane.nth('job-take', 2)
  expect(worker.clock.waits.filter((ms) => ms < 90_000)).toEqual([])
})

test('a take that is never answered is given up after 90 s, and asked again at once', async () => {
  const plane = await openPlane()
  plane.script('job-take', silent)
  const worker = await startWorker({ plane })
  await plane.nth('job-take', 1)
  worker.clock.advance(89_999)
  expect(plane.all('job-take')).toHaveLength(1)
  worker.clock.advance(1)
  await plane.nth('job-take', 2)
  expect(worker.lines.join('')).not.toContain('no job could be taken')
  await expectNextJob(worker)
})

test('a job without an input fails with a reason', async () => {
  const { plane } = await startWorker()
  plane.give({ id: 'empty' })
  const { error } = await plane.result('empty')
  expect(JSON.parse(error)).toMatchObject({
    error_message: 'job empty has no input',
    worker_id: 'w1',
    runpod_version: '9.9.9',
    flash: { code: 'BAD_INPUT' },
  })
})

test('of a long answer without jobs only a few lines are in the log, and nothing of what they hold', async () => {
  const plane = await openPlane()
  plane.script(
    'job-take',
    bytes(JSON.stringify(Array.from({ length: 10_000 }, () => ({ input: 'private' })))),
  )
  const worker = await startWorker({ plane })
  await worker.clock.pass((ms) => ms < 500)
  await expectNextJob(worker)
  const dropped = worker.lines.filter((line) => line.includes('a job was dropped'))
  expect(dropped).toHaveLength(10)
  expect(dropped.join()).not.toContain('private')
})

test('jobs without an input wait for each other while no result is accepted', async () => {
  const plane = await openPlane()
  let count = 0
  const empty: Act = ({ response }) =>
    void response
      .setHeader('content-type', 'application/json')
      .end(JSON.stringify({ id: `empty ${Math.min(++count, 20)}` }))
  const many = <T>(act: T) => Array.from({ length: 10_000 }, () => act)
  plane.script('job-take', ...many(empty))
  plane.script('job-done', ...many(status(500)))
  const { clock } = await startWorker({ plane })
  // Results that take long no longer keep others from being taken, up to a limit.
  const tick = setInterval(() => clock.advance(1_000), 1)
  await until(() => plane.all('job-done').length >= 100).finally(() => clearInterval(tick))
  expect(count).toBeLessThanOrEqual(17)
})

test('a job without an input that comes again while it is reported is no reason to hurry', async () => {
  const plane = await openPlane()
  plane.script('job-take-batch', bytes('[{"id":"x"}]'))
  plane.script('job-take', bytes('{"id":"x"}'))
  plane.script('job-done', silent)
  const { clock } = await startWorker({ plane, runner: { concurrency: () => 2 } })
  expect(await clock.pass((ms) => ms < 500)).toBeLessThanOrEqual(20)
})

test('input null is an input', async () => {
  const { plane } = await startWorker()
  plane.give({ id: 'a', input: null })
  expect(await plane.result('a')).toEqual({ output: null })
})

test('the function gets the whole job', async () => {
  const { plane } = await startWorker({ run: async (taken) => outputOf(taken) })
  const whole = { id: 'a', input: 1, webhook: 'http://w', policy: { ttl: 1 } }
  plane.give(whole)
  expect(await plane.result('a')).toEqual({ output: whole })
})

test('several free slots ask for several jobs, and say whether one runs', async () => {
  const open = new Map<string, (outcome: JobOutcome) => void>()
  const { plane } = await startWorker({
    run: ({ id }) => new Promise((resolve) => open.set(id, resolve)),
    runner: { concurrency: () => 3 },
  })
  plane.give(job('a'), job('b'))
  const first = await plane.nth('job-take-batch', 1)
  expect(first.url).toBe('/v2/ep/job-take-batch/w1?gpu=none&batch_size=3&job_in_progress=0')
  await until(() => open.size === 2)
  const last = await plane.nth('job-take', 1)
  expect(last.url).toBe('/v2/ep/job-take/w1?gpu=none&job_in_progress=1')
  plane.give(job('c'))
  await until(() => open.size === 3)
  expect(plane.held('job-take')).toBe(0)
  for (const [id, end] of open) end(outputOf(id))
  for (const id of ['a', 'b', 'c']) expect(await plane.result(id)).toEqual({ output: id })
})

test('an address that knows no batches is asked for one at a time', async () => {
  const plane = await openPlane()
  const env = plane.env({ RUNPOD_WEBHOOK_GET_JOB: `${plane.url}/ping/$ID` })
  const worker = await startWorker({ plane, env, runner: { concurrency: () => 5 } })
  expect((await plane.nth('ping', 1)).url).toBe('/v2/ep/ping/w1?job_in_progress=0')
  expect(worker.lines.join('')).toContain('jobs cannot be stopped from outside')
})

test('a job that is given out twice runs once', async () => {
  const ran: string[] = []
  const gate = createDeferred<void>()
  const { plane, lines, clock } = await startWorker({
    async run({ id }) {
      ran.push(id)
      if (id !== 'c') await gate.promise
      return outputOf(id)
    },
    runner: { concurrency: () => 3 },
  })
  plane.give(job('a'), job('a'), job('b'))
  await plane.nth('job-take', 1)
  plane.give(job('b'))
  await until(() => lines.filter((line) => line.includes('given out twice')).length === 2)
  await clock.pass((ms) => ms < 1_000)
  plane.give(job('c'))
  await plane.result('c')
  gate.resolve()
  await plane.result('a')
  await plane.result('b')
  expect(ran.sort()).toEqual(['a', 'b', 'c'])
  plane.give(job('a', 'again'))
  await until(() => ran.length === 4)
})

test('more jobs than were asked for wait for their turn', async () => {
  let running = 0
  let most = 0
  const plane = await openPlane()
  plane.script('job-take', bytes(JSON.stringify([job('a'), job('b'), job('c')])))
  await startWorker({
    plane,
    async run({ id }) {
      most = Math.max(most, ++running)
      await new Promise((resolve) => setImmediate(resolve))
      running--
      return outputOf(id)
    },
  })
  for (const id of ['a', 'b', 'c']) expect(await plane.result(id)).toEqual({ output: id })
  expect(most).toBe(1)
})

test('the number of jobs follows the runner, and nothing is taken until it fits', async () => {
  const open = new Map<string, (outcome: JobOutcome) => void>()
  const asked: number[] = []
  let wanted = 3
  const { plane, clock } = await startWorker({
    run: ({ id }) => new Promise((resolve) => open.set(id, resolve)),
    runner: {
      async concurrency(current) {
        asked.push(current)
        return wanted
      },
    },
  })
  plane.give(job('a'), job('b'))
  await plane.nth('job-take', 1)
  wanted = 1
  plane.give(job('c'))
  await until(() => open.size === 3)
  plane.give(job('d'))
  open.get('a')!(outputOf('a'))
  await plane.result('a')
  const asks = asked.length
  await until(() => asked.length > asks)
  expect(plane.held('job-take')).toBe(0)
  open.get('b')!(outputOf('b'))
  open.get('c')!(outputOf('c'))
  await until(() => open.has('d'))
  expect(asked.slice(0, 2)).toEqual([1, 3])
  // It may rise while nothing else happens.
  wanted = 2
  await clock.pass((ms) => ms === 1_000)
  plane.give(job('e'))
  await until(() => open.has('e'))
  for (const id of ['d', 'e']) open.get(id)!(outputOf(id))
})

for (const [what, concurrency] of [
  ['0', () => 0],
  ['no number', () => 'many' as never],
  ['half a job', () => 1.5],
  [
    'an error',
    () => {
      throw new Error('no idea')
    },
  ],
  ['a rejection', () => Promise.reject(new Error('no idea'))],
] as [string, () => number | Promise<number>][]) {
  test(`a runner that answers ${what} when asked for its number of jobs keeps the one it has`, async () => {
    const worker = await startWorker({ runner: { concurrency } })
    await expectNextJob(worker)
    expect(worker.lines.join('')).toContain('stays at 1')
  })
}

test('whatever bytes come, the next good job is taken', async () => {
  const plane = await openPlane()
  const worker = await startWorker({ plane, runner: { concurrency: () => 2 } })
  let number = 0
  // Time goes on by itself, so that pauses end.
  const tick = setInterval(() => worker.clock.advance(1_000), 1)
  const odd = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.json(),
    fc
      .array(fc.record({ id: fc.jsonValue(), input: fc.jsonValue() }, { requiredKeys: [] }))
      .map((list) => JSON.stringify(list)),
  )
  try {
    await fc.assert(
      fc.asyncProperty(
        odd,
        fc.constantFrom('application/json', 'application/json; charset=x', ''),
        async (body, type) => {
          const id = `good-${++number}`
          plane.script('job-take', bytes(body, type))
          plane.script('job-take-batch', bytes(body, type))
          plane.give(job(id))
          expect(await plane.result(id)).toEqual({ output: id })
        },
      ),
      { numRuns: 150 },
    )
  } finally {
    clearInterval(tick)
  }
})
