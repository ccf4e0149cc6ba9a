import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Job } from '../queue/index.ts'
import { createFakeLauncher, setUp, takeFrom, turn } from './testing.ts'

const pick = fc.nat(7)
const operation = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant('submit' as const), low: fc.boolean() }) },
  {
    weight: 6,
    arbitrary: fc.record({ do: fc.constant('take' as const), pick, count: fc.integer({ min: 1, max: 3 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), pick }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('complete' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('lose' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cancel' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('refresh' as const), pick }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('stops' as const), pick }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('save' as const), max: fc.nat(3), isNew: fc.boolean() }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('advance' as const), seconds: fc.integer({ min: 1, max: 9 }) }),
  },
)
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

const MACHINE = 3
const EXECUTION_MS = 30_000

/** An endpoint whose workers do what a sequence of operations says, and what each of them was given. */
async function createWorld() {
  const launcher = createFakeLauncher({ deaf: true })
  const all = await setUp(
    { workersMax: 2, executionTimeoutMs: EXECUTION_MS },
    { launcher, maxConcurrentWorkers: MACHINE },
  )
  const world = {
    ...all,
    launcher,
    version: 1,
    max: 2,
    jobs: [] as string[],
    /** Who holds a job, as far as the workers know. */
    holders: new Map<string, string>(),
    takes: [] as { gone: AbortController; workerId: string; jobs: Job[] }[],
  }
  return world
}
type World = Awaited<ReturnType<typeof createWorld>>

const at = <T>(list: T[], index: number): T | undefined => list[index % Math.max(1, list.length)]

function given(world: World, workerId: string, jobs: Job[]): void {
  for (const job of jobs) {
    const { status, workerId: holder } = world.endpoint.queue.status(job.id)!
    expect([status, holder]).toEqual(['IN_PROGRESS', workerId])
    world.holders.set(job.id, workerId)
  }
}

const perform: { [K in Operation['do']]: (world: World, one: Extract<Operation, { do: K }>) => unknown } = {
  async submit(world, { low }) {
    world.jobs.push(await world.submit({}, low))
  },
  take(world, { pick: index, count }) {
    const worker = at(world.launcher.running(), index)
    if (!worker) return
    const gone = new AbortController()
    const entry = { gone, workerId: worker.id, jobs: [] as Job[] }
    world.takes.push(entry)
    void takeFrom(world.endpoint, worker.id, { count, signal: gone.signal }).then((jobs) => {
      entry.jobs = jobs
      if (!gone.signal.aborted) given(world, worker.id, jobs)
    })
  },
  /** Also after the answer was given, but not after anything was done with its jobs. */
  abort(world, { pick: index }) {
    const [take] = world.takes.splice(index % Math.max(1, world.takes.length), 1)
    if (!take?.jobs.every((job) => world.holders.get(job.id) === take.workerId)) return
    for (const job of take.jobs) world.holders.delete(job.id)
    take.gone.abort()
  },
  complete(world, { pick: index }) {
    const held = at([...world.holders], index)
    if (!held) return
    const [jobId, workerId] = held
    world.holders.delete(jobId)
    const before = world.endpoint.queue.status(jobId)
    const isHeld = before?.status === 'IN_PROGRESS' && before.workerId === workerId
    const verdict = world.endpoint.queue.complete(jobId, workerId, { output: jobId })
    expect(verdict === 'accepted').toBe(isHeld)
  },
  lose: (world, { pick: index }) => at(world.launcher.running(), index)?.end({ code: 1 }),
  cancel(world, { pick: index }) {
    const id = at(world.jobs, index)
    if (id) world.endpoint.queue.cancel(id)
  },
  refresh: (world, { pick: index }) => world.endpoint.refresh(at(world.launcher.running(), index)?.id ?? 'x'),
  stops(world, { pick: index }) {
    const worker = at(world.launcher.running(), index)
    const how = { holdMs: 2_000, signal: new AbortController().signal }
    if (worker) void world.endpoint.stops(worker.id, how)
  },
  async save(world, { max, isNew }) {
    if (isNew) world.version++
    world.max = max
    await world.save({ version: world.version, workersMax: max, executionTimeoutMs: EXECUTION_MS })
  },
  advance: (world, { seconds }) => world.pass(seconds),
}

function check(world: World): void {
  const { endpoint, launcher, jobs } = world
  const { queue } = endpoint
  const states = jobs.map((id) => queue.status(id)?.status)
  // Nothing expires in the time of a run, so every job is known and in one place.
  expect(states).not.toContain(undefined)
  const count = (state: string) => states.filter((one) => one === state).length
  expect(queue.health().jobs).toMatchObject({
    inQueue: count('IN_QUEUE'),
    inProgress: count('IN_PROGRESS'),
    completed: count('COMPLETED'),
  })
  const workers = endpoint.workers()
  const known = new Set(workers.map((worker) => worker.id))
  for (const id of jobs) {
    const status = queue.status(id)!
    if (status.status !== 'IN_PROGRESS') continue
    expect(known).toContain(status.workerId)
    // Whoever has a job knows of it.
    expect(world.holders.get(id)).toBe(status.workerId)
  }
  const isBusy = (id: string) => queue.held(id) > 0
  // Those that are replaced, or were too many when the maximum fell, only end their jobs.
  expect(workers.filter((worker) => !worker.isStale && !isBusy(worker.id)).length).toBeLessThanOrEqual(
    world.max,
  )
  expect(new Set(launcher.running().map((worker) => worker.id)).size).toBeLessThanOrEqual(MACHINE)
  for (const worker of workers)
    expect(worker.state === 'RUNNING').toBe(isBusy(worker.id) && worker.state !== 'UNHEALTHY')
}

/** With workers that do their work, every job that is left is done. */
async function finish(world: World): Promise<void> {
  for (const take of world.takes) take.gone.abort()
  for (const worker of world.launcher.running()) await worker.end({ code: 1 })
  await world.save({ version: ++world.version, workersMax: 2, executionTimeoutMs: EXECUTION_MS })
  world.jobs.push(await world.submit())
  for (let round = 0; round < 200 && world.endpoint.queue.load().waiting > 0; round++) {
    for (const worker of world.launcher.running()) {
      if (worker.stopped.length > 0) await worker.end()
      void takeFrom(world.endpoint, worker.id, { count: 5, holdMs: 500 }).then((jobs) => {
        for (const job of jobs) world.endpoint.queue.complete(job.id, worker.id, {})
      })
    }
    await world.pass(1)
  }
  expect(world.endpoint.queue.load()).toEqual({ wanting: 0, waiting: 0, running: 0 })
}

test('whatever happens, no job is lost or held twice, and there are no more workers than there may be', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60 }), async (operations) => {
      const world = await createWorld()
      for (const one of operations) {
        await (perform[one.do] as (world: World, one: Operation) => unknown)(world, one)
        await turn()
        check(world)
      }
      await finish(world)
    }),
    { numRuns: 150 },
  )
})
