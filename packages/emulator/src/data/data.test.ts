import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createCaller, startEmulator } from '../testing.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function start(...given: Parameters<typeof startEmulator>) {
  const world = await startEmulator(...given)
  cleanUps.push(async () => {
    await world.emulator.close()
    expect(world.errors).toEqual([])
  })
  const submit = async (more: object = {}, path = '/run') =>
    (await world.call('POST', path, { input: { n: 1 }, ...more })).body.id as string
  return { ...world, submit, one: await world.worker() }
}

/** Resolves when what an open request does has reached the emulator: another one has been answered since. */
const settle = (world: { call: ReturnType<typeof createCaller> }) => world.call('GET', '/health')

describe('submitting', () => {
  test.each([
    ['no JSON', '{', /cannot be read as JSON/],
    ['a list', [], /no JSON object/],
    ['no input', { inputs: 1 }, /"input" is missing/],
    ['a webhook that is no URL', { input: 1, webhook: 'ftp://x' }, /webhook is "ftp:\/\/x"/],
    ['a policy out of range', { input: 1, policy: { ttl: 1 } }, /policy.ttl is 1/],
    ['too deep nesting', `{"input": ${'['.repeat(2_000)}${']'.repeat(2_000)}}`, /deeper than/],
  ])('%s is refused', async (_, body, message) => {
    const { call } = await start()
    for (const path of ['/run', '/runsync']) {
      const { status, body: answer } = await call('POST', path, body)
      expect([status, answer]).toEqual([400, { error: expect.stringMatching(message) }])
    }
    expect((await call('GET', '/health')).body.jobs).toMatchObject({ inQueue: 0 })
  })

  test('the worker gets what the caller sent beside the input, and the id is the queue’s', async () => {
    const { submit, one } = await start()
    const more = {
      webhook: 'http://127.0.0.1:9/',
      s3Config: { bucketName: 'b' },
      policy: { lowPriority: true },
      other: [1],
      id: 'mine',
      input: {},
    }
    const id = await submit(more)
    expect((await one.take()).body).toEqual({ ...more, id })
  })

  test('an input without any key can be kept from the worker', async () => {
    const { submit, one } = await start({ limits: { emptyInput: 'drop' } })
    const id = await submit({ input: {} })
    expect((await one.take()).body).toEqual({ id })
  })

  test('a body over the limit is 413, whether its length was told or not', async () => {
    const { call, emulator, id } = await start({ limits: { runBytes: 1_000, runSyncBytes: 2_000 } })
    const body = { input: 'x'.repeat(1_500) }
    const wanted = [413, { error: expect.stringMatching(/the limit is 1000/) }]
    const told = await call('POST', '/run', body)
    expect([told.status, told.body]).toEqual(wanted)
    const stream = new Blob([JSON.stringify(body)]).stream()
    const untold = await fetch(`${emulator.url}/v2/${id}/run`, {
      method: 'POST',
      headers: { authorization: 'emulator' },
      body: stream,
      duplex: 'half',
    } as RequestInit)
    expect([untold.status, await untold.json()]).toEqual(wanted)
    expect((await call('POST', '/runsync?wait=1000', { input: 'x'.repeat(2_500) })).status).toBe(413)
  })
})

describe('/runsync', () => {
  test('answers with the result, and ids of its own form', async () => {
    const { call, one } = await start()
    const answer = call('POST', '/runsync', { input: 1 })
    const { body } = await one.take()
    await one.done(body.id, { output: [1] })
    expect((await answer).body).toMatchObject({ id: body.id, status: 'COMPLETED', output: [1] })
    expect(body.id).toMatch(/^sync-.*-u1$/)
  })

  test.each([
    ['', 90_000],
    ['?wait=', 90_000],
    ['?wait=5', 1_000],
    ['?wait=2000', 2_000],
    ['?wait=900000', 300_000],
  ])('with %j waits %i ms, then says where the job is', async (query, ms) => {
    const clock = createTestClock()
    const { call, ...world } = await start({ clock })
    const waiting = new Promise<void>((resolve) => world.endpoint.queue.onWaiting(() => resolve()))
    let answered = false
    const answer = call('POST', `/runsync${query}`, { input: 1 }).finally(() => (answered = true))
    await waiting
    clock.advance(ms - 1)
    await call('GET', '/health')
    expect(answered).toBe(false)
    clock.advance(1)
    expect((await answer).body).toEqual({ id: expect.any(String), status: 'IN_QUEUE' })
  })

  test('a wait that is no number is refused', async () => {
    const { call } = await start()
    expect(await call('POST', '/runsync?wait=long', { input: 1 })).toMatchObject({ status: 400 })
  })

  test.each([
    ['', 60_000],
    ['?wait=30000', 60_000],
    ['?wait=200000', 200_000],
    ['?wait=300000', 300_000],
  ])('with %j its result is kept %i ms', async (query, ms) => {
    const clock = createTestClock()
    const { call, one } = await start({ clock })
    const answer = call('POST', `/runsync${query}`, { input: 1 })
    const { body } = await one.take()
    await one.done(body.id, { output: 1 })
    await answer
    clock.advance(ms - 1)
    expect((await call('GET', `/status/${body.id}`)).status).toBe(200)
    clock.advance(1)
    expect((await call('GET', `/status/${body.id}`)).status).toBe(404)
  })
})

describe('/status', () => {
  test('of /run is known 30 minutes after the end', async () => {
    const clock = createTestClock()
    const { call, submit, one } = await start({ clock })
    const id = await submit()
    await one.take()
    await one.done(id, { output: 1 })
    clock.advance(1_800_000 - 1)
    expect((await call('GET', `/status/${id}`)).status).toBe(200)
    clock.advance(1)
    const gone = await call('GET', `/status/${id}`)
    expect([gone.status, gone.body]).toEqual([404, { error: 'job not found' }])
  })

  test('?ttl lets a finished job leave sooner, and never later', async () => {
    const clock = createTestClock()
    const { call, submit, one } = await start({ clock })
    const [sooner, later, waiting] = [await submit(), await submit(), await submit()]
    for (const id of [sooner, later]) {
      await one.take()
      await one.done(id, { output: 1 })
    }
    expect((await call('GET', `/status/${sooner}?ttl=6000`)).body.status).toBe('COMPLETED')
    expect((await call('GET', `/status/${later}?ttl=604800000`)).status).toBe(200)
    expect((await call('GET', `/status/${waiting}?ttl=5000`)).body.status).toBe('IN_QUEUE')
    expect((await call('GET', `/status/${waiting}?ttl=soon`)).status).toBe(400)
    clock.advance(5_000)
    expect((await call('GET', `/status/${waiting}`)).status).toBe(404)
    clock.advance(1_000)
    expect((await call('GET', `/status/${sooner}`)).status).toBe(404)
    clock.advance(1_794_000)
    expect((await call('GET', `/status/${later}`)).status).toBe(404)
  })

  test('-sync waits for the end', async () => {
    const { call, submit, one } = await start()
    const id = await submit()
    const answer = call('GET', `/status-sync/${id}?wait=5000`)
    await one.take()
    await one.done(id, { error: 'no' })
    expect((await answer).body).toMatchObject({ status: 'FAILED', error: 'no' })
    expect((await call('GET', '/status-sync/nobody')).status).toBe(404)
  })
})

test('/stream hands out each item once, and the final state with the last of them', async () => {
  const { call, submit, one } = await start()
  const id = await submit()
  await one.take()
  await one.item(id, 'a')
  await one.item(id, 'b')
  expect((await call('GET', `/stream/${id}`)).body).toEqual({
    status: 'IN_PROGRESS',
    stream: [{ output: 'a' }, { output: 'b' }],
  })
  const held = call('POST', `/stream/${id}`)
  await settle({ call })
  await one.item(id, 'c')
  expect((await held).body).toEqual({ status: 'IN_PROGRESS', stream: [{ output: 'c' }] })
  await one.item(id, 'd')
  await one.done(id, { output: [] })
  expect((await call('GET', `/stream/${id}`)).body).toEqual({
    status: 'COMPLETED',
    stream: [{ output: 'd' }],
  })
  expect((await call('GET', `/stream/${id}`)).body).toEqual({ status: 'COMPLETED', stream: [] })
  expect((await call('GET', '/stream/nobody')).status).toBe(404)
})

test('/stream answers without an item after a while, and keeps items from a reader that left', async () => {
  const clock = createTestClock()
  const { call, submit, one, emulator, endpoint, id: endpointId } = await start({ clock })
  const id = await submit()
  await one.take()
  const held = vi.spyOn(endpoint.queue, 'subscribe')
  const isHeld = (times: number) =>
    vi.waitFor(() => expect(held).toHaveBeenCalledTimes(times), { interval: 1 })
  const patient = call('GET', `/stream/${id}`)
  await isHeld(1)
  clock.advance(1_000)
  expect((await patient).body).toEqual({ status: 'IN_PROGRESS', stream: [] })
  const leaving = new AbortController()
  const left = fetch(`${emulator.url}/v2/${endpointId}/stream/${id}`, {
    headers: { authorization: 'emulator' },
    signal: leaving.signal,
  })
  await isHeld(2)
  leaving.abort()
  await expect(left).rejects.toThrow()
  await settle({ call })
  await one.item(id, 'kept')
  expect((await call('GET', `/stream/${id}`)).body.stream).toEqual([{ output: 'kept' }])
})

test('/cancel, /retry and /purge-queue', async () => {
  const { call, submit, one } = await start()
  const [running, waiting, last] = [await submit(), await submit(), await submit()]
  await one.take()
  const stop = one.stop()
  expect((await call('POST', `/cancel/${running}`)).body).toEqual({ id: running, status: 'CANCELLED' })
  expect((await stop).body).toEqual({ jobsToStop: [running] })
  expect((await call('POST', `/cancel/${running}`, {})).body).toEqual({ id: running, status: 'CANCELLED' })
  expect((await call('GET', `/status/${running}`)).body).toMatchObject({
    workerId: one.id,
    delayTime: expect.any(Number),
    executionTime: expect.any(Number),
  })
  expect((await call('POST', `/retry/${waiting}`)).status).toBe(400)
  await one.take()
  await one.done(waiting, { error: 'first' })
  expect((await call('POST', `/retry/${waiting}`)).body).toEqual({ id: waiting, status: 'IN_QUEUE' })
  expect((await call('POST', '/purge-queue')).body).toEqual({ removed: 2, status: 'completed' })
  expect((await call('GET', `/status/${last}`)).body).toMatchObject({
    status: 'CANCELLED',
    workerId: '',
    delayTime: 0,
    executionTime: 0,
  })
  for (const path of ['/cancel/nobody', '/retry/nobody']) expect((await call('POST', path)).status).toBe(404)
})

test('/health and /metrics count', async () => {
  const { call, submit, one } = await start()
  await submit()
  const id = await submit()
  await one.take()
  expect((await call('GET', '/health')).body).toEqual({
    jobs: { completed: 0, failed: 0, inProgress: 1, inQueue: 1, retried: 0 },
    workers: expect.objectContaining({ running: 1, idle: 0, ready: 0, throttled: 0, unhealthy: 0 }),
  })
  expect((await call('GET', '/metrics')).body).toEqual({
    workers: expect.objectContaining({ running: 1 }),
    readyWorkers: [one.id],
  })
  expect(id).toBeTruthy()
})

test('a job that runs too long is TIMED_OUT, and its worker is told', async () => {
  const clock = createTestClock()
  const { call, submit, one } = await start({ clock })
  const id = await submit({ policy: { executionTimeout: 5_000 } })
  await one.take()
  const stop = one.stop()
  await settle({ call })
  clock.advance(5_000)
  expect((await stop).body).toEqual({ jobsToStop: [id] })
  expect((await call('GET', `/status/${id}`)).body).toMatchObject({ status: 'TIMED_OUT', workerId: one.id })
  expect((await one.done(id, { output: 1 })).status).toBe(200)
  expect((await call('GET', `/status/${id}`)).body.status).toBe('TIMED_OUT')
})

describe('what there is not', () => {
  test.each([
    ['GET', '/run', 405],
    ['DELETE', '/status/x', 405],
    ['GET', '/nowhere', 404],
    ['GET', '/status', 404],
    ['GET', '/status/a/b', 404],
    ['POST', '/run/more', 404],
    ['GET', '', 404],
    ['GET', '/', 404],
  ])('%s %s is %i', async (method, path, status) => {
    const { call } = await start()
    const answer = await call(method, path)
    expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String) }])
  })

  test('jobs of a balanced endpoint', async () => {
    const { emulator } = await start()
    const { id } = emulator.addEndpoint({ name: 'api', kind: 'balanced' })
    const answer = await createCaller(`${emulator.url}/v2/${id}`)('POST', '/run', { input: 1 })
    expect([answer.status, answer.body]).toEqual([400, { error: 'not allowed for LB API' }])
  })
})

describe('rate limits', () => {
  const limits = { rates: true }

  test('a window of 10 s for each operation, told in headers', async () => {
    const clock = createTestClock()
    const { call } = await start({ clock, limits })
    const first = await call('POST', '/purge-queue')
    expect(first.headers.get('ratelimit-policy')).toBe('"purge";q=2;w=10')
    expect(first.headers.get('ratelimit')).toBe('"purge";r=1;t=10')
    expect((await call('POST', '/purge-queue')).status).toBe(200)
    clock.advance(4_000)
    const refused = await call('POST', '/purge-queue')
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '6'])
    expect((await call('GET', '/health')).headers.get('ratelimit')).toBeNull()
    clock.advance(6_000)
    expect((await call('POST', '/purge-queue')).status).toBe(200)
  })

  test('so many at a time', async () => {
    const { call, one } = await start({ limits })
    const all = Array.from({ length: 205 }, () => call('POST', '/runsync?wait=1000', { input: 1 }))
    expect((await Promise.all(all)).map(({ status }) => status)).not.toContain(429)
    expect((await one.takeBatch(300)).body).toHaveLength(205)
  })

  test('who has left counts no more', async () => {
    const { call, emulator, id, endpoint } = await start({ limits })
    const waiting = vi.spyOn(endpoint.queue, 'wait')
    const leaving = new AbortController()
    const ask = () =>
      fetch(`${emulator.url}/v2/${id}/status-sync/${job}`, {
        headers: { authorization: 'Bearer emulator' },
        signal: leaving.signal,
      }).catch(() => {})
    const job = (await call('POST', '/run', { input: 1 })).body.id
    const left = Array.from({ length: 400 }, ask)
    await vi.waitFor(() => expect(waiting).toHaveBeenCalledTimes(400))
    expect((await call('GET', `/status/${job}`)).status).toBe(429)
    leaving.abort()
    await Promise.all(left)
    await vi.waitFor(async () => expect((await call('GET', `/status/${job}`)).status).toBe(200))
  })

  test('a queue that is far too long takes no more', async () => {
    const { emulator } = await start({ limits })
    const { id, url } = emulator.addEndpoint({ name: 'small', workersMax: 0 })
    const { queue } = emulator.endpoints.get(id)!
    const run = () => createCaller(url)('POST', '/run', { input: 1 })
    for (let count = 0; count < 50; count++) queue.submit({ input: 1 })
    expect((await run()).status).toBe(200)
    const refused = await run()
    expect([refused.status, refused.body]).toEqual([
      429,
      { error: 'too many jobs wait: 51, the limit is 50' },
    ])
    expect(queue.load().waiting).toBe(51)
  })

  test('are off unless they are asked for', async () => {
    const { call } = await start()
    for (let i = 0; i < 4; i++) expect((await call('POST', '/purge-queue')).status).toBe(200)
  })
})

test('a webhook gets what /status would say, once, also after a retry', async () => {
  const got: unknown[] = []
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    request.on('end', () => {
      got.push(JSON.parse(text))
      response.end()
      heard()
    })
  })
  let heard = () => {}
  const next = () => new Promise<void>((resolve) => (heard = resolve))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    server.closeAllConnections()
    server.close()
  })
  const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`
  const { call, submit, one } = await start()
  const cancelled = await submit({ webhook })
  await call('POST', `/cancel/${cancelled}`)
  const id = await submit({ webhook })
  for (const result of [{ error: 'no' }, { output: 1 }]) {
    await one.take()
    const told = next()
    await one.done(id, result)
    await told
    expect(got.at(-1)).toEqual((await call('GET', `/status/${id}`)).body)
    await call('POST', `/retry/${id}`)
  }
  expect(got).toMatchObject([{ status: 'FAILED' }, { status: 'COMPLETED' }])
})

describe('/openai', () => {
  test('is a job with route and body, and its output the answer', async () => {
    const { call, one } = await start()
    const answer = call('POST', '/openai/v1/chat/completions', { model: 'm' })
    const { body } = await one.take()
    expect(body.input).toEqual({ openai_route: '/v1/chat/completions', openai_input: { model: 'm' } })
    await one.done(body.id, { output: [{ choices: [] }] })
    expect((await answer).body).toEqual({ choices: [] })
    const models = call('GET', '/openai/v1/models')
    const taken = (await one.take()).body
    expect(taken.input).toEqual({ openai_route: '/v1/models', openai_input: null })
    await one.item(taken.id, { data: [] })
    await one.done(taken.id, { output: [] })
    expect((await models).body).toEqual({ data: [] })
  })

  test('streams what the worker streams', async () => {
    const { call, one } = await start()
    const answer = call('POST', '/openai/v1/completions', { stream: true })
    const { body } = await one.take()
    await one.item(body.id, 'data: {"a":1}\n\n')
    await one.item(body.id, { b: 2 })
    await one.done(body.id, { output: [] })
    const { headers, body: text } = await answer
    expect(headers.get('content-type')).toBe('text/event-stream')
    expect(text).toBe('data: {"a":1}\n\ndata: {"b":2}\n\n')
  })

  test('a failure is 500, and who leaves cancels', async () => {
    const { call, one, emulator, id } = await start()
    for (const stream of [false, true]) {
      const answer = call('POST', '/openai/v1/completions', { stream })
      const { body } = await one.take()
      await one.done(body.id, { error: 'no model' })
      expect(await answer).toMatchObject({ status: 500, body: { error: 'no model' } })
    }
    const leaving = new AbortController()
    const left = fetch(`${emulator.url}/v2/${id}/openai/v1/models`, {
      headers: { authorization: 'emulator' },
      signal: leaving.signal,
    })
    const { body } = await one.take()
    const stop = one.stop()
    leaving.abort()
    await expect(left).rejects.toThrow()
    expect((await stop).body).toEqual({ jobsToStop: [body.id] })
  })
})
