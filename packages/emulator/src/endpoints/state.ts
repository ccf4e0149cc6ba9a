import type { Clock } from '@flash/protocol'
import type { Fault, Faults } from '../faults.ts'
import type { Launcher } from '../launchers/launcher.ts'
import type { Queue, RetentionOptions } from '../queue/index.ts'
import { createLine, type Line } from '../queue/waiting.ts'
import type { SeatRequest } from './seat-request.ts'
import type { Taker } from './taker.ts'
import type { Timings } from './timings.ts'
import type { EndpointSpec, WorkerState } from './types.ts'
import type { Worker } from './worker.ts'

/** What all endpoints share. */
export interface Shared {
  clock: Clock
  /** How much of the time on the clock was only moved by hand: no worker can have said anything in it. */
  skippedMs(): number
  launcher: Launcher
  workerEnv(spec: EndpointSpec, workerId: string): Record<string, string> | Promise<Record<string, string>>
  faults: Pick<Faults, 'take'>
  retention: RetentionOptions
  fetch: typeof fetch
  timings: Timings
  /** Room on the machine for one more worker. */
  hasRoom(): boolean
  occupy(): void
  vacate(): void
}

/** What the functions of this folder share about one endpoint. */
export interface EndpointState {
  spec: EndpointSpec
  queue: Queue
  shared: Shared
  /** All but those that leave. */
  workers: Map<string, Worker>
  leaving: Map<string, { worker: Worker; gone: Promise<void> }>
  departed: Map<string, Departed>
  takers: Line<Taker>
  requests: Line<SeatRequest>
  /** As of the last tick. */
  overdue: number
  isClosed: boolean
  /** Something changed: work is given out and workers are counted, before the next turn. */
  review(): void
}

/** What is kept of a worker that ended. */
export interface Departed {
  worker: Worker
  at: number
  /** It was idle too long, so it can be asked to come back. */
  isScaledDown: boolean
}

export function createState(
  spec: EndpointSpec,
  parts: { queue: Queue; shared: Shared; review(): void },
): EndpointState {
  return {
    spec,
    ...parts,
    workers: new Map(),
    leaving: new Map(),
    departed: new Map(),
    takers: createLine(),
    requests: createLine(),
    overdue: 0,
    isClosed: false,
  }
}

export function tell(state: EndpointState, worker: Worker, text: string): void {
  worker.log.add('system', text, state.shared.clock.now())
}

/** Time in which workers could have said something. */
export function workerTime({ clock, skippedMs }: Shared): number {
  return clock.now() - skippedMs()
}

export function isStale(state: EndpointState, worker: Worker): boolean {
  return worker.version !== state.spec.version
}

export function isBusy(state: EndpointState, worker: Worker): boolean {
  return worker.seats > 0 || state.queue.held(worker.id) > 0
}

/** Whether it may get work. */
export function isUsable(state: EndpointState, worker: Worker): boolean {
  return worker.phase === 'ready' && !worker.isUnhealthy && !worker.isRetiring && !isStale(state, worker)
}

export function stateOf(state: EndpointState, worker: Worker): WorkerState {
  if (worker.phase === 'unplaced') return 'THROTTLED'
  if (worker.isUnhealthy) return 'UNHEALTHY'
  if (worker.phase === 'starting') return 'INITIALIZING'
  return isBusy(state, worker) ? 'RUNNING' : 'IDLE'
}

export function takeFault<K extends Fault['kind']>({ spec, shared }: EndpointState, kind: K) {
  return shared.faults.take(kind, { endpoint: spec.id, name: spec.name })
}
