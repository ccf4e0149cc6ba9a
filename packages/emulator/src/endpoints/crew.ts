import { leave } from './leave.ts'
import { type Demand, wantedWorkers } from './scaler.ts'
import { begin, place } from './start.ts'
import { type EndpointState, isBusy, isStale, tell } from './state.ts'
import type { Worker } from './worker.ts'

/** As many workers as the work asks for: starts what is missing, lets go what is too much. */
export function scale(state: EndpointState): void {
  if (state.isClosed) return
  leaveWhenIdle(state)
  keepToMaximum(state)
  const staying = findStaying(state)
  const wanted = countWanted(state, staying)
  // One that has fallen ill is replaced at once where there is room; one that cannot start would fare no better twice.
  const able = staying.filter((worker) => !(worker.phase === 'ready' && worker.isUnhealthy))
  const missing = Math.min(wanted - able.length, state.spec.workersMax - staying.length)
  for (let count = 0; count < missing; count++) begin(state)
  dropUnstarted(state, staying, staying.length - wanted)
  for (const worker of state.workers.values())
    if (worker.obstacle === 'machine' && state.shared.hasRoom()) place(state, worker)
}

/** Idle workers beyond what is wanted leave after their time. */
export function leaveAfterTime(state: EndpointState): void {
  const { spec, shared } = state
  const staying = findStaying(state)
  let spare = staying.length - countWanted(state, staying)
  const since = shared.clock.now() - spec.idleTimeoutSeconds * 1_000
  const idle = staying.filter((worker) => canLeave(state, worker))
  const due = idle.filter((worker) => worker.idleSince <= since).sort((a, b) => a.idleSince - b.idleSince)
  // One that is unwell goes in the place of one that is well.
  const leaving = due.length === 0 ? [] : [...idle.filter((worker) => worker.isUnhealthy), ...due]
  for (const worker of new Set(leaving)) {
    if (spare-- <= 0) return
    const why = worker.isUnhealthy
      ? 'it is unhealthy and not needed'
      : `it was idle for ${spec.idleTimeoutSeconds} s`
    leave(state, worker, { why: `worker is stopped: ${why}`, isScaledDown: !worker.isUnhealthy })
  }
}

function canLeave(state: EndpointState, worker: Worker): boolean {
  return !worker.isAdopted && worker.phase === 'ready' && !isBusy(state, worker)
}

function findStaying(state: EndpointState): Worker[] {
  return [...state.workers.values()].filter((worker) => !worker.isRetiring && !isStale(state, worker))
}

function countWanted(state: EndpointState, staying: Worker[]): number {
  return wantedWorkers(state.spec, demandOf(state, staying))
}

/** What runs on workers that are replaced needs no others. */
function demandOf(state: EndpointState, staying: Worker[]): Demand {
  let running = 0
  let busy = 0
  for (const worker of staying) {
    const held = worker.seats + state.queue.held(worker.id)
    running += held
    if (held > 0) busy++
  }
  const wanting = state.spec.kind === 'balanced' ? state.requests.size : state.queue.load().wanting
  return { wanting, overdue: Math.min(state.overdue, wanting), running, busy }
}

/** Workers of an older version, and those that were asked to go, leave as soon as they have no work. */
function leaveWhenIdle(state: EndpointState): void {
  for (const worker of state.workers.values()) {
    const stale = isStale(state, worker)
    if ((!stale && !worker.isRetiring) || isBusy(state, worker)) continue
    const why = stale
      ? `worker has version ${worker.version} and is replaced, the endpoint has version ${state.spec.version}`
      : 'worker is stopped'
    leave(state, worker, { why })
  }
}

/** What is done last when there are too many: those that work. */
const order = { unplaced: 0, starting: 1, ready: 2, leaving: 3 } as const

function keepToMaximum(state: EndpointState): void {
  const own = findStaying(state).filter((worker) => !worker.isAdopted)
  const excess = own.length - state.spec.workersMax
  if (excess <= 0) return
  const rank = (worker: Worker) => (isBusy(state, worker) ? 3 : order[worker.phase])
  for (const worker of own.sort((a, b) => rank(a) - rank(b)).slice(0, excess)) {
    worker.isRetiring = true
    tell(state, worker, `the endpoint may have ${state.spec.workersMax} workers now`)
  }
  leaveWhenIdle(state)
}

/** What is not started yet need not be, when nobody waits for it any more. */
function dropUnstarted(state: EndpointState, staying: Worker[], spare: number): void {
  const unstarted = staying.filter((worker) => worker.launched === null && worker.phase !== 'ready')
  for (const worker of unstarted.filter((one) => !one.isAdopted).slice(0, Math.max(0, spare)))
    leave(state, worker, { why: 'worker is not needed any more' })
}
