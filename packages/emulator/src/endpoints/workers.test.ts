import { expect, test, vi } from 'vitest'
import { createFakeLauncher, setUp, takeFrom, turn } from './testing.ts'

test('a waiting job starts a worker, which is told who it is and whom it works for', async () => {
  const { endpoint, launcher, submit, states } = await setUp({
    args: 'node main.mjs',
    mounts: [{ source: '/a', target: '/b' }],
    registryAuth: { username: 'u', password: 'p' },
    limits: { memoryBytes: 4_000_000_000, cpus: 2 },
  })
  expect([launcher.started, states()]).toEqual([[], []])
  await submit()
  const { order } = launcher.started[0]!
  expect(order).toEqual({
    endpointId: 'ep1',
    endpoint: 'echo',
    workerId: expect.stringMatching(/^[a-z0-9]{14}$/),
    kind: 'queue',
    image: 'me/echo:1',
    args: 'node main.mjs',
    env: { A: '1', RUNPOD_ENDPOINT_ID: 'ep1', RUNPOD_POD_ID: order.workerId },
    mounts: [{ source: '/a', target: '/b' }],
    limits: { memoryBytes: 4_000_000_000, cpus: 2 },
    gpuCount: 0,
    registryAuth: { username: 'u', password: 'p' },
  })
  expect(states()).toEqual(['INITIALIZING'])
  expect(endpoint.counts()).toEqual({
    idle: 0,
    initializing: 1,
    ready: 0,
    running: 0,
    throttled: 0,
    unhealthy: 0,
  })
})

test('a worker goes from starting over ready and running to idle, and leaves after the idle timeout', async () => {
  const { endpoint, launcher, submit, states, pass, story } = await setUp()
  const id = await submit()
  const [worker] = launcher.started
  worker!.print('hello')
  expect(await takeFrom(endpoint, worker!.id)).toHaveLength(1)
  expect(states()).toEqual(['RUNNING'])
  void takeFrom(endpoint, worker!.id)
  await pass(9)
  endpoint.queue.complete(id, worker!.id, {})
  expect(states()).toEqual(['IDLE'])
  await pass(4)
  expect(states()).toEqual(['IDLE'])
  await pass(1)
  expect(states()).toEqual([])
  expect(worker!.stopped).toEqual([10_000])
  expect(story(worker!.id)).toEqual([
    'worker is starting: image me/echo:1, version 1',
    'hello',
    'worker is ready',
    'worker is stopped: it was idle for 5 s',
    'worker is gone',
  ])
})

test('one worker for young jobs, one more for each that waits too long, up to the maximum', async () => {
  const { submit, launcher, pass, endpoint } = await setUp()
  for (let count = 0; count < 6; count++) await submit()
  expect(launcher.started).toHaveLength(1)
  await takeFrom(endpoint, launcher.started[0]!.id)
  await pass(4)
  expect(launcher.started).toHaveLength(1)
  await pass(1)
  expect(launcher.started).toHaveLength(3)
  await pass(10)
  expect(launcher.started).toHaveLength(3)
})

test('by request count the number follows waiting and running jobs at once', async () => {
  const { submit, launcher } = await setUp({ scaling: { by: 'requestCount', requests: 2 } })
  for (const wanted of [1, 1, 2, 2, 3, 3, 3, 3]) {
    await submit()
    expect(launcher.started).toHaveLength(wanted)
  }
})

test('a job of low priority starts nobody', async () => {
  const { submit, launcher, pass, endpoint } = await setUp()
  const id = await submit(1, true)
  await pass(30)
  expect(launcher.started).toEqual([])
  await submit(2)
  expect(launcher.started).toHaveLength(1)
  expect(await takeFrom(endpoint, launcher.started[0]!.id)).toMatchObject([{ id }])
})

test('minimum workers are kept however long they idle, and replaced when they end', async () => {
  const { launcher, endpoint, pass, states } = await setUp({ workersMin: 2 })
  const [a, b] = launcher.started
  for (const worker of [a!, b!]) void takeFrom(endpoint, worker.id, { holdMs: 600_000 })
  await pass(60)
  expect(states()).toEqual(['IDLE', 'IDLE'])
  await a!.end({ code: 3 })
  expect(states()).toEqual(['IDLE', 'INITIALIZING'])
  expect(launcher.started).toHaveLength(3)
})

test('standby workers are started beyond the minimum', async () => {
  const { states } = await setUp({ workersMin: 1, workersStandby: 1 })
  expect(states()).toEqual(['INITIALIZING', 'INITIALIZING'])
})

test('a worker that is not started yet is dropped when its job is gone', async () => {
  const { submit, endpoint, launcher, faults, states, pass, story } = await setUp()
  faults.add({ kind: 'coldStart', seconds: 30 })
  const id = await submit()
  const workerId = endpoint.workers()[0]!.id
  endpoint.queue.cancel(id)
  await pass(1)
  expect([states(), launcher.started]).toEqual([[], []])
  expect(story(workerId)).toContain('worker is not needed any more')
  await pass(40)
  expect(launcher.started).toEqual([])
})

test('workers beyond a lowered maximum leave: idle ones at once, busy ones after their job', async () => {
  const { submit, endpoint, launcher, save, states, story } = await setUp({
    workersMin: 2,
    workersMax: 2,
  })
  const [busy, idle] = launcher.started
  const id = await submit()
  await takeFrom(endpoint, busy!.id)
  void takeFrom(endpoint, idle!.id)
  await save({ workersMin: 0, workersMax: 1 })
  expect(states()).toEqual(['RUNNING'])
  expect(idle!.stopped).toEqual([10_000])
  await save({ workersMin: 0, workersMax: 0 })
  expect(states()).toEqual(['RUNNING'])
  endpoint.queue.complete(id, busy!.id, {})
  await turn()
  expect(states()).toEqual([])
  expect(story(busy!.id)).toContain('the endpoint may have 0 workers now')
})

test('the log of a worker is there for ten minutes after its end', async () => {
  const { launcher, endpoint, clock, submit } = await setUp()
  const id = await submit()
  const [worker] = launcher.started
  await takeFrom(endpoint, worker!.id)
  endpoint.queue.complete(id, worker!.id, {})
  endpoint.refresh(worker!.id)
  await turn()
  await turn()
  clock.advance(599_000)
  expect(endpoint.log(worker!.id)).toBeDefined()
  clock.advance(1_000)
  expect(endpoint.log(worker!.id)).toBeUndefined()
  expect(endpoint.log('nobody')).toBeUndefined()
})

test('a worker that asked for it is replaced after its other jobs', async () => {
  const { submit, endpoint, launcher, pass, states } = await setUp()
  const ids = [await submit(), await submit()]
  const [worker] = launcher.started
  await takeFrom(endpoint, worker!.id, { count: 2 })
  endpoint.queue.complete(ids[0]!, worker!.id, {})
  endpoint.refresh(worker!.id)
  endpoint.refresh('nobody')
  const open = takeFrom(endpoint, worker!.id, { holdMs: 20_000 })
  const next = await submit()
  expect(worker!.stopped).toEqual([])
  endpoint.queue.complete(ids[1]!, worker!.id, {})
  await turn()
  expect(worker!.stopped).toEqual([10_000])
  expect(states()).toEqual(['INITIALIZING'])
  await pass(1)
  // Answered soon after it was told to stop, so that its drain does not wait for the take.
  expect(await open).toEqual([])
  expect(await takeFrom(endpoint, launcher.started[1]!.id)).toMatchObject([{ id: next }])
})

test('a refreshed worker that ends by itself has not failed', async () => {
  const { submit, endpoint, launcher, pass } = await setUp(
    {},
    { launcher: createFakeLauncher({ deaf: true }) },
  )
  const id = await submit()
  const [worker] = launcher.started
  await takeFrom(endpoint, worker!.id)
  endpoint.refresh(worker!.id)
  endpoint.queue.complete(id, worker!.id, {})
  await worker!.end({ code: 0 })
  await pass(3)
  expect(endpoint.workers()).toEqual([])
  expect(launcher.started).toHaveLength(1)
})

test('a new version replaces idle workers at once and busy ones after their job', async () => {
  const { submit, endpoint, launcher, save, story } = await setUp({ workersMin: 2 })
  const [busy, idle] = launcher.started
  const id = await submit()
  await takeFrom(endpoint, busy!.id)
  void takeFrom(endpoint, idle!.id)
  await save({ version: 2, image: 'me/echo:2' })
  expect(idle!.stopped).toEqual([10_000])
  expect(story(idle!.id)).toContain('worker has version 1 and is replaced, the endpoint has version 2')
  const views = endpoint.workers()
  expect(views.map(({ isStale, version, image }) => [isStale, version, image])).toEqual([
    [true, 1, 'me/echo:1'],
    [false, 2, 'me/echo:2'],
    [false, 2, 'me/echo:2'],
  ])
  const next = await submit()
  void takeFrom(endpoint, busy!.id)
  await turn()
  expect(endpoint.queue.status(next)).toMatchObject({ status: 'IN_QUEUE' })
  endpoint.queue.complete(id, busy!.id, {})
  await turn()
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'COMPLETED' })
  expect(busy!.stopped).toEqual([10_000])
  expect(await takeFrom(endpoint, views[1]!.id)).toMatchObject([{ id: next }])
})

test('the same version changes limits in place', async () => {
  const { submit, endpoint, launcher, save, clock } = await setUp({ workersMin: 1 })
  await save({ executionTimeoutMs: 5_000, idleTimeoutSeconds: 9 })
  expect(launcher.started).toHaveLength(1)
  const id = await submit()
  await takeFrom(endpoint, launcher.started[0]!.id)
  clock.advance(5_000)
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'TIMED_OUT' })
})

test('an endpoint keeps its kind', async () => {
  const { save } = await setUp()
  await expect(save({ kind: 'balanced' })).rejects.toMatchObject({
    code: 'BAD_REQUEST',
    message: 'endpoint "echo" is queue and cannot become balanced',
  })
})

test('a removed endpoint forgets its jobs at once, and its workers are gone when that is over', async () => {
  const launcher = createFakeLauncher({ deaf: true })
  const { endpoints, endpoint, submit, clock } = await setUp({ workersMin: 2 }, { launcher })
  const [worker, other] = launcher.started
  const id = await submit()
  await takeFrom(endpoint, worker!.id)
  const open = [
    takeFrom(endpoint, other!.id),
    endpoint.stops(worker!.id, { holdMs: 20_000, signal: new AbortController().signal }),
  ]
  let isOver = false
  const removed = endpoints.remove('ep1').then(() => (isOver = true))
  expect(endpoints.get('ep1')).toBeUndefined()
  expect(endpoint.queue.status(id)).toBeUndefined()
  // Whoever is answered before it has heard of its end asks again.
  const isAnswered = vi.fn()
  void Promise.all(open).then(isAnswered)
  await turn()
  expect(isAnswered).not.toHaveBeenCalled()
  clock.advance(1_000)
  expect(await Promise.all(open)).toEqual([[], []])
  await worker!.end()
  expect(isOver).toBe(false)
  await other!.end()
  await removed
  expect([worker!.stopped, other!.stopped]).toEqual([[5_000], [5_000]])
  // What still comes from its workers changes nothing.
  endpoint.heard(worker!.id)
  const late = takeFrom(endpoint, worker!.id)
  clock.advance(20_000)
  expect(await late).toEqual([])
  expect(endpoint.workers()).toEqual([])
  await endpoints.remove('never')
})

test('closing ends the workers of all endpoints', async () => {
  const { endpoints, launcher } = await setUp({ workersMin: 1 })
  endpoints.save({ ...endpoints.get('ep1')!.spec, id: 'ep2', name: 'other' })
  await turn()
  expect(endpoints.list().map(({ spec }) => spec.name)).toEqual(['echo', 'other'])
  expect(launcher.running()).toHaveLength(2)
  await endpoints.close()
  expect(launcher.running()).toEqual([])
  expect(endpoints.list()).toEqual([])
})

test('an emulator without workers has no timer', async () => {
  let timers = 0
  const { clock: inner, launcher, submit, endpoint } = await setUp()
  const counting = {
    now: inner.now,
    after(ms: number, run: () => void) {
      timers++
      const withdraw = inner.after(ms, () => {
        timers--
        run()
      })
      return () => {
        timers--
        withdraw()
      }
    },
  }
  const other = await setUp({ id: 'quiet', workersMax: 1 }, { clock: counting })
  for (let count = 0; count < 100; count++)
    other.endpoints.save({ ...other.endpoint.spec, id: `ep${count}`, name: `endpoint ${count}` })
  await turn()
  expect(timers).toBe(0)
  other.endpoint.heard('mine')
  await turn()
  expect(timers).toBe(1)
  await submit()
  expect([launcher.started.length, endpoint.workers().length]).toEqual([1, 1])
})
