import { type Clock, systemClock } from '@flash/protocol'
import { pause, unlessAborted } from './backoff.ts'
import type { Env } from './environment.ts'
import { type Heartbeat, reportUnhealthy, startHeartbeat } from './heartbeat.ts'
import {
  createSession,
  defaultTimings,
  postEarlier,
  refuseEmpty,
  type Session,
  type Timings,
} from './session.ts'
import { watchStops } from './stop.ts'
import { takeJobs } from './take-job.ts'
import type { JobRunner } from './types.ts'

export interface QueueOptions {
  env: Env
  runner: JobRunner
  /** What the platform shows as the version of the worker. */
  version: string
  clock?: Clock
  /** Where results lie that were not accepted yet; a folder of the endpoint and worker below the temporary one when omitted. */
  spoolFolder?: string
  /** Takes the lines of the log; they go to stdout when omitted. */
  write?(line: string): void
  /** Calls the listener for each signal to end; returns how to stop. SIGTERM and SIGINT of this process when omitted. */
  onSignal?(listener: () => void): () => void
  timings?: Partial<Timings>
}

/**
 * Serves the queue of one endpoint: takes jobs, runs them, and reports what becomes of them, until a signal comes or a job
 * asks for a fresh worker.
 *
 * - the first signal lets running jobs end, a second one, or `shutdownMs`, aborts them.
 * - resolves to the exit code: 0 when all that was taken is reported, 1 when jobs were aborted, or the runner could not
 *   prepare itself or is broken.
 * - rejects with `BAD_ENVIRONMENT`.
 */
export async function serveQueue(options: QueueOptions): Promise<number> {
  const { write = (line) => void process.stdout.write(line), onSignal = onProcessSignal } = options
  const session = createSession({
    ...options,
    clock: options.clock ?? systemClock,
    write,
    timings: { ...defaultTimings, ...options.timings },
  })
  // Timers of the clock let a process end, and without a job there may be nothing else.
  const hold = setInterval(() => {}, 2 ** 30)
  const ignore = onSignal(() => onEnd(session))
  const { broken } = options.runner
  broken?.addEventListener('abort', session.leave)
  if (broken?.aborted) session.leave()
  try {
    const code = await run(session)
    await closeRunner(session)
    return code
  } finally {
    ignore()
    broken?.removeEventListener('abort', session.leave)
    clearInterval(hold)
    session.close()
  }
}

function onProcessSignal(listener: () => void): () => void {
  const signals = ['SIGTERM', 'SIGINT'] as const
  for (const signal of signals) process.on(signal, listener)
  return () => {
    for (const signal of signals) process.off(signal, listener)
  }
}

function onEnd(session: Session): void {
  const { leaving, halted, log, clock, timings, jobs } = session
  if (halted.aborted) return
  if (leaving.aborted) return session.halt()
  log.info(`no more jobs are taken; ${jobs.count} run to their end`)
  session.leave()
  const withdraw = clock.after(timings.shutdownMs, session.halt)
  halted.addEventListener('abort', withdraw)
}

async function run(session: Session): Promise<number> {
  const { environment, log, version, leaving, halted, client } = session
  log.info(`--- Starting Serverless Worker |  Version ${version} ---`)
  const earlier = postEarlier(session)
  const failure = await prepare(session)
  if (failure) {
    log.error(`Fitness check failed: ${failure.check} | ${failure.reason}`)
    if (environment.ping) await reportUnhealthy(client, environment.ping, version, failure)
    return 1
  }
  await earlier
  // The first take goes out first; the rest is here before its answer.
  const taking = leaving.aborted ? undefined : take(session)
  const heartbeat = startBeating(session)
  const ended = new AbortController()
  const watching = watch(session, ended.signal)
  try {
    await taking
    while (session.jobs.count > 0) await session.jobs.changed()
  } finally {
    ended.abort()
    await watching
    await heartbeat?.close()
  }
  return halted.aborted || session.runner.broken?.aborted ? 1 : 0
}

/** Returns what is wrong with this worker. */
async function prepare({ runner, leaving }: Session): Promise<{ check: string; reason: string } | null> {
  try {
    await unlessAborted(Promise.resolve(runner.prepare?.()), leaving)
    return null
  } catch (error) {
    const { check } = Object(error) as { check?: unknown }
    const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    return { check: typeof check === 'string' ? check : 'prepare', reason }
  }
}

function startBeating(session: Session): Heartbeat | undefined {
  const { environment, jobs, clock, log, version, userAgent } = session
  const { ping, authorization } = environment
  if (!ping || authorization === undefined) return undefined
  const heartbeat = startHeartbeat({ ping, authorization, userAgent, version, clock, log })
  let isDue = false
  session.onChange = (isNew) => {
    if (isNew) return heartbeat.tell(jobs.ids)
    if (isDue) return
    // Jobs end faster than anybody asks for them.
    isDue = true
    setImmediate(() => {
      isDue = false
      heartbeat.tell(jobs.ids)
    })
  }
  session.onChange(true)
  return heartbeat
}

async function watch({ environment, log, client, clock, jobs, timings }: Session, signal: AbortSignal) {
  const { stop } = environment
  if (stop) return watchStops({ client, clock, target: stop, jobs, log, timeoutMs: timings.holdMs, signal })
  log.warn('the address of the queue has no /job-take/, so jobs cannot be stopped from outside')
}

function take(session: Session): Promise<void> {
  return takeJobs({
    ...session,
    timeoutMs: session.timings.holdMs,
    onEmpty: (jobId) => refuseEmpty(session, jobId),
  })
}

async function closeRunner({ runner, clock, timings, log }: Session): Promise<void> {
  const enough = new AbortController()
  try {
    await Promise.race([runner.close(), pause(clock, timings.closeMs, enough.signal)])
  } catch (error) {
    log.error(`the worker did not end well: ${error instanceof Error ? error.message : String(error)}`)
  } finally {
    enough.abort()
  }
}
