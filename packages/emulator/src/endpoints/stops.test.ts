import { expect, test } from 'vitest'
import { setUp, takeFrom, turn } from './testing.ts'

async function setUpBusy(count = 1, spec: Parameters<typeof setUp>[0] = {}) {
  const all = await setUp({ executionTimeoutMs: 5_000, ...spec })
  const ids: string[] = []
  for (let index = 0; index < count; index++) ids.push(await all.submit(index))
  const [worker] = all.launcher.started
  await takeFrom(all.endpoint, worker!.id, { count })
  const ask = (holdMs = 20_000, signal = new AbortController().signal) =>
    all.endpoint.stops(worker!.id, { holdMs, signal })
  return { ...all, ids, id: ids[0]!, worker: worker!, ask }
}

test('a cancelled job is told to its worker, once', async () => {
  const { id, ask, endpoint, clock, states } = await setUpBusy()
  const open = ask()
  endpoint.queue.cancel(id)
  expect(await open).toEqual([id])
  expect(states()).toEqual(['IDLE'])
  const again = ask()
  clock.advance(20_000)
  expect(await again).toEqual([])
})

test('a worker whose ping names a cancelled job is told again', async () => {
  const { ids, ask, endpoint, worker } = await setUpBusy(2)
  endpoint.queue.cancel(ids[0]!)
  expect(await ask()).toEqual([ids[0]])
  const open = ask()
  endpoint.heard(worker.id, { jobs: ids })
  expect(await open).toEqual([ids[0]])
})

test('what is to be stopped is told to who asks later', async () => {
  const { ids, ask, endpoint } = await setUpBusy(2)
  for (const id of ids) endpoint.queue.cancel(id)
  expect(await ask()).toEqual(ids)
})

test('a request that was given up is told nothing', async () => {
  const { id, ask, endpoint } = await setUpBusy()
  const gone = new AbortController()
  const open = ask(20_000, gone.signal)
  gone.abort()
  expect(await open).toEqual([])
  expect(await ask(20_000, gone.signal)).toEqual([])
  endpoint.queue.cancel(id)
  expect(await ask()).toEqual([id])
})

test('an order to stop does not outlive the attempt that it meant', async () => {
  const { id, ask, endpoint, clock, worker } = await setUpBusy()
  clock.advance(5_000)
  endpoint.queue.retry(id)
  expect(await takeFrom(endpoint, worker.id)).toMatchObject([{ id }])
  const open = ask(1_000)
  clock.advance(1_000)
  expect(await open).toEqual([])
})

test('who never asks has at most a thousand orders kept', async () => {
  const { endpoint, launcher } = await setUp({ workersMin: 1 })
  const workerId = launcher.started[0]!.id
  const ids = Array.from({ length: 1_010 }, (_, input) => endpoint.queue.submit({ input }).id)
  await takeFrom(endpoint, workerId, { count: 2_000 })
  for (const id of ids) endpoint.queue.cancel(id)
  const { signal } = new AbortController()
  expect(await endpoint.stops(workerId, { holdMs: 1, signal })).toEqual(ids.slice(10))
})

test('stops for a worker that is gone are forgotten', async () => {
  const { endpoint, clock, worker, save } = await setUpBusy()
  await save({ version: 2 })
  await worker.end()
  const open = endpoint.stops(worker.id, { holdMs: 1_000, signal: new AbortController().signal })
  clock.advance(1_000)
  expect(await open).toEqual([])
})

test('a worker that goes on with a timed out job is killed and replaced', async () => {
  const { id, ask, endpoint, pass, worker, launcher, submit, story } = await setUpBusy(1, {
    idleTimeoutSeconds: 60,
  })
  await pass(5)
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'TIMED_OUT' })
  expect(await ask()).toEqual([id])
  await pass(9)
  expect(worker.stopped).toEqual([])
  await submit()
  await pass(1)
  expect(worker.stopped).toEqual([0])
  expect(story(worker.id)).toContain(
    `worker is replaced: it did not stop job ${id} after its execution timeout`,
  )
  expect(launcher.started).toHaveLength(2)
})

for (const [what, show] of [
  ['a take', ({ endpoint, workerId }: Shown) => void takeFrom(endpoint, workerId)],
  ['a late result', ({ endpoint, workerId, id }: Shown) => endpoint.queue.complete(id, workerId, {})],
  ['a ping without the job', ({ endpoint, workerId }: Shown) => endpoint.heard(workerId, { jobs: [] })],
] as const) {
  test(`${what} shows that a timed out job has stopped`, async () => {
    const { id, endpoint, pass, worker } = await setUpBusy(1, { workersMin: 1 })
    endpoint.heard(worker.id, { jobs: [id] })
    await pass(6)
    show({ endpoint, workerId: worker.id, id })
    await pass(12)
    expect(worker.stopped).toEqual([])
  })
}
type Shown = { endpoint: Awaited<ReturnType<typeof setUp>>['endpoint']; workerId: string; id: string }

test('a worker that is stuck in one of its jobs gets no more and leaves after the others', async () => {
  const { endpoint, pass, worker, submit, launcher, story } = await setUp({
    executionTimeoutMs: 600_000,
  }).then(async (all) => ({ ...all, worker: (await all.submit(), all.launcher.started[0]!) }))
  const { id: short } = endpoint.queue.submit({ input: 2, policy: { executionTimeoutMs: 5_000 } })
  const [long] = await takeFrom(endpoint, worker.id, { count: 2 })
  await pass(6)
  endpoint.heard(worker.id, { jobs: [long!.id, short] })
  await pass(10)
  expect(story(worker.id)).toContain(
    `worker gets no more jobs: it did not stop job ${short} after its execution timeout`,
  )
  expect(worker.stopped).toEqual([])
  void takeFrom(endpoint, worker.id)
  await submit()
  expect(launcher.started).toHaveLength(2)
  endpoint.queue.complete(long!.id, worker.id, {})
  await turn()
  expect(worker.stopped).toEqual([10_000])
})
