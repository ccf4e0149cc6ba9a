import type { QueueHealth } from '@flash/protocol'
import type { Job, Queue } from '../queue/index.ts'

/** An endpoint as it is run: what the account keeps of it, with all defaults filled in and all references resolved. */
export interface EndpointSpec {
  id: string
  name: string
  kind: 'queue' | 'balanced'
  /** Workers with another number are replaced one by one, when they are idle. */
  version: number
  image: string
  /** The start command; empty for the image's own. */
  args: string
  /** Of the template, secrets filled in. */
  env: Record<string, string>
  /** Files of this machine that workers see. */
  mounts: { source: string; target: string; writable?: boolean }[]
  registryAuth?: { username: string; password: string }
  /** What one worker may use, for launchers that can hold it to that; as much as there is when omitted. */
  limits?: { memoryBytes?: number; cpus?: number }
  workersMin: number
  workersMax: number
  /** Workers kept started but idle, beyond `workersMin`. */
  workersStandby: number
  idleTimeoutSeconds: number
  /** Whole milliseconds; the platform's 600_000 when the account says 0. */
  executionTimeoutMs: number
  scaling: { by: 'queueDelay'; seconds: number } | { by: 'requestCount'; requests: number }
  gpuTypeId: string | null
  gpuCount: number
  dataCenterId: string
  /** Of the app that it belongs to, for the look-up by names. */
  environmentId: string | null
}

export type WorkerState = 'INITIALIZING' | 'IDLE' | 'RUNNING' | 'THROTTLED' | 'UNHEALTHY'

/** A worker as the control plane shows it. */
export interface WorkerView {
  id: string
  state: WorkerState
  version: number
  /** It is of an older version and leaves when it is idle. */
  isStale: boolean
  image: string
  startedAt: number
}

export interface LogLine {
  source: 'container' | 'system'
  line: string
  /** Milliseconds since the epoch. */
  at: number
  /** Rises by one with each line of the worker. */
  index: number
}

/** The last lines of a worker; kept some time after its end. */
export interface WorkerLog {
  lines(): readonly LogLine[]
  /** Told about each line from now on; returns how to stop. */
  onLine(listener: (line: LogLine) => void): () => void
}

/** A balanced worker that takes one request. */
export interface Seat {
  workerId: string
  /** `http://127.0.0.1:41234` */
  url: string
  /** Go with every request to it. */
  headers?: Record<string, string>
  /** The request has ended. */
  release(): void
}

/**
 * What a worker said of itself.
 *
 * - `jobs`: ids that its ping names, none as `[]`; with `isCut` there may be more of them.
 * - `unhealthy`: the reason, when it found itself unfit.
 */
export interface WorkerReport {
  jobs?: string[]
  isCut?: boolean
  unhealthy?: string
}

export interface RunningEndpoint {
  readonly spec: EndpointSpec
  /** Jobs of a queue endpoint; a balanced one has an empty one. Workers take with `take` below. */
  readonly queue: Queue
  workers(): WorkerView[]
  counts(): QueueHealth['workers']
  /** `undefined` for a worker that never was, or is long gone. */
  log(workerId: string): WorkerLog | undefined
  /**
   * A healthy worker for one request of a balanced endpoint, when there is one.
   *
   * - `affinity`: header `X-Runpod-Worker-Id` as it came.
   * - throws `NO_WORKERS` after 2 minutes, `WORKER_GONE`, `WORKER_TIMEOUT` (strict affinity), and the signal's reason.
   */
  seat(request: { affinity?: string; signal: AbortSignal }): Promise<Seat>
  /** A ping or take has come from a worker; unknown ones (started by hand) become known. Reports to `queue` count by themselves. */
  heard(workerId: string, report?: WorkerReport): void
  /**
   * The next jobs for a worker, up to `count`, now or when one comes within `holdMs`; none when none does.
   *
   * - `signal`: aborts when the answer cannot reach the worker, also after it was given: then its jobs go back.
   */
  take(workerId: string, how: { count: number; holdMs: number; signal: AbortSignal }): Promise<Job[]>
  /** Jobs that the worker must stop, now or within `holdMs`. */
  stops(workerId: string, how: { holdMs: number; signal: AbortSignal }): Promise<string[]>
  /** A worker asked to be replaced with its result (`stopPod`). */
  refresh(workerId: string): void
  /** A balanced worker that somebody started by hand is at this URL. */
  announce(workerId: string, url: string): void
}

/** All endpoints that run. */
export interface Endpoints {
  /** A new one, or new settings of one; never waits for workers. Throws `BAD_REQUEST` for another kind than it has. */
  save(spec: EndpointSpec): void
  /** Resolves when its workers are gone; its jobs are forgotten at once. */
  remove(id: string): Promise<void>
  get(id: string): RunningEndpoint | undefined
  list(): RunningEndpoint[]
  /** Resolves when all workers are gone; the launcher stays open. */
  close(): Promise<void>
}
