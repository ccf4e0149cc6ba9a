import type { JobId } from './queue.ts'

/**
 * A job as a worker takes it. Beside these fields a job may carry what its caller sent (`webhook`, `s3Config`, `policy`).
 *
 * Source: runpod-python 1.12, serverless worker.
 */
export interface TakenJob {
  id: JobId
  input: unknown
  [field: string]: unknown
}

/**
 * What a worker posts when a job has ended; with `error` the job has failed, whatever `output` says.
 *
 * - `stopPod`: the platform replaces this worker.
 */
export interface JobResult {
  output?: unknown
  /** A text of most workers; handlers may return anything. */
  error?: unknown
  stopPod?: true
}

/** Answer of `/job-stop`. */
export interface StopAnswer {
  jobsToStop: JobId[]
}

/** Below the endpoint's address; each URL comes to the worker in a variable of its environment. */
export const workerPaths = {
  take: (worker: string) => `/job-take/${worker}`,
  takeBatch: (worker: string) => `/job-take-batch/${worker}`,
  stop: (worker: string) => `/job-stop/${worker}`,
  done: (worker: string, job: JobId) => `/job-done/${worker}/${job}`,
  stream: (worker: string, job: JobId) => `/job-stream/${worker}/${job}`,
  ping: (worker: string) => `/ping/${worker}`,
} as const

/** Variables that tell a worker who it is and whom it talks to. */
export const workerVariables = {
  take: 'RUNPOD_WEBHOOK_GET_JOB',
  done: 'RUNPOD_WEBHOOK_POST_OUTPUT',
  stream: 'RUNPOD_WEBHOOK_POST_STREAM',
  ping: 'RUNPOD_WEBHOOK_PING',
  pingInterval: 'RUNPOD_PING_INTERVAL',
  key: 'RUNPOD_AI_API_KEY',
  endpoint: 'RUNPOD_ENDPOINT_ID',
  worker: 'RUNPOD_POD_ID',
  hostname: 'RUNPOD_POD_HOSTNAME',
} as const
