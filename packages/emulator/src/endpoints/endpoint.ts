import { AppError } from '@flash/protocol'
import { scale } from './crew.ts'
import { adopt, heard } from './hear.ts'
import { setAddress } from './health-state.ts'
import { dismiss, leave } from './leave.ts'
import { openQueue } from './open-queue.ts'
import { probeWorkers } from './probe.ts'
import { refuseRequests, seat, serveRequests } from './seats.ts'
import { createState, type EndpointState, isStale, type Shared, stateOf, tell, workerTime } from './state.ts'
import { orderStop, repeatStops, stops } from './stops.ts'
import { match, take } from './takes.ts'
import type { EndpointSpec, RunningEndpoint, WorkerLog, WorkerView } from './types.ts'
import { lookAround } from './watch.ts'
import type { Worker } from './worker.ts'

/** An endpoint as those hold it who keep all of them. */
export interface Endpoint {
  running: RunningEndpoint
  save(spec: EndpointSpec): void
  /** Once a second, as long as it has workers. */
  tick(): void
  hasWorkers(): boolean
  /** There may be room on the machine again. */
  review(): void
  close(): Promise<void>
}

/** A removed endpoint's workers have nothing to finish. */
const CLOSE_GRACE_MS = 5_000

/** `woken`: called when it may need ticks. */
export function createEndpoint(spec: EndpointSpec, shared: Shared, woken: () => void): Endpoint {
  const queue = openQueue(spec, shared, (workerId, endedJob) => noteReport(state, workerId, endedJob))
  const review = createReview(() => reviewWork(state, woken))
  const state = createState(spec, { queue, shared, review })
  queue.onWaiting(review)
  queue.onStop((stop) => {
    orderStop(state, stop)
    noteFree(state, stop.workerId)
  })
  queue.onEnd(({ workerId }) => noteFree(state, workerId))
  review()
  return {
    running: toRunning(state),
    save: (next) => save(state, next),
    tick: () => lookAround(state),
    hasWorkers: () => state.workers.size > 0,
    review,
    close: () => close(state),
  }
}

/** Any number of changes in one turn are looked at together, when they are complete. */
function createReview(run: () => void): () => void {
  let isPlanned = false
  return () => {
    if (isPlanned) return
    isPlanned = true
    queueMicrotask(() => {
      isPlanned = false
      run()
    })
  }
}

function reviewWork(state: EndpointState, woken: () => void): void {
  if (state.isClosed) return
  match(state)
  serveRequests(state)
  scale(state)
  if (state.workers.size > 0) woken()
}

/** Whoever reports is alive; with a result it shows that it is done with that job. */
function noteReport(state: EndpointState, workerId: string, endedJob: string | undefined): void {
  const worker = state.workers.get(workerId)
  if (!worker) return
  worker.heardAt = workerTime(state.shared)
  if (endedJob !== undefined) worker.timedOut.delete(endedJob)
}

/** A job has ended on a worker, which may be idle now. */
function noteFree(state: EndpointState, workerId: string | undefined): void {
  const worker = workerId && state.workers.get(workerId)
  if (!worker) return
  worker.served++
  worker.idleSince = state.shared.clock.now()
  state.review()
}

function save(state: EndpointState, next: EndpointSpec): void {
  if (next.kind !== state.spec.kind) {
    throw new AppError('BAD_REQUEST', {
      message: `endpoint "${next.name}" is ${state.spec.kind} and cannot become ${next.kind}`,
      hint: 'delete it and create another',
    })
  }
  state.spec = next
  state.queue.configure({ executionTimeoutMs: next.executionTimeoutMs })
  // Nobody here could start them anew.
  for (const worker of state.workers.values()) if (worker.isAdopted) worker.version = next.version
  state.review()
}

function toRunning(state: EndpointState): RunningEndpoint {
  return {
    get spec() {
      return state.spec
    },
    queue: state.queue,
    workers: () => Array.from(state.workers.values(), (worker) => toView(state, worker)),
    counts: () => countStates(state),
    log: (workerId) => findLog(state, workerId),
    seat: (request) => seat(state, request),
    heard(workerId, report = {}) {
      heard(state, workerId, report)
      repeatStops(state, workerId, report.jobs)
    },
    take: (workerId, how) => take(state, workerId, how),
    stops: (workerId, how) => stops(state, workerId, how),
    refresh: (workerId) => refresh(state, workerId),
    announce: (workerId, url) => announce(state, workerId, url),
  }
}

function toView(state: EndpointState, worker: Worker): WorkerView {
  const { id, version, image, startedAt } = worker
  return { id, state: stateOf(state, worker), version, isStale: isStale(state, worker), image, startedAt }
}

function countStates(state: EndpointState): ReturnType<RunningEndpoint['counts']> {
  const counts = { idle: 0, initializing: 0, ready: 0, running: 0, throttled: 0, unhealthy: 0 }
  for (const worker of state.workers.values())
    counts[stateOf(state, worker).toLowerCase() as keyof typeof counts]++
  counts.ready = counts.idle
  return counts
}

function findLog(state: EndpointState, workerId: string): WorkerLog | undefined {
  const present = state.workers.get(workerId) ?? state.leaving.get(workerId)?.worker
  if (present) return present.log
  const former = state.departed.get(workerId)
  const { clock, timings } = state.shared
  return former && clock.now() - former.at < timings.keepLogMs ? former.worker.log : undefined
}

function refresh(state: EndpointState, workerId: string): void {
  const worker = state.workers.get(workerId)
  if (!worker || worker.isRetiring) return
  worker.isRetiring = true
  tell(state, worker, 'worker asked to be replaced')
  state.review()
}

function announce(state: EndpointState, workerId: string, url: string): void {
  const worker = state.workers.get(workerId) ?? adopt(state, workerId)
  worker.isAdopted ||= state.shared.launcher.name === 'external'
  setAddress(state, worker, url.replace(/\/+$/, ''))
  // It answers by now, so nobody has to wait for the next tick.
  probeWorkers(state)
  state.review()
}

async function close(state: EndpointState): Promise<void> {
  state.isClosed = true
  refuseRequests(state)
  state.queue.close()
  for (const worker of Array.from(state.workers.values()))
    leave(state, worker, { why: 'the endpoint is removed', graceMs: CLOSE_GRACE_MS })
  await Promise.all(
    Array.from(state.leaving.values(), ({ worker, gone }) => gone.then(() => dismiss(worker))),
  )
}
