import { readFailure } from '@flash/protocol'
import { describe, expect, test } from 'vitest'
import { createFakeLauncher, setUp, takeFrom, turn } from './testing.ts'

const failureOf = (error: string | undefined) => {
  const { code, message } = readFailure(error)
  return { code, message }
}

test('a silent worker is lost: its job waits again and goes to another', async () => {
  const { submit, endpoint, launcher, pass, story } = await setUp()
  const id = await submit()
  const [worker] = launcher.started
  await takeFrom(endpoint, worker!.id)
  await pass(22)
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_PROGRESS' })
  await pass(1)
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_QUEUE' })
  expect(worker!.stopped).toEqual([0])
  expect(story(worker!.id)).toContain('worker is lost: it was silent for 22 s')
  expect(endpoint.queue.health().jobs.retried).toBe(1)
  expect(await takeFrom(endpoint, launcher.started[1]!.id)).toMatchObject([{ id, attempt: 2 }])
})

for (const [what, speak] of [
  ['pings', (one: Speaker) => one.endpoint.heard(one.workerId, { jobs: [one.id] })],
  ['progress', (one: Speaker) => one.endpoint.queue.progress(one.id, one.workerId, 1)],
  ['items', (one: Speaker) => one.endpoint.queue.item(one.id, one.workerId, 1)],
  ['stop requests', (one: Speaker) => void one.endpoint.stops(one.workerId, quick)],
  ['results of other jobs', (one: Speaker) => one.endpoint.queue.complete('other', one.workerId, {})],
] as const) {
  test(`${what} keep a worker`, async () => {
    const { submit, endpoint, launcher, pass } = await setUp()
    const id = await submit()
    const workerId = launcher.started[0]!.id
    await takeFrom(endpoint, workerId)
    for (let round = 0; round < 3; round++) {
      await pass(15)
      speak({ endpoint, workerId, id })
    }
    expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_PROGRESS', workerId })
  })
}
type Speaker = { endpoint: Awaited<ReturnType<typeof setUp>>['endpoint']; workerId: string; id: string }
const quick = { holdMs: 10, signal: new AbortController().signal }

test('an open take keeps a worker as long as it is open', async () => {
  const { endpoint, launcher, pass, states } = await setUp({ workersMin: 1 })
  void takeFrom(endpoint, launcher.started[0]!.id, { holdMs: 90_000 })
  await pass(100)
  expect(states()).toEqual(['IDLE'])
  await pass(20)
  expect(states()).toEqual(['INITIALIZING'])
})

test('time that was only moved by hand is no silence', async () => {
  let skipped = 0
  const { submit, endpoint, launcher, clock, pass } = await setUp({}, { skippedMs: () => skipped })
  const id = await submit()
  await takeFrom(endpoint, launcher.started[0]!.id)
  skipped = 50_000
  clock.advance(50_000)
  await turn()
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_PROGRESS' })
  endpoint.heard('nobody-else')
  await pass(9)
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_PROGRESS' })
})

test('a worker that ends under its job loses it at once; the fourth time the job fails with exit code and output', async () => {
  const { submit, endpoint, launcher } = await setUp()
  const id = await submit()
  for (let attempt = 1; attempt <= 4; attempt++) {
    const worker = launcher.started.at(-1)!
    expect(await takeFrom(endpoint, worker.id)).toMatchObject([{ id, attempt }])
    worker.print(`boom ${attempt}`)
    await worker.end({ code: 137, reason: 'out of memory' })
  }
  const { status, error } = endpoint.queue.status(id)!
  expect(status).toBe('FAILED')
  const { id: last } = launcher.started[3]!
  expect(failureOf(error)).toEqual({
    code: 'WORKER_CRASHED',
    message: `worker ${last} of "echo" exited with code 137 (out of memory) while it ran the job; its last output:\nboom 4`,
  })
  expect(endpoint.queue.health().jobs).toMatchObject({ retried: 3, failed: 1, inQueue: 0 })
})

test('four silent workers fail a job', async () => {
  const { submit, endpoint, launcher, pass } = await setUp()
  const id = await submit()
  for (let attempt = 1; attempt <= 4; attempt++) {
    await takeFrom(endpoint, launcher.started.at(-1)!.id)
    await pass(23)
  }
  expect(failureOf(endpoint.queue.status(id)!.error).code).toBe('WORKER_LOST')
})

test('jobs of a lost worker keep their order', async () => {
  const { submit, endpoint, launcher } = await setUp()
  const ids = [await submit(1), await submit(2), await submit(3)]
  const [worker] = launcher.started
  await takeFrom(endpoint, worker!.id, { count: 2 })
  const open = takeFrom(endpoint, 'mine', { count: 1 })
  expect(await open).toMatchObject([{ id: ids[2] }])
  const next = takeFrom(endpoint, 'mine', { count: 5 })
  await worker!.end({ signal: 'SIGSEGV', code: null })
  expect((await next).map((job) => job.id)).toEqual(ids.slice(0, 2))
})

describe('a worker that names its jobs', () => {
  const setUpNamed = async () => {
    const all = await setUp()
    const ids = [await all.submit(), await all.submit()]
    await takeFrom(all.endpoint, 'mine', { count: 2 })
    all.endpoint.heard('mine', { jobs: ids })
    const ping = async (jobs: string[], seconds: number, isCut = false) => {
      for (let second = 0; second < seconds; second += 2) {
        all.endpoint.heard('mine', { jobs, isCut })
        await all.pass(2)
      }
    }
    const statuses = () => ids.map((id) => all.endpoint.queue.status(id)?.status)
    return { ...all, ids, ping, statuses }
  }

  test('and begins anew under its id has lost what it held', async () => {
    const { endpoint, ids, ping, statuses, story } = await setUpNamed()
    await ping([], 22)
    expect(statuses()).toEqual(['IN_PROGRESS', 'IN_PROGRESS'])
    await ping([], 4)
    expect(statuses()).toEqual(['IN_QUEUE', 'IN_QUEUE'])
    expect(endpoint.queue.health().jobs.retried).toBe(2)
    expect(story('mine')).toContain(`worker has named job ${ids[0]} no more for 22 s: the job waits again`)
    expect(await takeFrom(endpoint, 'mine', { count: 2 })).toMatchObject(
      ids.map((id) => ({ id, attempt: 2 })),
    )
    await ping(ids, 30)
    expect(statuses()).toEqual(['IN_PROGRESS', 'IN_PROGRESS'])
  })

  test('loses only what it leaves out, and nothing that it names again in time', async () => {
    const { ids, ping, statuses } = await setUpNamed()
    await ping([ids[0]!], 20)
    await ping(ids, 2)
    await ping([ids[0]!], 20)
    expect(statuses()).toEqual(['IN_PROGRESS', 'IN_PROGRESS'])
    await ping([ids[0]!], 6)
    expect(statuses()).toEqual(['IN_PROGRESS', 'IN_QUEUE'])
  })

  test('may have more of them than a ping has room for', async () => {
    const { ids, ping, statuses } = await setUpNamed()
    await ping([ids[0]!], 40, true)
    expect(statuses()).toEqual(['IN_PROGRESS', 'IN_PROGRESS'])
  })
})

test('a worker that never names its jobs keeps them', async () => {
  const { endpoint, submit, pass } = await setUp()
  const id = await submit()
  await takeFrom(endpoint, 'mine')
  for (let second = 0; second < 40; second += 2) {
    endpoint.heard('mine', { jobs: [] })
    await pass(2)
  }
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_PROGRESS' })
})

test('a worker started by hand that was lost may come back', async () => {
  const { endpoint, pass, submit, story } = await setUp()
  endpoint.heard('mine')
  await turn()
  await pass(23)
  expect(endpoint.workers()).toEqual([])
  const id = await submit()
  expect(await takeFrom(endpoint, 'mine')).toMatchObject([{ id }])
  expect(story('mine').filter((line) => line === 'worker was started by hand')).toHaveLength(2)
})

test('a worker that cannot start is tried again with growing pauses, and counts as unhealthy', async () => {
  const { submit, launcher, endpoint, states, pass, story } = await setUp()
  const id = await submit()
  const pauses: number[] = []
  for (let count = 1; count <= 8; count++) {
    expect(launcher.started).toHaveLength(count)
    launcher.started.at(-1)!.print('no such module')
    await launcher.started.at(-1)!.end({ code: 1 })
    expect(states()).toEqual([count < 3 ? 'INITIALIZING' : 'UNHEALTHY'])
    let seconds = 0
    while (launcher.started.length === count) {
      await pass(1)
      seconds++
    }
    pauses.push(seconds)
  }
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 60, 60])
  expect(endpoint.counts()).toMatchObject({ unhealthy: 1, initializing: 0 })
  const [first] = launcher.started
  expect(new Set(launcher.started.map((worker) => worker.id)).size).toBe(1)
  expect(story(first!.id).slice(0, 5)).toEqual([
    'worker is starting: image me/echo:1, version 1',
    'no such module',
    'worker exited with code 1 before it was ready; it is started again in 1 s',
    'worker is starting: image me/echo:1, version 1',
    'no such module',
  ])
  expect(await takeFrom(endpoint, first!.id)).toMatchObject([{ id }])
  expect(states()).toEqual(['RUNNING'])
})

test('a worker that ends idle right after its start has failed to start; later it is only replaced', async () => {
  const { launcher, endpoint, states, pass, story } = await setUp({ workersMin: 1 })
  const [worker] = launcher.started
  endpoint.heard(worker!.id)
  await worker!.end({ code: 1 })
  expect(story(worker!.id)).toContain(
    'worker exited with code 1 soon after its start; it is started again in 1 s',
  )
  await pass(1)
  endpoint.heard(worker!.id)
  await pass(11)
  await launcher.started[1]!.end({ code: 1 })
  expect(launcher.started).toHaveLength(3)
  expect(launcher.started[2]!.id).not.toBe(worker!.id)
  expect(states()).toEqual(['INITIALIZING'])
})

test('variables that cannot be made are a failed start', async () => {
  let count = 0
  const workerEnv = () => {
    if (count++ === 0) throw new Error('the server has no address yet')
    return {}
  }
  const { launcher, submit, endpoint, pass, story } = await setUp({}, { workerEnv })
  await submit()
  const { id } = endpoint.workers()[0]!
  expect(story(id)).toContain(
    'worker could not be started: the server has no address yet; it is started again in 1 s',
  )
  await pass(1)
  expect(launcher.started).toHaveLength(1)
})

test('a start that takes more than seven minutes is unhealthy, and given up a minute later', async () => {
  const { submit, launcher, states, pass } = await setUp()
  await submit()
  await pass(419)
  expect(states()).toEqual(['INITIALIZING'])
  await pass(1)
  expect(states()).toEqual(['UNHEALTHY'])
  await pass(60)
  expect(launcher.started).toHaveLength(2)
  expect(launcher.started[0]!.stopped).toEqual([10_000])
})

test('RUNPOD_INIT_TIMEOUT gives a start more time', async () => {
  const { submit, states, pass } = await setUp({ env: { RUNPOD_INIT_TIMEOUT: '800' } })
  await submit()
  await pass(799)
  expect(states()).toEqual(['INITIALIZING'])
  await pass(1)
  expect(states()).toEqual(['UNHEALTHY'])
})

test('a worker that finds itself unfit gets no job until it asks for one', async () => {
  const { launcher, endpoint, states, story, submit } = await setUp({ workersMin: 1 })
  const [worker] = launcher.started
  endpoint.heard(worker!.id, { unhealthy: 'memory: 1 GB' })
  expect(states()).toEqual(['UNHEALTHY'])
  expect(story(worker!.id)).toContain('worker is unhealthy: memory: 1 GB')
  const id = await submit()
  expect(await takeFrom(endpoint, worker!.id)).toMatchObject([{ id }])
})

test('a worker that falls ill is replaced after a minute', async () => {
  const { launcher, endpoint, pass, story } = await setUp({ workersMin: 1, workersMax: 1 })
  const [worker] = launcher.started
  void takeFrom(endpoint, worker!.id, { holdMs: 600_000 })
  endpoint.heard(worker!.id, { unhealthy: 'disk' })
  await pass(59)
  expect(launcher.started).toHaveLength(1)
  await pass(1)
  expect(launcher.started).toHaveLength(2)
  expect(story(worker!.id)).toContain('worker is replaced: it did not become healthy again')
})

test('a worker that cannot be stopped is gone all the same', async () => {
  const launcher = createFakeLauncher()
  const start = launcher.start
  launcher.start = (order) => ({ ...start(order), stop: () => Promise.reject(new Error('no engine')) })
  const { endpoint, endpoints, story } = await setUp({ workersMin: 1 }, { launcher })
  await endpoints.close()
  const { id } = launcher.started[0]!
  expect(endpoint.workers()).toEqual([])
  expect(story(id)).toContain('worker could not be stopped: Error: no engine')
})

test('with workers that are started by hand, one that comes takes the place of one that is waited for', async () => {
  const launcher = createFakeLauncher({ name: 'external' })
  const { endpoint, submit, states, pass } = await setUp({ workersMax: 1 }, { launcher })
  await submit()
  expect(states()).toEqual(['INITIALIZING'])
  await pass(500)
  expect(states()).toEqual(['INITIALIZING'])
  endpoint.heard('mine')
  await turn()
  expect(endpoint.workers()).toMatchObject([{ id: 'mine', state: 'IDLE' }])
  expect(launcher.running()).toEqual([])
})

test('a worker that follows the instruction of its launcher is not let go for being idle', async () => {
  const launcher = createFakeLauncher({ name: 'external' })
  const { endpoint, states, pass, save } = await setUp({ workersMin: 1 }, { launcher })
  const [worker] = launcher.started
  void takeFrom(endpoint, worker!.id, { holdMs: 600_000 })
  await save({ workersMin: 0, version: 2 })
  await pass(60)
  expect(states()).toEqual(['IDLE'])
})
