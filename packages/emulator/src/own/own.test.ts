import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test } from 'vitest'
import { createMovableClock } from '../emulator.ts'
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
  return world
}

describe('faults', () => {
  test('are made, listed, and taken back', async () => {
    const { own, emulator } = await start()
    const made = await own('POST', '/faults', { kind: 'serverError', plane: 'data', status: 503, times: 2 })
    expect([made.status, made.body]).toEqual([
      201,
      { id: 'fault-1', kind: 'serverError', plane: 'data', status: 503, times: 2 },
    ])
    await own('POST', '/faults', { kind: 'noCapacity', endpoint: 'x' })
    expect((await own('GET', '/faults')).body.faults).toEqual(emulator.faults.list())
    expect((await own('DELETE', '/faults/fault-1')).status).toBe(204)
    expect((await own('DELETE', '/faults/fault-1')).status).toBe(404)
    expect((await own('GET', '/faults')).body.faults).toMatchObject([{ kind: 'noCapacity' }])
    expect((await own('DELETE', '/faults')).status).toBe(204)
    expect(emulator.faults.list()).toEqual([])
  })

  test.each([
    ['a list', [], /no JSON object/],
    ['no JSON', '{', /cannot be read/],
    ['no kind', {}, /kind is undefined, it must be one of coldStart/],
    ['another kind', { kind: 'toString' }, /kind is "toString"/],
    ['a missing field', { kind: 'coldStart' }, /seconds is undefined/],
    ['a wrong plane', { kind: 'lostResponse', plane: 'other' }, /plane is "other"/],
    ['a wrong status', { kind: 'serverError', plane: 'data', status: 404 }, /status is 404/],
    ['a wrong number', { kind: 'noCapacity', times: 0 }, /times is 0/],
    ['a wrong endpoint', { kind: 'noCapacity', endpoint: '' }, /endpoint is ""/],
    ['a field too many', { kind: 'noCapacity', seconds: 1 }, /no field "seconds"/],
  ])('%s is refused', async (_, body, message) => {
    const { own, emulator } = await start()
    const answer = await own('POST', '/faults', body)
    expect([answer.status, answer.body]).toEqual([400, { error: expect.stringMatching(message) }])
    expect(emulator.faults.list()).toEqual([])
  })

  test('happen to requests, once the caller has shown its key', async () => {
    const { own, call, emulator, id } = await start()
    const submit = () => call('POST', '/run', { input: 1 })
    await own('POST', '/faults', { kind: 'rateLimit', plane: 'data', retryAfterSeconds: 7, times: 1 })
    expect((await createCaller(`${emulator.url}/v2/${id}`, 'wrong')('GET', '/health')).status).toBe(401)
    const limited = await submit()
    expect([limited.status, limited.headers.get('retry-after')]).toEqual([429, '7'])
    await own('POST', '/faults', { kind: 'lostResponse', plane: 'data', times: 1 })
    await expect(submit()).rejects.toThrow()
    expect((await call('GET', '/health')).body.jobs.inQueue).toBe(1)
    await own('POST', '/faults', { kind: 'truncatedBody', plane: 'data', times: 1 })
    await expect(submit()).rejects.toThrow()
    await own('POST', '/faults', { kind: 'serverError', plane: 'data', status: 502, endpoint: 'other' })
    const { body } = await submit()
    expect(body.status).toBe('IN_QUEUE')
    await own('POST', '/faults', { kind: 'expiredResult', times: 1 })
    expect((await call('GET', `/status/${body.id}`)).status).toBe(200)
    await call('POST', `/cancel/${body.id}`)
    expect((await call('GET', `/status/${body.id}`)).status).toBe(404)
    expect((await call('GET', `/status/${body.id}`)).body.status).toBe('CANCELLED')
  })

  test('happen to an endpoint that is named as on the account', async () => {
    const { own, call, emulator } = await start()
    const { url } = emulator.addEndpoint({ name: 'other' })
    await own('POST', '/faults', { kind: 'serverError', plane: 'data', status: 503, endpoint: 'test' })
    expect((await createCaller(url)('GET', '/health')).status).toBe(200)
    expect((await call('GET', '/health')).status).toBe(503)
  })

  test.each(['lostResponse', 'truncatedBody'])('%s happens to a stream of the account', async (kind) => {
    const { own, emulator, id, worker } = await start()
    const one = await worker()
    await one.ping()
    await own('POST', '/faults', { kind, plane: 'control', times: 1 })
    const logs = () => createCaller(emulator.url)('GET', `/v2/serverless/${id}/workers/${one.id}/logs`)
    await expect(logs()).rejects.toThrow()
    expect(emulator.faults.list()).toEqual([])
  })

  test('happen to the account, too', async () => {
    const { own, emulator } = await start()
    const ask = () =>
      createCaller(emulator.url)(
        'POST',
        '/graphql',
        { query: '{ myself { id } }' },
        { 'content-type': 'application/json' },
      )
    for (const [fault, status] of [
      [{ kind: 'rateLimit', retryAfterSeconds: 1 }, 429],
      [{ kind: 'serverError', status: 500 }, 500],
    ] as const) {
      await own('POST', '/faults', { ...fault, plane: 'control', times: 1 })
      expect((await ask()).status).toBe(status)
    }
    for (const kind of ['lostResponse', 'truncatedBody']) {
      await own('POST', '/faults', { kind, plane: 'control', times: 1 })
      await expect(ask()).rejects.toThrow()
    }
    expect((await ask()).status).toBe(200)
  })
})

describe('the clock', () => {
  test('is put forward', async () => {
    const { own, call } = await start({ clock: createMovableClock(createTestClock(5_000)) })
    const { body } = await call('POST', '/run', { input: 1, policy: { ttl: 60_000 } })
    expect((await own('GET', '/clock')).body).toEqual({ now: 5_000 })
    expect((await own('POST', '/clock', { advanceMs: 60_000 })).body).toEqual({ now: 65_000 })
    expect((await call('GET', `/status/${body.id}`)).status).toBe(404)
  })

  test.each([[{}], [{ advanceMs: -1 }], [{ advanceMs: '5' }], [{ advanceMs: 1e20 }], [[]]])(
    '%j is refused',
    async (body) => {
      const { own } = await start({ clock: createTestClock() })
      expect(await own('POST', '/clock', body)).toMatchObject({
        status: 400,
        body: { error: expect.stringMatching(/^advanceMs is/) },
      })
    },
  )

  test('of an emulator in real time stays', async () => {
    const { own } = await start()
    expect((await own('POST', '/clock', { advanceMs: 1 })).status).toBe(409)
  })
})

test('the state is everything that exists', async () => {
  const { own, call, worker, id } = await start()
  const { body } = await call('POST', '/run', { input: 1 })
  const one = await worker()
  await one.take()
  const state = (await own('GET', '/state')).body
  expect(state).toMatchObject({
    now: expect.any(Number),
    faults: [],
    account: expect.any(Object),
    endpoints: [
      { id, name: 'test', kind: 'queue', version: 1, jobs: { inProgress: 1 }, workers: { running: 1 } },
    ],
  })
  expect(state.endpoints[0].running).toContainEqual(expect.objectContaining({ id: one.id, state: 'RUNNING' }))
  expect(body.id).toBeTruthy()
  expect(JSON.stringify(state)).not.toContain(one.env.RUNPOD_AI_API_KEY)
})

test('variables of a client, and of a worker that is started by hand', async () => {
  const { own, emulator, id } = await start()
  expect((await own('GET', '/env')).body).toEqual(emulator.env)
  const { body } = await own('GET', `/env?endpoint=${id}`)
  expect(body).toMatchObject({ RUNPOD_ENDPOINT_ID: id, RUNPOD_WEBHOOK_GET_JOB: expect.any(String) })
  expect((await own('GET', '/env?endpoint=nobody')).status).toBe(404)
})

describe('a worker is announced', () => {
  test.each([
    ['nobody', 'w1', { url: 'http://127.0.0.1:1' }, 404],
    ['api', 'w 1', { url: 'http://127.0.0.1:1' }, 400],
    ['api', '', { url: 'http://127.0.0.1:1' }, 400],
    ['api', 'w1', { url: 'ftp://127.0.0.1' }, 400],
    ['api', 'w1', { url: 5 }, 400],
    ['api', 'w1', [], 400],
    ['queue', 'w1', { url: 'http://127.0.0.1:1' }, 400],
    ['api', 'w1', { url: 'http://127.0.0.1:1/' }, 204],
  ])('of %s as "%s" with %j: %i', async (name, workerId, body, status) => {
    const { own, emulator, id } = await start()
    const api = emulator.addEndpoint({ name: 'api', kind: 'balanced' }).id
    const endpointId = { api, queue: id }[name] ?? name
    const answer = await own('PUT', `/workers/${endpointId}/${encodeURIComponent(workerId)}`, body)
    expect(answer.status).toBe(status)
    const known = emulator.endpoints
      .get(api)!
      .workers()
      .map((worker) => worker.id)
    expect(known.includes('w1')).toBe(status === 204)
  })
})

describe('whoever asks', () => {
  test('needs the account’s key', async () => {
    const { emulator } = await start()
    for (const path of ['/state', '/env', '/nowhere'])
      expect((await createCaller(`${emulator.url}/_emulator`, 'wrong')('GET', path)).status).toBe(401)
  })

  test('must not be a page', async () => {
    const { own, emulator } = await start()
    const pages: Record<string, string>[] = [
      { origin: emulator.url },
      { origin: 'https://evil.example' },
      { 'sec-fetch-site': 'same-origin' },
    ]
    for (const headers of pages) expect((await own('GET', '/state', undefined, headers)).status).toBe(403)
  })

  test('gets 404 and 405 as JSON, and 413', async () => {
    const { own } = await start()
    expect(await own('GET', '/nowhere')).toMatchObject({ status: 404, body: { error: 'not found' } })
    const answer = await own('DELETE', '/clock')
    expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect((await own('POST', '/faults', 'x'.repeat(70_000))).status).toBe(413)
  })
})
