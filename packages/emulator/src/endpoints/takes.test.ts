import { expect, test } from 'vitest'
import { setUp, takeFrom, turn } from './testing.ts'

/** An endpoint with a worker that is ready and idle. */
async function setUpReady(...given: Parameters<typeof setUp>) {
  const all = await setUp({ workersMin: 1, ...given[0] }, given[1])
  const [worker] = all.launcher.started
  all.endpoint.heard(worker!.id)
  await turn()
  return { ...all, worker: worker!, take: (how = {}) => takeFrom(all.endpoint, worker!.id, how) }
}

test('a take is answered at once when a job waits', async () => {
  const { endpoint, take, submit } = await setUpReady()
  const id = await submit({ a: 1 })
  expect(await take()).toMatchObject([{ id, input: { a: 1 }, attempt: 1 }])
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_PROGRESS' })
})

test('an open take gets the next job', async () => {
  const { take, submit, clock } = await setUpReady()
  const open = take()
  clock.advance(19_000)
  const id = await submit()
  expect(await open).toMatchObject([{ id }])
})

test('an open take ends with nothing when its time is over', async () => {
  const { take, submit, clock, endpoint } = await setUpReady()
  const open = take({ holdMs: 20_000 })
  clock.advance(20_000)
  expect(await open).toEqual([])
  const id = await submit()
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_QUEUE' })
})

test('a batch has what waits, up to its size', async () => {
  const { take, submit } = await setUpReady()
  const ids = [await submit(), await submit(), await submit()]
  expect((await take({ count: 2 })).map((job) => job.id)).toEqual(ids.slice(0, 2))
  expect((await take({ count: 2 })).map((job) => job.id)).toEqual(ids.slice(2))
})

test('jobs that come in one turn fill one batch', async () => {
  const { take, endpoint } = await setUpReady()
  const open = take({ count: 5 })
  const ids = [1, 2, 3].map((input) => endpoint.queue.submit({ input }).id)
  expect((await open).map((job) => job.id)).toEqual(ids)
})

test('the oldest open take gets the oldest job', async () => {
  const { endpoint, submit } = await setUpReady({ workersMin: 2 })
  const [a, b] = endpoint.workers()
  const first = takeFrom(endpoint, b!.id)
  const second = takeFrom(endpoint, a!.id)
  const ids = [await submit(), await submit()]
  expect((await Promise.all([first, second])).flat().map((job) => job.id)).toEqual(ids)
})

test('a take that was given up gets no job', async () => {
  const { take, submit, endpoint } = await setUpReady()
  const gone = new AbortController()
  const open = take({ signal: gone.signal })
  gone.abort()
  const id = await submit()
  expect(await open).toEqual([])
  expect(await take({ signal: gone.signal })).toEqual([])
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'IN_QUEUE' })
  expect(await take()).toMatchObject([{ id }])
})

for (const [when, settle] of [
  ['before it was given', true],
  ['on its way', false],
] as const) {
  test(`jobs of an answer that broke off ${when} wait at the front again, as if never taken`, async () => {
    const { take, submit, endpoint } = await setUpReady()
    const gone = new AbortController()
    const ids = [await submit(), await submit(), await submit()]
    const answer = take({ count: 2, signal: gone.signal })
    if (settle) gone.abort()
    expect(await answer).toHaveLength(2)
    gone.abort()
    await turn()
    expect(endpoint.queue.health().jobs).toMatchObject({ inQueue: 3, inProgress: 0, retried: 0 })
    const again = await take({ count: 3 })
    expect(again.map((job) => job.id)).toEqual(ids)
    expect(again.map((job) => job.attempt)).toEqual([1, 1, 1])
  })
}

test('the end of a connection after its job has ended changes nothing', async () => {
  const { take, submit, endpoint, worker } = await setUpReady()
  const gone = new AbortController()
  const id = await submit()
  await take({ signal: gone.signal })
  endpoint.queue.complete(id, worker.id, { output: 1 })
  gone.abort()
  expect(endpoint.queue.status(id)).toMatchObject({ status: 'COMPLETED', output: 1 })
})

test('an unknown worker becomes known by its take, and counts as started by hand', async () => {
  const { endpoint, submit, clock } = await setUp({ workersMax: 1 })
  const open = takeFrom(endpoint, 'mine')
  const id = await submit()
  expect(await open).toMatchObject([{ id }])
  expect(endpoint.workers()).toMatchObject([{ id: 'mine', state: 'RUNNING', isStale: false }])
  endpoint.queue.complete(id, 'mine', {})
  expect(endpoint.counts()).toMatchObject({ idle: 1, ready: 1, running: 0 })
  // Nobody here could start it again, so it is not let go for being idle.
  for (let second = 0; second < 12; second++) {
    clock.advance(1_000)
    endpoint.heard('mine')
  }
  expect(endpoint.workers()).toHaveLength(1)
})

test('a worker that was sent away gets nothing, and only after its time', async () => {
  const { endpoint, launcher, pass, submit, save, clock } = await setUpReady()
  const former = launcher.started[0]!.id
  await save({ version: 2 })
  await pass(1)
  await submit()
  let answered = false
  const open = takeFrom(endpoint, former, { holdMs: 20_000 }).finally(() => (answered = true))
  await turn()
  expect(answered).toBe(false)
  clock.advance(20_000)
  expect(await open).toEqual([])
  expect(endpoint.workers().map((worker) => worker.id)).not.toContain(former)
})

test('a thousand jobs and fifty open takes meet each once', async () => {
  const { endpoint } = await setUp({ workersMax: 0 })
  const open = Array.from({ length: 50 }, (_, at) => takeFrom(endpoint, `w${at}`, { count: 20 }))
  const ids = Array.from({ length: 1_000 }, (_, input) => endpoint.queue.submit({ input }).id)
  const taken = (await Promise.all(open)).flat().map((job) => job.id)
  expect(taken.sort()).toEqual(ids.sort())
})
