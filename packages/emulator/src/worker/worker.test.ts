import { request } from 'node:http'
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
  const submit = async (input: unknown = {}) =>
    (await world.call('POST', '/run', { input })).body.id as string
  const status = async (id: string) => (await world.call('GET', `/status/${id}`)).body
  return { ...world, submit, status, one: await world.worker() }
}

describe('taking', () => {
  test('several at a time, never more than there are', async () => {
    const { one, submit } = await start()
    const ids = [await submit(), await submit(), await submit()]
    expect((await one.takeBatch(2)).body.map((job: { id: string }) => job.id)).toEqual(ids.slice(0, 2))
    expect((await one.takeBatch(5)).body).toEqual([{ id: ids[2], input: {} }])
  })

  test.each(['0', '-1', '1.5', 'many'])('a batch of %s is refused', async (size) => {
    const { one } = await start()
    const url = one.env.RUNPOD_WEBHOOK_GET_JOB!.replace('/job-take/', '/job-take-batch/')
    expect((await one.ask('GET', `${url}&batch_size=${size}`)).status).toBe(400)
  })

  test('waits 20 s for a job, then there is none', async () => {
    const clock = createTestClock()
    const { one, endpoint } = await start({ clock })
    const taking = vi.spyOn(endpoint, 'take')
    const stopping = vi.spyOn(endpoint, 'stops')
    const answers = Promise.all([one.take(), one.stop()])
    await vi.waitFor(() => expect([taking, stopping].map((spy) => spy.mock.calls.length)).toEqual([1, 1]), {
      interval: 1,
    })
    clock.advance(20_000)
    expect(await answers).toMatchObject([
      { status: 204, body: '' },
      { status: 204, body: '' },
    ])
  })

  test('also at an address whose query begins with &', async () => {
    const { one, submit, emulator, id: endpointId } = await start()
    const id = await submit(5)
    const url = `${emulator.url}/v2/${endpointId}/job-take/${one.id}&job_in_progress=0`
    expect((await one.ask('GET', url)).body).toEqual({ id, input: 5 })
    const done = `${emulator.url}/v2/${endpointId}/job-done/${one.id}/${id}&isStream=false`
    expect((await one.ask('POST', done, '{"output": 1}')).status).toBe(200)
    const batch = `${emulator.url}/v2/${endpointId}/job-take-batch/${one.id}&batch_size=2&job_in_progress=0`
    await submit()
    await submit()
    expect((await one.ask('GET', batch)).body).toHaveLength(2)
  })

  test('a worker that leaves while it waits takes no job along', async () => {
    const { one, endpoint, submit, worker } = await start()
    const other = await worker()
    const taking = vi.spyOn(endpoint, 'take')
    const leaving = new AbortController()
    const left = one.take(leaving.signal)
    await vi.waitFor(() => expect(taking).toHaveBeenCalled(), { interval: 1 })
    leaving.abort()
    await expect(left).rejects.toThrow()
    const id = await submit()
    expect((await other.take()).body).toMatchObject({ id })
  })

  test('a job whose answer was lost on its way waits again, as if it had not been taken', async () => {
    const { one, submit, status, emulator } = await start()
    const id = await submit()
    emulator.faults.add({ kind: 'lostResponse', plane: 'worker', times: 1 })
    await expect(one.take()).rejects.toThrow()
    await vi.waitFor(async () => expect(await status(id)).toEqual({ id, status: 'IN_QUEUE' }))
    expect((await one.take()).body).toMatchObject({ id })
  })
})

describe('results', () => {
  test.each([
    ['an output', { output: { a: 1 } }, { status: 'COMPLETED', output: { a: 1 } }],
    ['nothing', {}, { status: 'COMPLETED', output: null }],
    ['an empty error', { output: 1, error: '' }, { status: 'COMPLETED', output: 1 }],
    ['an error', { error: 'bad' }, { status: 'FAILED', error: 'bad' }],
    [
      'an error beside an output',
      { output: { b: 2 }, error: 'bad' },
      { status: 'FAILED', error: 'bad', output: { b: 2 } },
    ],
    ['an error that is no text', { error: { code: 1 } }, { status: 'FAILED', error: '{"code":1}' }],
  ])('%s', async (_, result, wanted) => {
    const { one, submit, status } = await start()
    const id = await submit()
    await one.take()
    expect((await one.done(id, result)).status).toBe(200)
    const got = await status(id)
    expect(got).toMatchObject(wanted)
    expect('error' in got).toBe('error' in wanted)
  })

  test('what Python writes of numbers JSON has not', async () => {
    const { one, submit, status } = await start()
    const id = await submit()
    await one.take()
    const url = one.env.RUNPOD_WEBHOOK_POST_OUTPUT!.replace('$ID', id)
    expect((await one.ask('POST', url, '{"output": [NaN, Infinity, "NaN"]}')).status).toBe(200)
    expect((await status(id)).output).toEqual([null, null, 'NaN'])
  })

  test('a second one changes nothing, and the worker is not asked to try again', async () => {
    const { one, submit, status } = await start()
    const id = await submit()
    await one.take()
    expect((await one.done(id, { output: 'first' })).status).toBe(200)
    const before = await status(id)
    for (const late of [{ output: 'second' }, { error: 'x' }, { status: 'IN_PROGRESS', output: 1 }])
      expect((await one.done(id, late)).status).toBe(200)
    expect((await one.item(id, 'x')).status).toBe(200)
    expect(await status(id)).toEqual(before)
  })

  test('of another worker’s job, of no job, and no JSON are refused and change nothing', async () => {
    const { one, worker, submit, status } = await start()
    const id = await submit()
    await one.take()
    const other = await worker()
    const before = await status(id)
    for (const answer of [
      await other.done(id, { output: 1 }),
      await other.item(id, 1),
      await one.done('nobody', { output: 1 }),
      await one.done(id, ['no object']),
      await one.item(id, null).then(() => one.done(id, null)),
      await one.ask('POST', one.env.RUNPOD_WEBHOOK_POST_OUTPUT!.replace('$ID', id), '{"output": '),
      await one.ask('POST', one.env.RUNPOD_WEBHOOK_POST_OUTPUT!.replace('$ID', id)),
    ])
      expect([answer.status, answer.body]).toEqual([400, { error: expect.any(String) }])
    expect(await status(id)).toMatchObject({ ...before, status: 'IN_PROGRESS' })
    expect((await one.done(id, { output: 1 })).status).toBe(200)
  })

  test('one over the limit is 400, and the job can still be answered', async () => {
    const { one, submit, status } = await start({ limits: { runSyncBytes: 1_000 } })
    const id = await submit()
    await one.take()
    const refused = await one.done(id, { output: 'x'.repeat(2_000) })
    expect([refused.status, refused.body]).toEqual([
      400,
      { error: expect.stringMatching(/the limit is 1000/) },
    ])
    expect((await status(id)).status).toBe('IN_PROGRESS')
    expect((await one.done(id, { error: 'too large' })).status).toBe(200)
  })

  test('an item over its limit fails the job', async () => {
    const { one, submit, status } = await start()
    const id = await submit()
    await one.take()
    expect((await one.item(id, 'x'.repeat(1_100_000))).status).toBe(400)
    expect(await status(id)).toMatchObject({ status: 'FAILED', error: expect.stringMatching(/limit/) })
  })

  test('with stopPod the worker gets no further job', async () => {
    const { one, submit, endpoint } = await start()
    const refresh = vi.spyOn(endpoint, 'refresh')
    const id = await submit()
    await one.take()
    await one.done(id, { output: 1, stopPod: true })
    await one.done(id, { output: 1, stopPod: true })
    expect(refresh.mock.calls).toEqual([[one.id]])
  })

  test('a worker that breaks off inside a result is no error of the emulator’s', async () => {
    const { one, submit, status } = await start()
    const id = await submit()
    await one.take()
    const url = one.env.RUNPOD_WEBHOOK_POST_OUTPUT!.replace('$ID', id)
    await new Promise<void>((resolve) => {
      const half = request(url, {
        method: 'POST',
        headers: { authorization: one.env.RUNPOD_AI_API_KEY!, 'content-length': 100 },
      })
      half.on('error', () => resolve())
      half.write('{"output"', () => half.destroy())
    })
    expect((await status(id)).status).toBe('IN_PROGRESS')
  })
})

test('a ping makes a worker known, and says which jobs it has or that it is unfit', async () => {
  const { one, endpoint } = await start()
  const heard = vi.spyOn(endpoint, 'heard')
  expect((await one.ping()).status).toBe(200)
  expect(endpoint.workers().map(({ id }) => id)).toContain(one.id)
  await one.ping('&job_id=a,b')
  await one.ping('&status=unhealthy&check=memory&reason=too+little')
  expect(heard.mock.calls).toEqual([
    [one.id, { jobs: [], isCut: false }],
    [one.id, { jobs: ['a', 'b'], isCut: false }],
    [one.id, { jobs: [], isCut: false, unhealthy: 'memory: too little' }],
  ])
})

test('a ping names as many jobs as workers send, and the longest list may be cut', async () => {
  const { one, endpoint } = await start()
  const heard = vi.spyOn(endpoint, 'heard')
  const ids = Array.from({ length: 1_638 }, (_, index) => `${String(index).padStart(36, '0')}-u1`)
  // Workers escape the commas of up to 65,535 bytes.
  const list = encodeURIComponent(ids.join(','))
  expect((await one.ping(`&job_id=${list}`)).status).toBe(200)
  expect(heard).toHaveBeenLastCalledWith(one.id, { jobs: ids, isCut: true })
})

describe('addresses and keys', () => {
  test.each([
    ['POST', '/job-take/w1', 405],
    ['GET', '/job-done/w1/j1', 405],
    ['GET', '/job-take', 400],
    ['GET', '/job-take/', 400],
    ['GET', '/job-take/w1/more', 400],
    ['POST', '/job-done/w1', 400],
    ['POST', '/job-done/w1/j1/more', 400],
    ['GET', `/ping/${'w'.repeat(200)}`, 400],
    ['GET', '/ping/%3Cscript%3E', 400],
  ])('%s %s is %i', async (method, path, status) => {
    const { emulator, id, one } = await start()
    const answer = await one.ask(method, `${emulator.url}/v2/${id}${path}`)
    expect([answer.status, answer.body]).toEqual([status, { error: expect.any(String) }])
  })

  test('a worker’s key opens its endpoint’s worker plane only', async () => {
    const { emulator, id, one } = await start()
    const other = emulator.addEndpoint({ name: 'other' })
    const key = one.env.RUNPOD_AI_API_KEY!
    for (const [url, method] of [
      [`${emulator.url}/v2/${id}/run`, 'POST'],
      [`${emulator.url}/v2/${id}/health`, 'GET'],
      [`${emulator.url}/v2/${other.id}/job-take/w1`, 'GET'],
      [`${emulator.url}/_emulator/state`, 'GET'],
    ] as const)
      expect((await createCaller(url, key)(method, '')).status, url).toBe(401)
    for (const wrong of ['', 'x', `${key}x`, key.slice(1)])
      expect((await createCaller(`${emulator.url}/v2/${id}/ping/w1`, wrong)('GET', '')).status).toBe(401)
    expect((await createCaller(`${emulator.url}/v2/${id}/ping/w1`, key)('GET', '')).status).toBe(200)
    // A worker that runs outside of a container may find its user's own key.
    expect((await createCaller(`${emulator.url}/v2/${id}/ping/w1`)('GET', '')).status).toBe(200)
  })

  test('a worker that outlives its endpoint hears what is missing', async () => {
    const { emulator, id, one } = await start()
    await emulator.endpoints.remove(id)
    expect(await one.ping()).toMatchObject({ status: 404, body: { error: 'endpoint not found' } })
    expect((await createCaller(one.env.RUNPOD_WEBHOOK_PING!, 'wrong')('GET', '')).status).toBe(401)
  })

  test('a balanced endpoint has no jobs for workers', async () => {
    const { emulator } = await start()
    const { id } = emulator.addEndpoint({ name: 'api', kind: 'balanced' })
    expect((await createCaller(`${emulator.url}/v2/${id}/job-take/w1`)('GET', '')).status).toBe(404)
  })
})

test('a worker gets the emulator’s addresses, whatever the client sent', async () => {
  const env = { RUNPOD_API_BASE_URL: 'https://api.runpod.io', RUNPOD_ENDPOINT_ID: 'x', MINE: '1', PORT: '9' }
  const { one, emulator, id } = await start({}, { env })
  const { url } = emulator
  expect(one.env).toMatchObject({
    MINE: '1',
    RUNPOD_ENDPOINT_ID: id,
    RUNPOD_API_BASE_URL: url,
    RUNPOD_ENDPOINT_BASE_URL: `${url}/v2`,
    RUNPOD_REST_API_URL: `${url}/v1`,
    RUNPOD_HAPI_URL: url,
    RUNPOD_SKIP_GPU_CHECK: 'true',
    RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: 'true',
    RUNPOD_PING_INTERVAL: '4000',
    RUNPOD_WEBHOOK_GET_JOB: `${url}/v2/${id}/job-take/${one.id}?gpu=emulated`,
    RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/v2/${id}/job-done/${one.id}/$ID?gpu=emulated`,
  })
  const api = emulator.addEndpoint({ name: 'api', kind: 'balanced', env })
  const ofApi = await emulator.workerEnv(api.id)
  expect(ofApi).toMatchObject({ PORT: '9', PORT_HEALTH: '80', RUNPOD_API_BASE_URL: url })
  expect(Object.keys(ofApi).filter((name) => name.includes('WEBHOOK'))).toEqual([])
  await expect(emulator.workerEnv('nobody')).rejects.toThrow(/no endpoint "nobody"/)
})
