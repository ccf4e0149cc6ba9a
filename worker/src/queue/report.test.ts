import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Act, lost, reset, silent, status } from './testing/plane.ts'
import { until } from './testing/until.ts'
import { openPlane, outputOf, startWorker, temporaryFolder } from './testing/worker.ts'

const job = (id: string, input: unknown = id) => ({ id, input })

/** A pause between attempts: neither the bound of a request nor a tick. */
const isPause = (ms: number) => ms < 60_000 && ms !== 1_000

for (const [what, act, [least, most]] of [
  ['500', status(500), [250, 500]],
  ['503', status(503), [250, 500]],
  ['408', status(408), [250, 500]],
  ['the way to another server', status(302, { location: 'http://127.0.0.1:1/' }), [250, 500]],
  ['429', status(429), [5_000, 5_000]],
  ['429 with a time', status(429, { 'retry-after': '8' }), [8_000, 8_000]],
  ['a broken connection', reset, [250, 500]],
] as [string, Act, [number, number]][]) {
  test(`a result answered with ${what} lies on disk and is posted again`, async () => {
    const plane = await openPlane()
    const spoolFolder = temporaryFolder()
    // A broken connection that was kept is tried again at once, so one failure more.
    plane.script('job-done', act, ...(act === reset ? [act] : []))
    const { clock } = await startWorker({ plane, spoolFolder })
    plane.give(job('a'))
    await plane.nth('job-done', 1)
    const waited = await until(() => clock.waits.find(isPause))
    expect(waited).toBeGreaterThanOrEqual(least)
    expect(waited).toBeLessThanOrEqual(most)
    const [file] = readdirSync(spoolFolder)
    expect(statSync(join(spoolFolder, file!)).mode & 0o777).toBe(0o600)
    expect(readFileSync(join(spoolFolder, file!), 'utf8')).toMatch(/\n\{"output":"a"\}$/)
    clock.advance(waited)
    expect(await plane.result('a')).toEqual({ output: 'a' })
    const posts = plane.all('job-done')
    expect(new Set(posts.map(({ headers }) => headers['x-request-id'])).size).toBe(1)
    expect(new Set(posts.map(({ text }) => text)).size).toBe(1)
    await until(() => readdirSync(spoolFolder).length === 0)
  })
}

test('a result whose answer is lost is posted again, the same', async () => {
  const plane = await openPlane()
  plane.script('job-done', lost, lost)
  const { clock } = await startWorker({ plane })
  plane.give(job('a'))
  expect(await plane.result('a')).toEqual({ output: 'a' })
  if (plane.all('job-done').length < 3) await clock.pass(isPause)
  const third = await plane.nth('job-done', 3)
  expect(third.text).toBe('{"output":"a"}')
  plane.give(job('b'))
  await plane.result('b')
  expect(plane.all('job-done')).toHaveLength(4)
})

test('each result has a request id of its own', async () => {
  const { plane } = await startWorker()
  plane.give(job('a'), job('b'))
  await plane.result('a')
  await plane.result('b')
  const [a, b] = plane.all('job-done').map(({ headers }) => headers['x-request-id'])
  expect(a).not.toBe(b)
})

test('a result that is never answered is posted again after a minute', async () => {
  const plane = await openPlane()
  plane.script('job-done', silent)
  const { clock } = await startWorker({ plane })
  plane.give(job('a'))
  await plane.nth('job-done', 1)
  clock.advance(60_000)
  await clock.pass((ms) => ms <= 500)
  expect(await plane.result('a')).toEqual({ output: 'a' })
})

test('a result that takes long lets other jobs run, and is accepted in the end', async () => {
  const plane = await openPlane()
  plane.script('job-done', ...Array.from({ length: 6 }, () => status(500)))
  const { clock } = await startWorker({ plane })
  plane.give(job('a'), job('b'))
  for (let i = 0; i < 5; i++) await clock.pass((ms) => ms < 60_000 && ms >= 250 && ms !== 1_000)
  await plane.nth('job-take', 2)
  for (let i = 0; i < 2; i++) clock.advance(30_000)
  const ended = Promise.all([plane.result('a'), plane.result('b')])
  const tick = setInterval(() => clock.advance(1_000), 1)
  expect(await ended.finally(() => clearInterval(tick))).toEqual([{ output: 'a' }, { output: 'b' }])
})

test('what one process could not post, the next one of the worker does', async () => {
  const plane = await openPlane()
  const spoolFolder = temporaryFolder()
  plane.script('job-done', ...Array.from({ length: 3 }, () => status(500)))
  const first = await startWorker({
    plane,
    spoolFolder,
    run: async () => ({ json: '{"output":"ü"}', streamed: true }),
  })
  plane.give(job('a'))
  await until(() => readdirSync(spoolFolder).some((name) => name.endsWith('.result')))
  first.signal()
  first.signal()
  expect(await first.done).toBe(1)
  expect(readdirSync(spoolFolder)).toHaveLength(1)
  const { headers } = plane.all('job-done')[0]!
  plane.script('job-done')
  const count = plane.all('job-done').length
  const second = await startWorker({ plane, spoolFolder })
  const tick = setInterval(() => second.clock.advance(1_000), 1)
  expect(await plane.result('a').finally(() => clearInterval(tick))).toEqual({ output: 'ü' })
  const again = plane.all('job-done')[count]!
  expect(again.query.get('isStream')).toBe('true')
  expect(again.headers['x-request-id']).toBe(headers['x-request-id'])
  await until(() => readdirSync(spoolFolder).length === 0)
})

test('a job whose result an earlier process kept is not run again', async () => {
  const plane = await openPlane()
  const spoolFolder = temporaryFolder()
  writeFileSync(
    join(spoolFolder, 'a.result'),
    `${JSON.stringify({ jobId: 'a', requestId: 'r', streamed: false, at: 1_700_000_000_000 })}\n{"output":"kept"}`,
  )
  plane.script('job-done', status(500))
  const { lines, clock } = await startWorker({ plane, spoolFolder, run: async () => outputOf('run again') })
  await plane.nth('job-done', 1)
  plane.give(job('a'))
  await until(() => lines.some((line) => line.includes('given out twice')))
  await clock.pass((ms) => ms <= 500 && ms >= 250)
  expect(await plane.result('a')).toEqual({ output: 'kept' })
})

for (const [what, code, size] of [
  ['413', 413, 10],
  ['400 and a large output', 400, 2_000_000],
] as const) {
  test(`a result refused with ${what} becomes a failure that says so`, async () => {
    const plane = await openPlane()
    plane.script('job-done', status(code))
    await startWorker({ plane, run: async () => outputOf('x'.repeat(size)) })
    plane.give(job('a'))
    const { error, output } = await plane.result('a')
    const failure = JSON.parse(error)
    const bytes = size + '{"output":""}'.length
    expect(output).toBeUndefined()
    expect(failure.error_message).toContain(`${bytes} bytes, with status ${code}`)
    expect(failure.error_message).toContain('10000000 bytes')
    expect(failure.flash).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      hint: expect.stringContaining('put it in a volume'),
    })
    const [first, second] = plane.all('job-done')
    expect(first!.headers['x-request-id']).not.toBe(second!.headers['x-request-id'])
  })
}

test('a small result refused with 400 becomes a failure that says so', async () => {
  const plane = await openPlane()
  plane.script('job-done', status(400))
  await startWorker({ plane })
  plane.give(job('a'))
  const { error } = await plane.result('a')
  expect(JSON.parse(error).flash.code).toBe('RESULT_REFUSED')
})

test('a body over the limit under which the connection breaks each time counts as refused', async () => {
  const plane = await openPlane()
  const breaking: Act = (exchange) =>
    exchange.seen.text.length > 1_000_000 ? reset(exchange) : exchange.pass()
  plane.script('job-done', ...Array.from({ length: 20 }, () => breaking))
  const { clock } = await startWorker({ plane, run: async () => outputOf('x'.repeat(10_000_000)) })
  plane.give(job('a'))
  const tick = setInterval(() => clock.advance(1_000), 1)
  const { error } = await plane.result('a').finally(() => clearInterval(tick))
  expect(JSON.parse(error).flash.code).toBe('PAYLOAD_TOO_LARGE')
})

test('a failure that is refused too is given up, and the worker goes on', async () => {
  const plane = await openPlane()
  const spoolFolder = temporaryFolder()
  plane.script('job-done', status(500), status(413), status(500), status(400))
  const { lines, clock } = await startWorker({ plane, spoolFolder })
  plane.give(job('a'), job('b'))
  const tick = setInterval(() => clock.advance(500), 1)
  expect(await plane.result('b').finally(() => clearInterval(tick))).toEqual({ output: 'b' })
  expect(lines.join('')).toContain('refused with status 400, and is given up')
  expect(readdirSync(spoolFolder)).toEqual([])
})

test('a result of a job that is not known any more is given up at once', async () => {
  const plane = await openPlane()
  plane.script('job-done', status(404))
  const { lines } = await startWorker({ plane })
  plane.give(job('a'), job('b'))
  await plane.result('b')
  expect(plane.all('job-done').filter((one) => one.job === 'a')).toHaveLength(1)
  expect(lines.join('')).toContain('refused with status 404, and is given up')
})

test('a key that is refused for a moment loses no result', async () => {
  const plane = await openPlane()
  plane.script('job-done', status(403), status(401))
  const { clock } = await startWorker({ plane })
  plane.give(job('a'))
  await clock.pass((ms) => ms <= 500)
  await clock.pass((ms) => ms > 400 && ms < 1_000)
  expect(await plane.result('a')).toEqual({ output: 'a' })
})

test('a result that is refused for its key stays on disk', async () => {
  const plane = await openPlane()
  const spoolFolder = temporaryFolder()
  plane.script('job-done', ...Array.from({ length: 8 }, () => status(401)))
  const { lines, clock } = await startWorker({ plane, spoolFolder })
  plane.give(job('a'))
  const tick = setInterval(() => clock.advance(1_000), 1)
  await until(() => lines.some((line) => line.includes('the next start'))).finally(() => clearInterval(tick))
  plane.give(job('b'))
  await plane.result('b')
  expect(plane.all('job-done').map((one) => one.job)).toEqual([...Array.from({ length: 8 }, () => 'a'), 'b'])
  expect(readdirSync(spoolFolder)).toHaveLength(1)
  expect(lines.join('')).toContain('status 401')
  expect(lines.join('')).not.toContain('raw-worker-key')
})

test('where nothing can be kept on disk, the result is posted again all the same', async () => {
  const plane = await openPlane()
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), '')
  plane.script('job-done', status(500))
  const { clock, lines } = await startWorker({ plane, spoolFolder: join(folder, 'file') })
  plane.give(job('a'))
  await clock.pass((ms) => ms <= 500)
  expect(await plane.result('a')).toEqual({ output: 'a' })
  expect(lines.join('')).toContain('could not be kept')
})
