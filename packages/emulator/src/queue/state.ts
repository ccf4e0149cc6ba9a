import { type Clock, type QueueHealth, queueLimits, systemClock } from '@flash/protocol'
import type { JobRecord } from './jobs.ts'
import { createTimers, type Timers } from './timers.ts'
import type { Queue, QueueOptions } from './types.ts'
import { createLine, type Line } from './waiting.ts'

interface QueueLimits {
  executionTimeoutMs: number
  ttlMs: number
  maxConcurrency: number
  runMs: number
  runsyncMs: number
  retainedBytes: number
  itemBytes: number
  streamBytes: number
}

/** What the functions of this folder share. */
export interface QueueState {
  clock: Clock
  limits: QueueLimits
  newId(kind: 'run' | 'runsync'): string
  sizeOf(value: unknown): number
  jobs: Map<string, JobRecord>
  /** Known jobs by their idempotency key. */
  keys: Map<string, JobRecord>
  waiting: Line<JobRecord>
  /** How many of the waiting jobs ask for a worker. */
  wanting: number
  /** Finished jobs, the oldest first. */
  finished: Line<JobRecord>
  finishedBytes: number
  held: Map<string, Set<JobRecord>>
  timers: Timers<JobRecord>
  counts: Pick<QueueHealth['jobs'], 'completed' | 'failed' | 'retried'>
  onWaiting: Set<Parameters<Queue['onWaiting']>[0]>
  onStop: Set<Parameters<Queue['onStop']>[0]>
  onEnd: Set<Parameters<Queue['onEnd']>[0]>
}

export function createState(options: QueueOptions, due: (job: JobRecord) => void): QueueState {
  const { clock = systemClock, idSuffix = 'u1', sizeOf = jsonBytes } = options
  return {
    clock,
    limits: resolveLimits(options),
    newId: (kind) => `${kind === 'runsync' ? 'sync-' : ''}${crypto.randomUUID()}-${idSuffix}`,
    sizeOf,
    jobs: new Map(),
    keys: new Map(),
    waiting: createLine(),
    wanting: 0,
    finished: createLine(),
    finishedBytes: 0,
    held: new Map(),
    timers: createTimers(clock, due),
    counts: { completed: 0, failed: 0, retried: 0 },
    onWaiting: new Set(),
    onStop: new Set(),
    onEnd: new Set(),
  }
}

function resolveLimits(options: QueueOptions): QueueLimits {
  const { retention = {} } = options
  return {
    executionTimeoutMs: options.executionTimeoutMs,
    ttlMs: options.ttlMs ?? queueLimits.ttlMs.default,
    maxConcurrency: options.maxConcurrency ?? 1,
    runMs: retention.runMs ?? queueLimits.keepRunMs,
    runsyncMs: retention.runsyncMs ?? queueLimits.keepRunSyncMs,
    retainedBytes: retention.bytes ?? 256 * 1024 * 1024,
    itemBytes: options.itemLimitBytes ?? queueLimits.itemBytes,
    streamBytes: options.streamLimitBytes ?? 64 * 1024 * 1024,
  }
}

function jsonBytes(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text === undefined ? 0 : Buffer.byteLength(text)
}
