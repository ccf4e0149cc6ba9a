import { AppError } from '@flash/protocol'
import { parseAffinity, type Wish } from './affinity.ts'
import { holdOpen } from './hold.ts'
import type { SeatRequest } from './seat-request.ts'
import { begin } from './start.ts'
import { type EndpointState, isStale, isUsable } from './state.ts'
import type { Seat } from './types.ts'
import type { Worker } from './worker.ts'

export function seat(
  state: EndpointState,
  { affinity, signal }: { affinity?: string; signal: AbortSignal },
): Promise<Seat> {
  if (signal.aborted) return Promise.reject(signal.reason)
  if (state.isClosed) return Promise.reject(noWorkers(state))
  const wish = parseAffinity(affinity)
  if (wish.kind === 'strict') return strictSeat(state, wish, signal)
  const worker = findPreferred(state, wish) ?? findLeastBusy(state)
  if (worker) return Promise.resolve(occupy(state, worker))
  return wait(state, { only: null, signal, holdMs: state.shared.timings.seatMs })
}

function strictSeat(
  state: EndpointState,
  { id, resume }: Extract<Wish, { kind: 'strict' }>,
  signal: AbortSignal,
): Promise<Seat> {
  const worker = findActive(state, id) ?? (resume ? bringBack(state, id) : undefined)
  if (!worker) return Promise.reject(workerGone(state, id))
  if (isSeatable(state, worker)) return Promise.resolve(occupy(state, worker))
  return wait(state, { only: id, signal, holdMs: state.shared.timings.strictSeatMs })
}

/** Gives waiting requests the workers that can take them by now. */
export function serveRequests(state: EndpointState): void {
  for (const request of state.requests) {
    if (request.only === null) {
      const worker = findLeastBusy(state)
      if (worker) request.held.settle(occupy(state, worker))
      continue
    }
    const worker = findActive(state, request.only)
    if (!worker) request.held.settle(Promise.reject(workerGone(state, request.only)))
    else if (isSeatable(state, worker)) request.held.settle(occupy(state, worker))
  }
}

/** Ends the waiting of all, when the endpoint is removed. */
export function refuseRequests(state: EndpointState): void {
  for (const request of state.requests) request.held.settle(Promise.reject(noWorkers(state)))
}

/** How many requests have waited longer than `ms`. */
export function countWaiting(state: EndpointState, ms: number): number {
  const before = state.shared.clock.now() - ms
  let count = 0
  for (const { since } of state.requests) if (since < before) count++
  return count
}

function wait(
  state: EndpointState,
  { only, signal, holdMs }: { only: string | null; signal: AbortSignal; holdMs: number },
): Promise<Seat> {
  const { clock } = state.shared
  const held = holdOpen<Seat>(
    clock,
    { holdMs, signal },
    {
      late: () => Promise.reject(only === null ? noWorkers(state) : workerLate(state, only)),
      aborted: () => Promise.reject(signal.reason),
      ended: () => void state.requests.remove(request),
    },
  )
  const request: SeatRequest = { only, since: clock.now(), held, line: null, before: null, after: null }
  state.requests.pushBack(request)
  state.review()
  return held.promise
}

function isSeatable(state: EndpointState, worker: Worker): boolean {
  return worker.url !== null && isUsable(state, worker)
}

function findActive(state: EndpointState, id: string): Worker | undefined {
  const worker = state.workers.get(id)
  return worker && !worker.isRetiring && !isStale(state, worker) ? worker : undefined
}

function findPreferred(state: EndpointState, wish: Wish): Worker | undefined {
  const worker = wish.kind === 'soft' ? state.workers.get(wish.id) : undefined
  return worker && isSeatable(state, worker) ? worker : undefined
}

function findLeastBusy(state: EndpointState): Worker | undefined {
  let least: Worker | undefined
  for (const worker of state.workers.values())
    if (isSeatable(state, worker) && (!least || worker.seats < least.seats)) least = worker
  return least
}

/** A worker that was idle too long comes back under its id, where there is room for it. */
function bringBack(state: EndpointState, id: string): Worker | undefined {
  const former = state.departed.get(id)
  const isPossible = former?.isScaledDown && !isStale(state, former.worker)
  if (!isPossible || state.workers.size >= state.spec.workersMax) return undefined
  state.departed.delete(id)
  return begin(state, { id, log: former.worker.log })
}

function occupy(state: EndpointState, worker: Worker): Seat {
  let isTaken = true
  worker.seats++
  state.review()
  return {
    workerId: worker.id,
    url: worker.url!,
    release() {
      if (!isTaken) return
      isTaken = false
      worker.seats--
      worker.served++
      worker.idleSince = state.shared.clock.now()
      state.review()
    },
  }
}

// The messages are the platform's own, word for word: clients compare them.

function noWorkers({ spec }: EndpointState): AppError {
  return new AppError('NO_WORKERS', {
    message: 'no workers available',
    hint: `look at the workers of endpoint "${spec.name}" and their logs; it may have ${spec.workersMax}`,
  })
}

function workerGone({ spec }: EndpointState, id: string): AppError {
  return new AppError('WORKER_GONE', {
    message: 'affinity_worker_gone',
    hint: `endpoint "${spec.name}" has no worker ${id} any more; ask without X-Runpod-Worker-Id`,
  })
}

function workerLate({ spec }: EndpointState, id: string): AppError {
  return new AppError('WORKER_TIMEOUT', {
    message: 'timed out waiting for worker',
    hint: `worker ${id} of endpoint "${spec.name}" did not become healthy; look at its log`,
  })
}
