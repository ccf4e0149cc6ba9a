import { randomUUID } from 'node:crypto'
import { AppError, type TakenJob } from '@flash/protocol'
import { createChunks } from './chunks.ts'
import type { QueueEnvironment } from './environment.ts'
import { toFailedResult } from './failure.ts'
import type { HeldJob, Jobs } from './jobs.ts'
import { createProgress } from './progress.ts'
import { type Reporter, reportResult } from './report.ts'
import type { JobOutcome, JobRunner, JobScope } from './types.ts'

export interface JobHost {
  runner: JobRunner
  reporter: Reporter
  jobs: Jobs
  environment: QueueEnvironment
  /** No more jobs are taken. */
  leave(): void
}

/** Runs a job and reports what becomes of it; afterwards it is held no more. Never rejects. */
export async function runJob(host: JobHost, job: TakenJob, held: HeldJob): Promise<void> {
  const { scope, end } = createScope(host, held)
  const outcome = await runGuarded(host, job, scope)
  if (outcome.leave) host.leave()
  await end()
  await deliver(host, held, outcome)
}

/** Reports a job that came without an input. */
export async function failEmpty(host: JobHost, held: HeldJob): Promise<void> {
  const error = new AppError('BAD_INPUT', {
    message: `job ${held.id} has no input`,
    hint: 'submit it with `input`; the platform drops an empty one, so put something into it',
  })
  host.reporter.log.error(error.message, held.id)
  await deliver(host, held, { json: toFailedResult(error, host.reporter.identity), streamed: false })
}

async function deliver(host: JobHost, held: HeldJob, outcome: JobOutcome): Promise<void> {
  if (!held.isReleased && !held.abort.signal.aborted) {
    const { json, streamed } = outcome
    const result = { jobId: held.id, requestId: randomUUID(), streamed, json }
    await reportResult(host.reporter, result, {
      isUnwanted: held.abort.signal,
      onSlow: () => host.jobs.setAside(held),
    })
  }
  host.jobs.release(held)
}

/** A function that stops at its abort may throw what it likes: nobody hears it. */
async function runGuarded(host: JobHost, job: TakenJob, scope: JobScope): Promise<JobOutcome> {
  try {
    return await host.runner.run(job, scope)
  } catch (cause) {
    const error = new AppError('INTERNAL', {
      message: `the worker failed at the job: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'look at the log of the worker',
    })
    host.reporter.log.error(cause instanceof Error ? (cause.stack ?? cause.message) : String(cause), job.id)
    return { json: toFailedResult(error, host.reporter.identity), streamed: false }
  }
}

/** Most jobs neither stream nor tell their progress, and pay nothing for it. */
function createScope(host: JobHost, held: HeldJob): { scope: JobScope; end(): Promise<void> } {
  const { reporter, environment } = host
  const { client, timeoutMs, clock, log } = reporter
  const { signal } = held.abort
  let chunks: ReturnType<typeof createChunks> | undefined
  let progress: ReturnType<typeof createProgress> | undefined
  let hasEnded = false
  const scope: JobScope = {
    signal,
    progress(json) {
      if (hasEnded || signal.aborted) return
      progress ??= createProgress({
        client,
        timeoutMs,
        clock,
        target: reporter.done(held.id, false),
        onLoss: (why) => log.warn(`progress was not accepted: ${why}`, held.id),
      })
      progress.say(json)
    },
    async chunk(json) {
      signal.throwIfAborted()
      if (hasEnded) throw afterEnd(held.id)
      const target = environment.stream?.(held.id) ?? null
      chunks ??= createChunks({ client, timeoutMs, clock, target, signal })
      await chunks.send(json)
    },
    log: (stream, line) => log.output(stream, line, held.id),
  }
  return {
    scope,
    async end() {
      hasEnded = true
      if (chunks) await chunks.settled()
      if (progress) await progress.end()
    },
  }
}

function afterEnd(jobId: string): AppError {
  return new AppError('RESULT_REFUSED', {
    message: `an item was yielded after job ${jobId} had ended`,
    hint: 'await what yields before the function returns',
  })
}
