import { AppError } from '@flash/protocol'
import { createDeferred } from '../local/session.ts'
import { expect, test } from 'vitest'
import { type Act, bytes, reset, silent, status } from './testing/plane.ts'
import { until } from './testing/until.ts'
import { openPlane, outputOf, startWorker } from './testing/worker.ts'
import type { JobOutcome } from './types.ts'

const job = (id: string, input: unknown = id) => ({ id, input })

test('a job that is stopped hears it, frees its slot, and nothing is posted for it', async () => {
  let reason: unknown
  const { plane } = await startWorker({
    run: ({ id }, { signal }) =>
      id === 'b'
        ? Promise.resolve(outputOf(id))
        : new Promise((resolve) => {
            signal.addEventListener('abort', () => {
              reason = signal.reason
              resolve(outputOf('too late'))
            })
          }),
  })
  plane.give(job('a'), job('b'))
  await plane.nth('job-take', 1)
  await until(() => plane.held('job-stop'))
  plane.stop('unknown', 'a')
  await plane.result('b')
  expect(reason).toMatchObject({ code: 'CANCELLED' })
  expect(plane.all('job-done').map(({ job }) => job)).toEqual(['b'])
  expect((await plane.nth('job-stop', 2)).url).toBe('/v2/ep/job-stop/w1?gpu=none')
})

test('a job that goes on after its abort is not waited for, and what it says then is ignored', async () => {
  const stuck = createDeferred<JobOutcome>()
  const chunked = createDeferred<unknown>()
  const { plane, clock } = await startWorker({
    run: ({ id }, { signal, chunk, progress }) => {
      if (id !== 'a') return Promise.resolve(outputOf(id))
      signal.addEventListener('abort', () => {
        progress('1')
        chunk('{}').catch(chunked.resolve)
      })
      return stuck.promise
    },
  })
  plane.give(job('a'), job('b'))
  await until(() => plane.held('job-stop'))
  await plane.nth('job-take', 1)
  plane.stop('a')
  expect(await chunked.promise).toBeInstanceOf(AppError)
  expect(plane.all('job-take')).toHaveLength(1)
  await clock.pass((ms) => ms === 5_000)
  await plane.result('b')
  stuck.resolve(outputOf('late'))
  plane.give(job('c'))
  await plane.result('c')
  expect(plane.all('job-done').map(({ job }) => job)).toEqual(['b', 'c'])
})

test('a stopped job whose result waits is not posted again', async () => {
  const plane = await openPlane()
  plane.script('job-done', status(500))
  const { clock } = await startWorker({ plane })
  plane.give(job('a'), job('b'))
  await until(() => clock.waits.some((ms) => ms <= 500))
  await until(() => plane.held('job-stop'))
  plane.stop('a')
  await plane.result('b')
  expect(plane.all('job-done').map(({ job }) => job)).toEqual(['a', 'b'])
})

test('a job that waits for its turn is stopped without running', async () => {
  const ran: string[] = []
  const first = createDeferred<void>()
  const plane = await openPlane()
  plane.script('job-take', bytes(JSON.stringify([job('a'), job('b'), job('c')])))
  await startWorker({
    plane,
    async run({ id }) {
      ran.push(id)
      if (id === 'a') await first.promise
      return outputOf(id)
    },
  })
  await until(() => ran.length === 1 && plane.held('job-stop'))
  plane.stop('b')
  await plane.nth('job-stop', 2)
  first.resolve()
  await plane.result('c')
  expect(ran).toEqual(['a', 'c'])
})

for (const [what, act, [least, most]] of [
  ['204', status(204), [1_000, 1_000]],
  ['429', status(429), [5_000, 5_000]],
  ['429 with a time', status(429, { 'retry-after': '2' }), [2_000, 2_000]],
  ['500', status(500), [500, 1_000]],
  ['404', status(404), [500, 1_000]],
  ['a broken connection', reset, [500, 1_000]],
  ['no JSON', bytes('{'), [500, 1_000]],
  ['no list', bytes('{"jobsToStop":"a"}'), [500, 1_000]],
  ['another type', bytes('{"jobsToStop":[]}', 'text/plain'), [500, 1_000]],
  ['an empty list', bytes('{"jobsToStop":[]}'), [1_000, 1_000]],
  ['ids that are no text', bytes('{"jobsToStop":[1,null]}'), [1_000, 1_000]],
] as [string, Act, [number, number]][]) {
  test(`${what} instead of jobs to stop is followed by a pause and another question`, async () => {
    const plane = await openPlane()
    plane.script('job-stop', act)
    const { clock } = await startWorker({ plane })
    const waited = await clock.pass((ms) => ms < 60_000)
    expect(waited).toBeGreaterThanOrEqual(least)
    expect(waited).toBeLessThanOrEqual(most)
    await plane.nth('job-stop', 2)
  })
}

test('a route that is not there is said once', async () => {
  const plane = await openPlane()
  plane.script('job-stop', ...Array.from({ length: 4 }, () => status(404)))
  const { clock, lines } = await startWorker({ plane })
  for (let i = 0; i < 4; i++) await clock.pass((ms) => ms < 60_000)
  await plane.nth('job-stop', 5)
  expect(lines.filter((line) => line.includes('jobs to stop'))).toHaveLength(1)
})

test('a question that is never answered is asked again after 90 s', async () => {
  const plane = await openPlane()
  plane.script('job-stop', silent)
  const { clock, lines } = await startWorker({ plane })
  await plane.nth('job-stop', 1)
  await plane.nth('job-take', 1)
  clock.advance(90_000)
  await plane.nth('job-stop', 2)
  expect(lines.join('')).not.toContain('jobs to stop')
})
