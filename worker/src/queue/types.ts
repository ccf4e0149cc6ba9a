import type { TakenJob } from '@flash/protocol'

/** What a job gets while it runs. */
export interface JobScope {
  /** Aborts when the platform stops the job, or the worker has to end at once. */
  signal: AbortSignal
  /** Posts a progress value: JSON text. Never fails a job. */
  progress(json: string): void
  /** Posts one streamed item as JSON text of the whole chunk (`{"output":…}`); resolves when it was accepted. */
  chunk(json: string): Promise<void>
  /** One line of the job's own output, or of its console. */
  log(stream: 'stdout' | 'stderr', line: string): void
}

/** What becomes of a job, ready for the wire. */
export interface JobOutcome {
  /** JSON text of the result object (`{"output":…}`, `{"error":"…"}`). */
  json: string
  /** Whether items were streamed (`isStream=true`). */
  streamed: boolean
  /** The worker leaves after this job. */
  leave?: boolean
}

/** Runs jobs; the queue side neither reads inputs nor writes outputs. */
export interface JobRunner {
  /** Never rejects: what a function throws is an outcome too. After an abort its outcome is dropped. */
  run(job: TakenJob, scope: JobScope): Promise<JobOutcome>
  /** How many jobs run beside each other, asked before each take; whole, at least 1. */
  concurrency(current: number): number | Promise<number>
  /**
   * Runs once before the first take; a rejection is told to the platform, and ends the worker with 1. The property `check`
   * of what it rejects with, where there is one, names what has failed.
   */
  prepare?(): Promise<void>
  /** Aborts when this process is no good any more: no more jobs are taken, and the worker ends with 1. */
  broken?: AbortSignal
  /** Everything was reported; state is disposed here. */
  close(): Promise<void>
}
