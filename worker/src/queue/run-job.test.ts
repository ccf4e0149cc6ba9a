import { AppError } from '@flash/protocol'
import { createDeferred } from '../local/session.ts'
import { expect, test } from 'vitest'
import { reset, silent, status } from './testing/plane.ts'
import { until } from './testing/until.ts'
import { openPlane, outputOf, startWorker } from './testing/worker.ts'
import type { JobScope } from './types.ts'

const job = (id: string, input: unknown = id) => ({ id, input })

test('items are posted one after the other, and before the result', async () => {
  const { plane } = await startWorker({
    async run(_job, { chunk }) {
      await Promise.all([chunk('{"output":1}'), chunk('{"output":2}')])
      void chunk('{"output":3}')
      return { json: '{"output":[]}', streamed: true }
    },
  })
  plane.give(job('a'))
  await plane.result('a')
  expect(plane.seen.filter(({ method }) => method === 'POST').map(({ url, text }) => [url, text])).toEqual([
    ['/v2/ep/job-stream/w1/a?gpu=none&isStream=false', '{"output":1}'],
    ['/v2/ep/job-stream/w1/a?gpu=none&isStream=false', '{"output":2}'],
    ['/v2/ep/job-stream/w1/a?gpu=none&isStream=false', '{"output":3}'],
    ['/v2/ep/job-done/w1/a?gpu=none&isStream=true', '{"output":[]}'],
  ])
})

/** Runs a job that sends one item, and gives what that rejects with. */
async function refusalOf(...acts: Parameters<Awaited<ReturnType<typeof openPlane>>['script']>[1][]) {
  const plane = await openPlane()
  plane.script('job-stream', ...acts)
  let refusal: unknown
  const { clock } = await startWorker({
    plane,
    run: (_job, { chunk }) =>
      chunk('{"output":1}').then(
        () => outputOf('sent'),
        (error) => {
          refusal = error
          return outputOf('not sent')
        },
      ),
  })
  plane.give(job('a'))
  const tick = setInterval(() => clock.advance(1_000), 1)
  const result = await plane.result('a').finally(() => clearInterval(tick))
  return { refusal: refusal as AppError | undefined, result, posts: plane.all('job-stream') }
}

test('an item that does not arrive is posted again, with the same request id', async () => {
  const { refusal, result, posts } = await refusalOf(status(500), status(429), reset, reset)
  expect(refusal).toBeUndefined()
  expect(result).toEqual({ output: 'sent' })
  expect(new Set(posts.map(({ headers }) => headers['x-request-id'])).size).toBe(1)
})

test('an item that is too large is told to the function', async () => {
  const { refusal, result } = await refusalOf(status(413))
  expect(refusal).toMatchObject({ code: 'PAYLOAD_TOO_LARGE', data: { bytes: 12, status: 413 } })
  expect(result).toEqual({ output: 'not sent' })
})

test('an item that is refused otherwise is told too', async () => {
  expect((await refusalOf(status(400))).refusal).toMatchObject({ code: 'RESULT_REFUSED' })
})

test('an item is tried eight times', async () => {
  const { refusal, posts } = await refusalOf(...Array.from({ length: 8 }, () => status(500)))
  expect(refusal).toMatchObject({ code: 'RESULT_REFUSED' })
  expect(refusal?.message).toContain('8 times, at last by status 500')
  expect(posts).toHaveLength(8)
})

test('without an address for items, the function hears which variable is missing', async () => {
  const plane = await openPlane()
  await startWorker({
    plane,
    env: plane.env({ RUNPOD_WEBHOOK_POST_STREAM: '' }),
    run: (_job, { chunk }) => chunk('{"output":1}').then(outputOf, (error) => outputOf(error.message)),
  })
  plane.give(job('a'))
  expect((await plane.result('a')).output).toContain('RUNPOD_WEBHOOK_POST_STREAM is not set')
})

test('an item after the end is refused', async () => {
  let scope: JobScope | undefined
  const { plane } = await startWorker({
    async run(_job, given) {
      scope = given
      return outputOf(1)
    },
  })
  plane.give(job('a'))
  await plane.result('a')
  await expect(scope!.chunk('{"output":1}')).rejects.toMatchObject({ code: 'RESULT_REFUSED' })
  scope!.progress('1')
  plane.give(job('b'))
  await plane.result('b')
  expect(plane.all('job-done').map(({ text }) => text)).toEqual(['{"output":1}', '{"output":1}'])
})

test('of progress that comes faster than it is taken, the latest follows; none comes after the result', async () => {
  const plane = await openPlane()
  const go = createDeferred<void>()
  let answer = () => {}
  plane.script('job-done', ({ pass }) => void (answer = pass))
  await startWorker({
    plane,
    async run(_job, { progress }) {
      progress('1')
      progress('2')
      progress('{"percent":3}')
      await go.promise
      progress('4')
      return outputOf('done')
    },
  })
  plane.give(job('a'))
  await until(() => answer !== undefined && plane.all('job-done').length === 1)
  answer()
  await plane.nth('job-done', 2)
  go.resolve()
  await plane.result('a')
  const texts = plane.all('job-done').map(({ text }) => text)
  expect(texts.slice(0, 2)).toEqual([
    '{"status":"IN_PROGRESS","output":1}',
    '{"status":"IN_PROGRESS","output":{"percent":3}}',
  ])
  expect(texts.at(-1)).toBe('{"output":"done"}')
  expect(plane.all('job-done')[0]!.query.get('isStream')).toBe('false')
})

test('progress that is never answered does not keep the result', async () => {
  const plane = await openPlane()
  plane.script('job-done', silent)
  const { clock } = await startWorker({
    plane,
    async run(_job, { progress }) {
      progress('1')
      await plane.nth('job-done', 1)
      return outputOf('done')
    },
  })
  plane.give(job('a'))
  await clock.pass((ms) => ms === 500)
  expect(await plane.result('a')).toEqual({ output: 'done' })
})

test('progress that is refused is logged, and the job goes on', async () => {
  const plane = await openPlane()
  plane.script('job-done', status(500))
  const { lines } = await startWorker({
    plane,
    async run(_job, { progress }) {
      progress('1')
      await until(() => lines.some((line) => line.includes('progress was not accepted: status 500')))
      return outputOf('done')
    },
  })
  plane.give(job('a'))
  expect(await plane.result('a')).toEqual({ output: 'done' })
})

test('what a job writes goes to the log with its id', async () => {
  const plane = await openPlane()
  const { lines } = await startWorker({
    plane,
    env: plane.env({ RUNPOD_ENDPOINT_ID: 'ep', RUNPOD_LOG_LEVEL: 'ERROR' }),
    async run(_job, { log }) {
      log('stdout', 'hello\n')
      log('stderr', 'oh')
      return outputOf(1)
    },
  })
  plane.give(job('a'))
  await plane.result('a')
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    { requestId: 'a', message: 'hello', level: 'INFO' },
    { requestId: 'a', message: 'oh', level: 'ERROR' },
  ])
})

test('a runner that throws fails the job, not the worker', async () => {
  const { plane, lines } = await startWorker({
    run: ({ id }) => {
      if (id === 'a') throw new TypeError('broken')
      return Promise.resolve(outputOf(id))
    },
  })
  plane.give(job('a'), job('b'))
  const { error } = await plane.result('a')
  expect(JSON.parse(error)).toMatchObject({ error_message: expect.stringContaining('broken') })
  expect(await plane.result('b')).toEqual({ output: 'b' })
  expect(lines.join('')).toContain('TypeError: broken')
})
