import { type EndpointState, tell } from './state.ts'
import type { Worker } from './worker.ts'

export interface Leave {
  /** For its log. */
  why: string
  /** Between SIGTERM and SIGKILL; the usual time when omitted. */
  graceMs?: number
  /** The error of jobs that it still holds and that were lost too often. */
  error?: string
  isScaledDown?: boolean
}

/** An open take is answered this much later than the worker is told to stop, so that it does not take again. */
const DISMISS_MS = 1_000
const KEPT_LOGS = 100

/** Ends a worker: it counts no more, its jobs wait again, its process is stopped. */
export function leave(state: EndpointState, worker: Worker, how: Leave): void {
  if (worker.phase === 'leaving') return
  const { clock, timings } = state.shared
  worker.withdraw()
  worker.phase = 'leaving'
  state.workers.delete(worker.id)
  tell(state, worker, how.why)
  if (!state.isClosed) state.queue.workerLost(worker.id, { error: how.error })
  const stopped = worker.launched?.stop(how.graceMs ?? timings.stopGraceMs) ?? Promise.resolve()
  if (worker.takes.size + worker.stopWaiters.size > 0) clock.after(DISMISS_MS, () => dismiss(worker))
  const gone = stopped
    .catch((error: unknown) => tell(state, worker, `worker could not be stopped: ${String(error)}`))
    .then(() => depart(state, worker, how.isScaledDown === true))
  state.leaving.set(worker.id, { worker, gone })
  state.review()
}

/** Answers whatever it still has open. */
export function dismiss({ takes, stopWaiters }: Worker): void {
  for (const open of takes) open.settle([])
  for (const open of stopWaiters) open.settle([])
}

function depart(state: EndpointState, worker: Worker, isScaledDown: boolean): void {
  const { clock } = state.shared
  const { id } = worker
  tell(state, worker, 'worker is gone')
  state.leaving.delete(id)
  state.departed.delete(id)
  state.departed.set(id, { worker, at: clock.now(), isScaledDown })
  forgetOld(state)
  if (worker.isPlaced) {
    worker.isPlaced = false
    state.shared.vacate()
  }
  state.review()
}

function forgetOld(state: EndpointState): void {
  const before = state.shared.clock.now() - state.shared.timings.keepLogMs
  for (const [id, { at }] of state.departed) {
    if (at > before && state.departed.size <= KEPT_LOGS) return
    state.departed.delete(id)
  }
}
