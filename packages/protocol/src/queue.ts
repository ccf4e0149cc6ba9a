/** Spelled as Runpod spells them. */
export const JobState = {
  IN_QUEUE: 'IN_QUEUE',
  IN_PROGRESS: 'IN_PROGRESS',
  COMPLETED: 'COMPLETED',
  FAILED: 'FAILED',
  CANCELLED: 'CANCELLED',
  TIMED_OUT: 'TIMED_OUT',
} as const
export type JobState = (typeof JobState)[keyof typeof JobState]

export const finalStates: readonly JobState[] = ['COMPLETED', 'FAILED', 'CANCELLED', 'TIMED_OUT']

/** Whether a job in this state never changes again, except by a retry. */
export function isFinalState(state: JobState): boolean {
  return finalStates.includes(state)
}

/** Opaque. */
export type JobId = string

/** Where the function shall put large results; handed to the worker, which acts on it itself. */
export interface S3Config {
  accessId: string
  accessSecret: string
  bucketName: string
  endpointUrl: string
  objectPath?: string
}

/** Answer of `/status` and `/runsync`. A job that has ended always has the three numbers and the worker. */
export interface JobStatus {
  id: JobId
  status: JobState
  /** Milliseconds from submission to a worker. */
  delayTime?: number
  /** Milliseconds on a worker. */
  executionTime?: number
  workerId?: string
  /** The result; while running, the latest progress. */
  output?: unknown
  /** A text also when it holds JSON. */
  error?: string
}

/** Answer of `/stream`: what came since the last one. A final status comes with the last items only. */
export interface StreamAnswer {
  status: JobState
  stream: { output: unknown }[]
}

export interface PurgeAnswer {
  removed: number
  status: 'completed'
}

/** Answer of `/health`; every count is always there. */
export interface QueueHealth {
  jobs: { completed: number; failed: number; inProgress: number; inQueue: number; retried: number }
  workers: {
    idle: number
    initializing: number
    ready: number
    running: number
    throttled: number
    unhealthy: number
  }
}

/** Below the endpoint's address. */
export const queuePaths = {
  run: '/run',
  runSync: '/runsync',
  status: (id: JobId) => `/status/${encodeURIComponent(id)}`,
  /** Waits for the end like `/runsync`; not every host has it. */
  statusSync: (id: JobId) => `/status-sync/${encodeURIComponent(id)}`,
  stream: (id: JobId) => `/stream/${encodeURIComponent(id)}`,
  cancel: (id: JobId) => `/cancel/${encodeURIComponent(id)}`,
  retry: (id: JobId) => `/retry/${encodeURIComponent(id)}`,
  purge: '/purge-queue',
  health: '/health',
} as const

/**
 * What the queue accepts and how long it keeps things. Megabytes are taken as millions of bytes, the stricter reading.
 *
 * Source: Runpod docs, Serverless, Operation reference and Endpoint configurations.
 */
export const queueLimits = {
  runBytes: 10_000_000,
  runSyncBytes: 20_000_000,
  itemBytes: 1_000_000,
  waitMs: { default: 90_000, min: 1_000, max: 300_000 },
  executionTimeoutMs: { default: 600_000, min: 5_000, max: 604_800_000 },
  ttlMs: { default: 86_400_000, min: 10_000, max: 604_800_000 },
  /** How long a result is kept after the end. */
  keepRunMs: 1_800_000,
  keepRunSyncMs: 60_000,
  /** The longest a `/runsync` result is kept, when its caller asked to wait that long. */
  keepRunSyncMaxMs: 300_000,
  /** How often a job goes back to the queue because its worker was lost. */
  losses: 3,
  webhook: { attempts: 3, pauseMs: 10_000 },
} as const
