import { createTestClock } from '@flash/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { createQueue, type JobEvent, type Verdict } from './index.ts'

/** The rules of the queue as plainly as they can be written; slow on purpose. */
interface ModelJob {
  id: string
  state: string
  worker: string
  attempt: number
  losses: number
  queuedAt: number
  takenAt: number
  endedAt: number
  expiresAt: number
  runMs: number
  keepMs: number
  order: number
  items: number[]
  drained: number
}

const EXECUTION_MS = 1_000
const TTL_MS = 20_000
const RUN_KEEP_MS = 6_000
const SYNC_KEEP_MS = 2_000
const MAX_CONCURRENCY = 2

const final = ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT']
const legal: Record<string, string[]> = {
  IN_QUEUE: ['IN_PROGRESS', 'CANCELLED', 'gone'],
  IN_PROGRESS: ['IN_QUEUE', 'COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'gone'],
  COMPLETED: ['gone'],
  CANCELLED: ['gone'],
  FAILED: ['IN_QUEUE', 'gone'],
  TIMED_OUT: ['IN_QUEUE', 'gone'],
}

class Model {
  jobs: ModelJob[] = []
  now = 0
  front = -1
  back = 1

  find(id: string) {
    return this.jobs.find((job) => job.id === id)
  }
  waiting() {
    return this.jobs.filter((job) => job.state === 'IN_QUEUE').sort((a, b) => a.order - b.order)
  }
  held(worker: string) {
    return this.jobs
      .filter((job) => job.state === 'IN_PROGRESS' && job.worker === worker)
      .sort((a, b) => a.order - b.order)
  }
  submit(id: string, kind: string, runMs: number | undefined, ttlMs: number | undefined) {
    this.jobs.push({
      id,
      state: 'IN_QUEUE',
      worker: '',
      attempt: 0,
      losses: 0,
      queuedAt: this.now,
      takenAt: 0,
      endedAt: 0,
      expiresAt: this.now + (ttlMs ?? TTL_MS),
      runMs: runMs ?? EXECUTION_MS,
      keepMs: kind === 'run' ? RUN_KEEP_MS : SYNC_KEEP_MS,
      order: this.back++,
      items: [],
      drained: 0,
    })
  }
  take(worker: string): ModelJob | null {
    const job = this.waiting()[0]
    if (!job || this.held(worker).length >= MAX_CONCURRENCY) return null
    Object.assign(job, { state: 'IN_PROGRESS', worker, takenAt: this.now, attempt: job.attempt + 1 })
    // Held jobs are lost in the order they were taken.
    job.order = this.back++
    return job
  }
  end(job: ModelJob, state: string) {
    Object.assign(job, { state, endedAt: this.now })
  }
  requeue(job: ModelJob, order: number) {
    Object.assign(job, { state: 'IN_QUEUE', worker: '', order, items: [], drained: 0 })
  }
  judge(id: string, worker: string): Verdict {
    const job = this.find(id)
    if (!job) return 'unknown'
    if (job.state === 'IN_PROGRESS') return job.worker === worker ? 'accepted' : 'foreign'
    return final.includes(job.state) && job.worker !== worker ? 'foreign' : 'late'
  }
  lose(worker: string) {
    for (const job of this.held(worker).reverse()) {
      job.losses++
      if (job.losses > 3) this.end(job, 'FAILED')
      else this.requeue(job, this.front--)
    }
  }
  dueAt(job: ModelJob) {
    if (job.state === 'IN_QUEUE') return job.expiresAt
    return Math.min(
      job.expiresAt,
      job.state === 'IN_PROGRESS' ? job.takenAt + job.runMs : job.endedAt + job.keepMs,
    )
  }
  advance(ms: number) {
    const until = this.now + ms
    for (;;) {
      const next = this.jobs
        .filter((job) => this.dueAt(job) <= until)
        .sort((a, b) => this.dueAt(a) - this.dueAt(b))[0]
      if (!next) break
      this.now = Math.max(this.now, this.dueAt(next))
      if (next.state === 'IN_PROGRESS' && this.now < next.expiresAt) this.end(next, 'TIMED_OUT')
      else this.jobs = this.jobs.filter((job) => job !== next)
    }
    this.now = until
  }
}

const pick = fc.nat(5)
const worker = fc.constantFrom('a', 'b')
/** Mostly the worker that holds the job, or few jobs would ever end. */
const reporter = fc.oneof({ weight: 3, arbitrary: fc.constant('holder') }, { weight: 1, arbitrary: worker })
const weighted = <T>(weight: number, arbitrary: fc.Arbitrary<T>) => ({ weight, arbitrary })
const operation = fc.oneof(
  weighted(
    2,
    fc.record({
      do: fc.constant('submit' as const),
      kind: fc.constantFrom('run' as const, 'runsync' as const),
      runMs: fc.option(fc.integer({ min: 1, max: 3_000 }), { nil: undefined }),
      ttlMs: fc.option(fc.integer({ min: 1, max: 8_000 }), { nil: undefined }),
    }),
  ),
  weighted(6, fc.record({ do: fc.constant('take' as const), worker })),
  weighted(
    5,
    fc.record({
      do: fc.constantFrom('complete' as const, 'fail' as const, 'progress' as const, 'item' as const),
      pick,
      worker: reporter,
    }),
  ),
  weighted(
    4,
    fc.record({
      do: fc.constantFrom('cancel' as const, 'retry' as const, 'retry' as const, 'drain' as const),
      pick,
    }),
  ),
  weighted(4, fc.record({ do: fc.constant('lost' as const), worker })),
  weighted(1, fc.record({ do: fc.constant('purge' as const) })),
  weighted(3, fc.record({ do: fc.constant('advance' as const), ms: fc.integer({ min: 0, max: 1_500 }) })),
)

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never

function setUp() {
  const clock = createTestClock(0)
  const retention = { runMs: RUN_KEEP_MS, runsyncMs: SYNC_KEEP_MS }
  const queue = createQueue({
    clock,
    executionTimeoutMs: EXECUTION_MS,
    ttlMs: TTL_MS,
    maxConcurrency: MAX_CONCURRENCY,
    retention,
  })
  return { clock, queue, model: new Model(), ids: [] as string[], states: new Map<string, string>() }
}

type World = ReturnType<typeof setUp>

const steps: { [D in Operation['do']]: (world: World, operation: Extract<Operation, { do: D }>) => void } = {
  submit(world, { kind, runMs, ttlMs }) {
    const { id } = world.queue.submit({ input: {}, kind, policy: { executionTimeoutMs: runMs, ttlMs } })
    world.ids.push(id)
    world.model.submit(id, kind, runMs, ttlMs)
    watch(world, id)
  },
  take({ queue, model }, { worker }) {
    const wanted = model.take(worker)
    const job = queue.take(worker)
    expect(job?.id).toBe(wanted?.id)
    if (wanted)
      expect(job).toMatchObject({ attempt: wanted.attempt, deadline: wanted.takenAt + wanted.runMs })
  },
  complete: (world, { pick, worker }) =>
    report(
      world,
      pick,
      worker,
      (id, by) => world.queue.complete(id, by, { output: 1 }),
      (job) => world.model.end(job, 'COMPLETED'),
    ),
  fail: (world, { pick, worker }) =>
    report(
      world,
      pick,
      worker,
      (id, by) => world.queue.complete(id, by, { error: 'no' }),
      (job) => world.model.end(job, 'FAILED'),
    ),
  progress: (world, { pick, worker }) =>
    report(
      world,
      pick,
      worker,
      (id, by) => world.queue.progress(id, by, 1),
      () => {},
    ),
  item: (world, { pick, worker }) =>
    report(
      world,
      pick,
      worker,
      (id, by) => world.queue.item(id, by, world.model.now),
      (job) => job.items.push(world.model.now),
    ),
  cancel({ queue, model, ids }, { pick }) {
    const job = model.find(ids[pick] ?? '')
    if (job && !final.includes(job.state)) model.end(job, 'CANCELLED')
    expect(queue.cancel(ids[pick] ?? '')?.status).toBe(job?.state)
  },
  retry({ queue, model, ids }, { pick }) {
    const job = model.find(ids[pick] ?? '')
    if (job && !['FAILED', 'TIMED_OUT'].includes(job.state))
      return void expect(() => queue.retry(job.id)).toThrow()
    if (job) {
      Object.assign(job, { queuedAt: model.now, losses: 0 })
      model.requeue(job, model.back++)
    }
    expect(queue.retry(ids[pick] ?? '')?.status).toBe(job?.state)
  },
  drain({ queue, model, ids }, { pick }) {
    const job = model.find(ids[pick] ?? '')
    const stream = job?.items.slice(job.drained).map((output) => ({ output }))
    if (job) job.drained = job.items.length
    expect(queue.stream(ids[pick] ?? '')).toEqual(job && { status: job.state, stream })
  },
  lost({ queue, model }, { worker }) {
    const wanted = model.held(worker).map((job) => job.id)
    model.lose(worker)
    expect(queue.workerLost(worker)).toEqual(wanted)
  },
  purge({ queue, model }) {
    const waiting = model.waiting()
    for (const job of waiting) model.end(job, 'CANCELLED')
    expect(queue.purge().removed).toBe(waiting.length)
  },
  advance({ clock, model }, { ms }) {
    model.advance(ms)
    clock.advance(ms)
  },
}

function report(
  world: World,
  pick: number,
  worker: string,
  send: (id: string, by: string) => Verdict,
  apply: (job: ModelJob) => void,
): void {
  const id = world.ids[pick] ?? ''
  const by = worker === 'holder' ? (world.model.find(id)?.worker ?? 'a') : worker
  const wanted = world.model.judge(id, by)
  if (wanted === 'accepted') apply(world.model.find(id)!)
  expect(send(id, by)).toBe(wanted)
}

/** Every state a subscriber hears of must be one that the last one leads to. */
function watch({ queue, states }: World, id: string): void {
  const step = (event: JobEvent) => {
    if (event.type !== 'status' && event.type !== 'end') return
    const next = event.status?.status ?? 'gone'
    const last = states.get(id)
    if (last && last !== next) expect(legal[last]).toContain(next)
    states.set(id, next)
  }
  queue.subscribe(id, step)
}

function compare({ queue, model, ids }: World): void {
  for (const id of ids) {
    const wanted = model.find(id)
    const status = queue.status(id)
    expect(status?.status).toBe(wanted?.state)
    if (!wanted || !final.includes(wanted.state)) continue
    const taken = wanted.worker !== ''
    expect(status).toMatchObject({
      workerId: wanted.worker,
      delayTime: taken ? wanted.takenAt - wanted.queuedAt : 0,
      executionTime: taken ? wanted.endedAt - wanted.takenAt : 0,
    })
  }
  const running = model.jobs.filter((job) => job.state === 'IN_PROGRESS').length
  expect(queue.load()).toEqual({ wanting: model.waiting().length, waiting: model.waiting().length, running })
}

test('any sequence of operations and time agrees with the rules', () => {
  fc.assert(
    fc.property(fc.array(operation, { minLength: 20, maxLength: 150 }), (operations) => {
      const world = setUp()
      for (const one of operations) {
        ;(steps[one.do] as (world: World, operation: Operation) => void)(world, one)
        compare(world)
      }
    }),
    { numRuns: 400 },
  )
})
