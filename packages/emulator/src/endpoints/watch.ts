import { leaveAfterTime } from './crew.ts'
import { becomeUnhealthy } from './health-state.ts'
import { leave } from './leave.ts'
import { failureText } from '../queue/failure.ts'
import { probeWorkers } from './probe.ts'
import { countWaiting } from './seats.ts'
import { place } from './start.ts'
import { type EndpointState, isBusy, tell, workerTime } from './state.ts'
import { silentMs } from './timings.ts'
import type { Worker } from './worker.ts'

const INITIALIZATION_VARIABLE = 'RUNPOD_INIT_TIMEOUT'

/** What only time changes, looked at once in a tick. */
export function lookAround(state: EndpointState): void {
  for (const worker of Array.from(state.workers.values())) {
    if (worker.phase === 'unplaced') place(state, worker)
    else if (worker.phase === 'starting') judgeStart(state, worker)
    else judgeReady(state, worker)
  }
  probeWorkers(state)
  state.overdue = countOverdue(state)
  leaveAfterTime(state)
  state.review()
}

function countOverdue(state: EndpointState): number {
  const { scaling, kind, workersMax } = state.spec
  if (scaling.by !== 'queueDelay') return 0
  const ms = scaling.seconds * 1_000
  return kind === 'queue' ? state.queue.overdue(ms, workersMax) : countWaiting(state, ms)
}

/** A start that takes too long makes unhealthy; one that takes even longer is given up. */
function judgeStart(state: EndpointState, worker: Worker): void {
  const { spec, shared } = state
  // Nobody knows when somebody will start one by hand.
  if (shared.launcher.name === 'external' || worker.isAdopted) return
  const seconds = Number(spec.env[INITIALIZATION_VARIABLE])
  const limitMs = seconds > 0 ? seconds * 1_000 : shared.timings.initializationMs
  const age = workerTime(shared) - worker.launchedAt
  if (worker.launched === null || age < limitMs) return
  const why = `it was not ready ${limitMs / 1_000} s after its start`
  becomeUnhealthy(state, worker, why)
  if (age >= limitMs + shared.timings.unhealthyMs) leave(state, worker, { why: `worker is replaced: ${why}` })
}

function judgeReady(state: EndpointState, worker: Worker): void {
  const { spec, shared } = state
  const now = workerTime(shared)
  if (spec.kind === 'queue' && isSilent(state, worker, now)) return lose(state, worker)
  judgeDeadlines(state, worker, now)
  const isIll = worker.isUnhealthy && now - worker.unhealthySince >= shared.timings.unhealthyMs
  if (isIll && worker.phase === 'ready' && !isBusy(state, worker))
    leave(state, worker, { why: 'worker is replaced: it did not become healthy again' })
}

/** One with an open take or stop request is on the line. */
function isSilent({ shared }: EndpointState, worker: Worker, now: number): boolean {
  if (worker.takes.size + worker.stopWaiters.size > 0) return false
  return now - worker.heardAt > silentMs(shared.timings)
}

function lose(state: EndpointState, worker: Worker): void {
  const seconds = silentMs(state.shared.timings) / 1_000
  const error = failureText(
    'WORKER_LOST',
    `worker ${worker.id} of "${state.spec.name}" was silent for ${seconds} s while it ran the job`,
    'look at the log of the worker',
  )
  leave(state, worker, { why: `worker is lost: it was silent for ${seconds} s`, error, graceMs: 0 })
}

/** A worker that goes on with a job whose time is up cannot be trusted with another. */
function judgeDeadlines(state: EndpointState, worker: Worker, now: number): void {
  const stuck = Array.from(worker.timedOut).find(([, until]) => now >= until)
  if (!stuck || worker.phase === 'leaving') return
  const why = `it did not stop job ${stuck[0]} after its execution timeout`
  if (!isBusy(state, worker)) return leave(state, worker, { why: `worker is replaced: ${why}`, graceMs: 0 })
  if (!worker.isRetiring) tell(state, worker, `worker gets no more jobs: ${why}`)
  worker.isRetiring = true
}
