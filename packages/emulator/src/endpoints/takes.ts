import type { Job } from '../queue/index.ts'
import { hear, holdEmpty } from './hear.ts'
import { holdOpen, type HoldOptions } from './hold.ts'
import { type EndpointState, isUsable, workerTime } from './state.ts'
import type { Taker } from './taker.ts'
import type { Worker } from './worker.ts'

/** Opens a take: answered with jobs when there are some, with none when its time is over or its worker gets no more. */
export function take(
  state: EndpointState,
  workerId: string,
  how: HoldOptions & { count: number },
): Promise<Job[]> {
  if (how.signal?.aborted) return Promise.resolve([])
  const worker = hear(state, workerId)
  if (!worker) return holdEmpty(state, how)
  // It asks for work, so it is not stuck in the job that it was to stop.
  worker.timedOut.clear()
  const taker = open(state, worker, how)
  void taker.held.promise.then((jobs) => giveBackWhenLost(state, worker, jobs, how.signal))
  if (isUsable(state, worker)) state.takers.pushBack(taker)
  match(state)
  return taker.held.promise
}

/** Jobs whose answer broke off on its way were never seen by the worker. */
function giveBackWhenLost({ queue }: EndpointState, worker: Worker, jobs: Job[], signal?: AbortSignal): void {
  if (jobs.length === 0) return
  const ids = jobs.map((job) => job.id)
  const giveBack = () => queue.giveBack(worker.id, ids)
  if (signal?.aborted) giveBack()
  else signal?.addEventListener('abort', giveBack, { once: true })
}

function open(state: EndpointState, worker: Worker, how: HoldOptions & { count: number }): Taker {
  const held = holdOpen<Job[]>(state.shared.clock, how, {
    late: () => [],
    aborted: () => [],
    ended() {
      state.takers.remove(taker)
      worker.takes.delete(held)
      worker.heardAt = workerTime(state.shared)
    },
  })
  const taker: Taker = { worker, count: Math.max(1, how.count), held, line: null, before: null, after: null }
  worker.takes.add(held)
  return taker
}

/** Hands waiting jobs to open takes, the oldest job to the oldest take. */
export function match(state: EndpointState): void {
  for (let taker = state.takers.first(); taker; taker = state.takers.first()) {
    if (!isUsable(state, taker.worker)) {
      // Its take stays open until its time is over, or it would ask again at once.
      state.takers.remove(taker)
      continue
    }
    const jobs = takeJobs(state, taker)
    if (jobs.length === 0) return
    taker.held.settle(jobs)
  }
}

function takeJobs({ queue }: EndpointState, { worker, count }: Taker): Job[] {
  const jobs: Job[] = []
  while (jobs.length < count) {
    const job = queue.take(worker.id)
    if (!job) break
    // An order to stop it meant an earlier attempt.
    worker.stops.delete(job.id)
    worker.timedOut.delete(job.id)
    jobs.push(job)
  }
  return jobs
}
