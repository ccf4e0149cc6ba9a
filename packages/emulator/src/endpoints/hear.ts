import { becomeReady, becomeUnhealthy } from './health-state.ts'
import { holdOpen, type HoldOptions } from './hold.ts'
import { leave } from './leave.ts'
import { type EndpointState, isBusy, tell, workerTime } from './state.ts'
import { loseUnnamed } from './unnamed.ts'
import { createWorker, type Worker } from './worker.ts'
import type { WorkerReport } from './types.ts'

/** The worker that said something, ready from now on; `null` for one that is told nothing any more. */
export function hear(state: EndpointState, workerId: string): Worker | null {
  const worker = find(state, workerId)
  if (!worker) return null
  worker.heardAt = workerTime(state.shared)
  // Whoever follows the launcher's instruction is a worker that was started by hand.
  worker.isAdopted ||= state.shared.launcher.name === 'external'
  if (worker.phase !== 'ready' || worker.isUnhealthy) becomeReady(state, worker)
  return worker
}

export function heard(state: EndpointState, workerId: string, report: WorkerReport): void {
  if (report.unhealthy !== undefined) {
    const worker = find(state, workerId)
    if (worker) becomeUnhealthy(state, worker, report.unhealthy)
    return
  }
  const worker = hear(state, workerId)
  if (worker && report.jobs) noteJobs(state, worker, report)
}

/** A worker that names its jobs says by leaving one out that it does not have it, or has stopped it. */
function noteJobs(state: EndpointState, worker: Worker, { jobs = [], isCut = false }: WorkerReport): void {
  worker.namesJobs ||= jobs.length > 0
  if (!worker.namesJobs || isCut) return
  const named = new Set(jobs)
  for (const id of worker.timedOut.keys()) if (!named.has(id)) worker.timedOut.delete(id)
  loseUnnamed(state, worker, named)
}

function find(state: EndpointState, workerId: string): Worker | null {
  const worker = state.workers.get(workerId)
  if (worker) return worker
  // Who was sent away is not taken back; a worker that was started by hand may come and go.
  const former = state.departed.get(workerId)
  const isBarred = state.isClosed || state.leaving.has(workerId) || (former && !former.worker.isAdopted)
  return isBarred || state.spec.kind === 'balanced' ? null : adopt(state, workerId)
}

/** Takes in a worker that somebody started by hand. */
export function adopt(state: EndpointState, workerId: string): Worker {
  const { spec, shared } = state
  const worker = createWorker({
    id: workerId,
    version: spec.version,
    image: spec.image,
    now: shared.clock.now(),
    workerNow: workerTime(shared),
    log: state.departed.get(workerId)?.worker.log,
  })
  worker.isAdopted = true
  worker.phase = 'starting'
  tell(state, worker, 'worker was started by hand')
  if (shared.launcher.name === 'external') replaceWaiting(state)
  state.workers.set(workerId, worker)
  return worker
}

/** One of those that were to be started by hand is there now. */
function replaceWaiting(state: EndpointState): void {
  for (const worker of state.workers.values()) {
    if (worker.isAdopted || worker.phase !== 'starting' || isBusy(state, worker)) continue
    return leave(state, worker, {
      why: 'another worker that was started by hand takes its place',
      graceMs: 0,
    })
  }
}

/** An answer that says nothing, at the end of its time. */
export function holdEmpty<T>(state: EndpointState, how: HoldOptions): Promise<T[]> {
  return holdOpen<T[]>(state.shared.clock, how, { late: () => [], aborted: () => [], ended() {} }).promise
}
