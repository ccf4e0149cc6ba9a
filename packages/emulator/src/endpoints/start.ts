import type { Fault } from '../faults.ts'
import { launch } from './launch.ts'
import type { OpenLog } from './log.ts'
import { type EndpointState, takeFault, tell, workerTime } from './state.ts'
import { createWorker, type Worker } from './worker.ts'

/** One more worker, started as soon as there is room for it. */
export function begin(state: EndpointState, again?: { id: string; log: OpenLog }): Worker {
  const { spec, shared } = state
  const worker = createWorker({
    id: again?.id ?? newWorkerId(),
    version: spec.version,
    image: spec.image,
    now: shared.clock.now(),
    workerNow: workerTime(shared),
    log: again?.log,
  })
  state.workers.set(worker.id, worker)
  place(state, worker)
  return worker
}

/** 14 lower-case letters and digits, as the platform's ids look. */
function newWorkerId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(14))
  return Array.from(bytes, (byte) => (byte % 36).toString(36)).join('')
}

/** Starts a worker that has no place yet, or says why there is none. */
export function place(state: EndpointState, worker: Worker): void {
  const { shared } = state
  const fault = takeFault(state, 'noCapacity') ?? takeFault(state, 'throttled')
  const obstacle = fault ? 'fault' : shared.hasRoom() ? null : 'machine'
  if (obstacle) {
    if (worker.obstacle !== obstacle) tell(state, worker, obstacleText(state, fault))
    worker.obstacle = obstacle
    return
  }
  worker.obstacle = null
  worker.isPlaced = true
  shared.occupy()
  void launch(state, worker)
}

function obstacleText({ spec }: EndpointState, fault: Fault | undefined): string {
  if (!fault) return 'worker is throttled: the account runs as many workers as it may'
  return fault.kind === 'throttled'
    ? 'worker is throttled: its host has no resources free'
    : `worker is throttled: no ${spec.gpuTypeId ?? 'CPU'} is free in ${spec.dataCenterId}`
}
