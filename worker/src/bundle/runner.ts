import {
  AppError,
  type FailureSource,
  queueLimits,
  type TakenJob,
  toWireError,
  writeFailure,
} from '@flash/protocol'
import { createCrashGuard, type CrashGuard } from '../execute/crash.ts'
import type { JobOutput } from '../execute/job-output.ts'
import { createCall, followSignal } from '../local/session.ts'
import type { JobOutcome, JobRunner, JobScope } from '../queue/types.ts'
import { createCollection } from './collection.ts'
import { type JobHost, type JobVoice, runJob } from './job.ts'
import { routeJob } from './route.ts'

export interface RunnerOptions extends JobHost {
  output: JobOutput
  concurrency: number
  /** Who says it, where a job fails. */
  source: FailureSource
}

export interface BundleRunner extends JobRunner {
  /** Fails all jobs for an error that nobody caught, and lets the worker leave. */
  crash(error: unknown): void
}

const GRACE_MS = 1_000

/** Runs the jobs of a queue with the functions of a bundle. */
export function createRunner(options: RunnerOptions): BundleRunner {
  const { guard, crash, signal: broken } = createCrashGuard()
  return {
    broken,
    async run(job, scope) {
      const refresh = { wanted: false }
      const { json, streamed } = await runOne(options, job, scope, refresh, guard)
      if (!refresh.wanted && !broken.aborted) return { json, streamed }
      return { json: `${json.slice(0, -1)},"stopPod":true}`, streamed, leave: true }
    },
    concurrency: () => options.concurrency,
    close: () => options.worker.close(),
    crash: (cause) => crash(uncaught(cause)),
  }
}

/** Answers every job with why the modules of the bundle do not load. */
export function createFailingRunner(error: unknown, source: FailureSource): JobRunner {
  const json = failureOf(error, source)
  return {
    run: async () => ({ json, streamed: false }),
    concurrency: () => 1,
    async close() {},
  }
}

async function runOne(
  options: RunnerOptions,
  job: TakenJob,
  scope: JobScope,
  refresh: { wanted: boolean },
  guard: CrashGuard['guard'],
): Promise<JobOutcome> {
  const { info, clock, output, source } = options
  const call = createCall(0, clock, GRACE_MS)
  const unlink = followSignal(scope.signal, call)
  const lines = output.open((stream, line) => scope.log(stream, line))
  const items = createCollection(queueLimits.runSyncBytes)
  const voice: JobVoice = {
    item(json, foreign) {
      items.add(json, foreign)
      return scope.chunk(`{"output":${json}}`)
    },
    progress: (json) => scope.progress(json),
    log: (text) => lines.write('stdout', text),
    onContext: lines.own,
    refreshWorker: () => void (refresh.wanted = true),
  }
  try {
    const route = routeJob(info.endpoint, info.functions, job.input)
    const order = { id: job.id, route, executionTimeoutMs: timeoutOf(job) }
    const json = await guard(runJob(options, order, call, voice))
    if (json === null && items.overflowed) lines.write('stderr', tooManyItems)
    return { json: `{"output":${json ?? items.text()}}`, streamed: json === null }
  } catch (error) {
    return { json: failureOf(error, source), streamed: items.count > 0 }
  } finally {
    lines.end()
    unlink()
  }
}

function failureOf(error: unknown, source: FailureSource): string {
  return `{"error":${JSON.stringify(writeFailure(toWireError(error, { stack: true }), source))}}`
}

const tooManyItems = `the items of this job have more than ${queueLimits.runSyncBytes} bytes together: they are in its stream, and its result is an empty list\n`

/** The platform ends a job by the same limit, and counts from an earlier moment. */
function timeoutOf({ policy }: TakenJob): number | undefined {
  const limit = (policy as { executionTimeout?: unknown } | null | undefined)?.executionTimeout
  const { min, max } = queueLimits.executionTimeoutMs
  return typeof limit === 'number' && limit >= min && limit <= max ? limit : undefined
}

function uncaught(cause: unknown): AppError {
  return new AppError('WORKER_CRASHED', {
    message: `an error that nobody caught ended the worker: ${cause instanceof Error ? cause.message : String(cause)}`,
    hint: 'catch what timers, event listeners and promises that nobody awaits throw',
    cause,
  })
}
