import { expect, test } from 'vitest'
import { baseSpec, createFakeLauncher, setUp, takeFrom, turn } from './testing.ts'

test('workers beyond what the machine may run are throttled until another one ends', async () => {
  const launcher = createFakeLauncher({ deaf: true })
  const { endpoints, states, submit, story, endpoint } = await setUp(
    { workersMin: 1 },
    { launcher, maxConcurrentWorkers: 2 },
  )
  endpoints.save({ ...baseSpec, id: 'ep2', name: 'other', workersMin: 2 })
  await turn()
  const other = endpoints.get('ep2')!
  expect(other.workers().map((worker) => worker.state)).toEqual(['INITIALIZING', 'THROTTLED'])
  expect(other.counts()).toMatchObject({ initializing: 1, throttled: 1 })
  const waiting = other.workers()[1]!.id
  const lines = () =>
    other
      .log(waiting)!
      .lines()
      .map((line) => line.line)
  expect(lines()).toEqual(['worker is throttled: the account runs as many workers as it may'])
  const id = await submit()
  const first = launcher.started[0]!
  await takeFrom(endpoint, first.id)
  endpoint.queue.complete(id, first.id, {})
  endpoint.refresh(first.id)
  await turn()
  // It was told to stop, and is still there.
  expect(launcher.started).toHaveLength(2)
  await first.end()
  expect(launcher.started).toHaveLength(3)
  expect([states(), story(first.id).at(-1)]).toEqual([['INITIALIZING'], 'worker is gone'])
})

test('a throttled worker starts when another endpoint gives its place back', async () => {
  const { endpoints, endpoint, submit, states, launcher } = await setUp({}, { maxConcurrentWorkers: 1 })
  endpoints.save({ ...baseSpec, id: 'ep2', name: 'other', workersMin: 1 })
  await turn()
  await submit()
  expect(states()).toEqual(['THROTTLED'])
  await endpoints.remove('ep2')
  await turn()
  expect(states()).toEqual(['INITIALIZING'])
  expect(launcher.started.at(-1)!.id).toBe(endpoint.workers()[0]!.id)
})

for (const [kind, line] of [
  ['noCapacity', 'worker is throttled: no NVIDIA L4 is free in EU-RO-1'],
  ['throttled', 'worker is throttled: its host has no resources free'],
] as const) {
  test(`fault ${kind}: workers are throttled until it has passed`, async () => {
    const { faults, submit, states, pass, story, endpoint, launcher } = await setUp({
      gpuTypeId: 'NVIDIA L4',
    })
    faults.add({ kind, endpoint: 'echo', times: 3 })
    await submit()
    const { id } = endpoint.workers()[0]!
    await pass(2)
    expect([states(), launcher.started]).toEqual([['THROTTLED'], []])
    await pass(1)
    expect(states()).toEqual(['INITIALIZING'])
    expect(story(id)).toEqual([line, 'worker is starting: image me/echo:1, version 1'])
  })
}

test('a fault of another endpoint does nothing here', async () => {
  const { faults, submit, states } = await setUp()
  faults.add({ kind: 'noCapacity', endpoint: 'other' })
  await submit()
  expect(states()).toEqual(['INITIALIZING'])
})

test('fault coldStart: the worker comes later', async () => {
  const { faults, submit, launcher, pass, story, endpoint, states } = await setUp()
  faults.add({ kind: 'coldStart', endpoint: 'ep1', seconds: 20, times: 1 })
  await submit()
  await pass(19)
  expect([launcher.started.length, states()]).toEqual([0, ['INITIALIZING']])
  await pass(1)
  expect(launcher.started).toHaveLength(1)
  expect(story(endpoint.workers()[0]!.id)).toContain('container is being created, which takes 20 s')
})

test('fault slowPull: the log tells about it', async () => {
  const { faults, submit, launcher, pass, story, endpoint } = await setUp()
  faults.add({ kind: 'slowPull', seconds: 10 })
  faults.add({ kind: 'coldStart', seconds: 5 })
  await submit()
  await pass(15)
  expect(launcher.started).toHaveLength(1)
  expect(story(endpoint.workers()[0]!.id)).toEqual([
    'worker is starting: image me/echo:1, version 1',
    'image me/echo:1 is being pulled',
    'image me/echo:1 was pulled in 10 s',
    'container is being created, which takes 5 s',
  ])
})

test('fault crashLoop: workers end as they start, until it is removed', async () => {
  const { faults, submit, launcher, pass, states, endpoint } = await setUp()
  const { id: fault } = faults.add({ kind: 'crashLoop' })
  const id = await submit()
  await pass(8)
  expect([launcher.started.length, states()]).toEqual([4, ['UNHEALTHY']])
  faults.remove(fault)
  await pass(60)
  expect(await takeFrom(endpoint, launcher.started.at(-1)!.id)).toMatchObject([{ id }])
  expect(states()).toEqual(['RUNNING'])
})

test('a worker that waits for its next start is dropped when nobody needs it', async () => {
  const { faults, submit, endpoint, pass, states, launcher } = await setUp()
  faults.add({ kind: 'crashLoop' })
  const id = await submit()
  await pass(3)
  const count = launcher.started.length
  endpoint.queue.cancel(id)
  await pass(120)
  expect([states(), launcher.started.length]).toEqual([[], count])
})
