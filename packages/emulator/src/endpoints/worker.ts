import type { LaunchedWorker } from '../launchers/launcher.ts'
import type { Job } from '../queue/index.ts'
import type { Held } from './hold.ts'
import { createLog, type OpenLog } from './log.ts'

/**
 * Where a worker is on its way.
 *
 * - `unplaced`: wanted, but there is no room for it yet.
 * - `starting`: until its first sign of life; also between two attempts to start it.
 * - `leaving`: told to stop, or gone.
 */
export type Phase = 'unplaced' | 'starting' | 'ready' | 'leaving'

/** Everything that is known about one worker. */
export interface Worker {
  id: string
  version: number
  image: string
  /** Milliseconds since the epoch. */
  startedAt: number
  log: OpenLog
  phase: Phase
  /** Somebody started it by hand: it cannot be stopped from here, and nothing says when it ends. */
  isAdopted: boolean
  isUnhealthy: boolean
  /** Since when, in the time of workers. */
  unhealthySince: number
  /** It gets no more work, and leaves when it has none. */
  isRetiring: boolean
  launched: LaunchedWorker | null
  /** It takes room on the machine. */
  isPlaced: boolean
  /** Why there is no room. */
  obstacle: 'machine' | 'fault' | null
  /** Since when it is being started, or was, in the time of workers. */
  launchedAt: number
  /** Starts in a row that failed. */
  failedStarts: number
  /** Withdraws what is planned for it: the next start, or a step of this one. */
  withdraw: () => void
  /** Jobs or requests that ended on it. */
  served: number
  /** Since when it has no work. */
  idleSince: number
  /** When it was last heard of, in the time of workers. */
  heardAt: number
  /** Takes that it holds open. */
  takes: Set<Held<Job[]>>
  /** Jobs it shall stop and does not know of yet. */
  stops: Set<string>
  stopWaiters: Set<Held<string[]>>
  /** Jobs it must stop since their time is up, and until when, in the time of workers. */
  timedOut: Map<string, number>
  /** Its pings name its jobs. */
  namesJobs: boolean
  /** Jobs it holds and does not name, and since when, in the time of workers. */
  unnamed: Map<string, number>
  /** Of a balanced worker. */
  url: string | null
  healthUrl: string | null
  seats: number
  probe: { at: number; isOpen: boolean }
}

export function createWorker(about: {
  id: string
  version: number
  image: string
  now: number
  workerNow: number
  log?: OpenLog
}): Worker {
  const { id, version, image, now, workerNow, log = createLog() } = about
  return {
    id,
    version,
    image,
    startedAt: now,
    log,
    phase: 'unplaced',
    isAdopted: false,
    isUnhealthy: false,
    unhealthySince: 0,
    isRetiring: false,
    launched: null,
    isPlaced: false,
    obstacle: null,
    launchedAt: workerNow,
    failedStarts: 0,
    withdraw() {},
    served: 0,
    idleSince: now,
    heardAt: workerNow,
    takes: new Set(),
    stops: new Set(),
    stopWaiters: new Set(),
    timedOut: new Map(),
    namesJobs: false,
    unnamed: new Map(),
    url: null,
    healthUrl: null,
    seats: 0,
    probe: { at: 0, isOpen: false },
  }
}
