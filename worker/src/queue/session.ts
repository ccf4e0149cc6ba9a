import { AppError, type Clock } from '@flash/protocol'
import { type Client, createClient } from './client.ts'
import { type Env, parseEnvironment, type QueueEnvironment } from './environment.ts'
import { createJobs, type Jobs } from './jobs.ts'
import { createLog, type Log } from './log.ts'
import { type Reporter, reportResult } from './report.ts'
import { failEmpty, type JobHost, runJob } from './run-job.ts'
import { createSpool, defaultSpoolFolder } from './spool.ts'
import type { JobRunner } from './types.ts'

/** How long things may take, in milliseconds. */
export interface Timings {
  /** A take, or a question for jobs to stop, before it is asked again. */
  holdMs: number
  /** A report. */
  postMs: number
  /** How long the answer to a take is waited for that was taken back. */
  leaveMs: number
  /** A function after its abort. */
  graceMs: number
  /** Running jobs after the first signal. */
  shutdownMs: number
  /** The runner's own end. */
  closeMs: number
}

export const defaultTimings: Timings = {
  holdMs: 90_000,
  postMs: 60_000,
  leaveMs: 1_000,
  graceMs: 5_000,
  shutdownMs: 600_000,
  closeMs: 10_000,
}

export interface SessionOptions {
  env: Env
  runner: JobRunner
  version: string
  clock: Clock
  spoolFolder?: string
  write(line: string): void
  timings: Timings
}

/** What the parts of a worker that serves a queue share. */
export interface Session {
  environment: QueueEnvironment
  runner: JobRunner
  clock: Clock
  timings: Timings
  version: string
  userAgent: string
  client: Client
  log: Log
  jobs: Jobs
  host: JobHost
  /** No more jobs are taken. */
  leaving: AbortSignal
  leave(): void
  /** Jobs are aborted, and nothing is posted any more. */
  halted: AbortSignal
  halt(): void
  /** Told when the ids of the jobs have become others. */
  onChange(isNew: boolean): void
  close(): void
}

/** - throws `BAD_ENVIRONMENT`. */
export function createSession(options: SessionOptions): Session {
  const { env, runner, version, clock, timings, write } = options
  const environment = parseEnvironment(env)
  const { authorization, endpointId } = environment
  const userAgent = `unplugin-flash/${version} node/${process.versions.node}`
  const leaving = new AbortController()
  const halted = new AbortController()
  const log = createLog({ env, endpointId, secrets: authorization ? [authorization] : [], write })
  const client = createClient({ clock, authorization, userAgent, leaveMs: timings.leaveMs })
  const jobs = createJobs({
    clock,
    graceMs: timings.graceMs,
    run: (job, held) => void runJob(session.host, job, held),
    onChange: (isNew) => session.onChange(isNew),
  })
  const leave = () => {
    leaving.abort()
    jobs.wake()
  }
  const reporter = createReporter(options, environment, { client, log, halt: halted.signal })
  const session: Session = {
    environment,
    runner,
    clock,
    timings,
    version,
    userAgent,
    client,
    log,
    jobs,
    host: { runner, reporter, jobs, environment, leave },
    leaving: leaving.signal,
    leave,
    halted: halted.signal,
    halt: () => halt(halted, session),
    onChange() {},
    close() {
      halted.abort()
      client.close()
    },
  }
  return session
}

function createReporter(
  { version, clock, timings, spoolFolder }: SessionOptions,
  { endpointId, workerId, hostname, done }: QueueEnvironment,
  shared: Pick<Reporter, 'client' | 'log' | 'halt'>,
): Reporter {
  const spool = createSpool(spoolFolder ?? defaultSpoolFolder(endpointId, workerId), {
    complain: shared.log.error,
    now: clock.now,
  })
  const identity = { hostname, workerId, version }
  return { ...shared, timeoutMs: timings.postMs, clock, done, spool, identity }
}

function halt(halted: AbortController, { jobs, client, leave, log }: Session): void {
  // Before the jobs, so that what waits to be posted stays on disk.
  halted.abort()
  leave()
  log.warn(`${jobs.count} jobs are aborted: the worker ends`)
  jobs.stop([...jobs.ids], new AppError('WORKER_LOST', { message: 'the worker ends before the job does' }))
  client.close()
}

/** Posts what an earlier process of this worker could not, beside everything else. */
export async function postEarlier({ host, jobs, log }: Session): Promise<void> {
  for (const result of await host.reporter.spool.load()) {
    const held = jobs.addResult(result.jobId, true)
    log.info('a result that an earlier process kept is posted', result.jobId)
    void reportResult(host.reporter, result, {
      isUnwanted: held.abort.signal,
      onSlow() {},
      isKept: true,
    }).then(() => jobs.release(held))
  }
}

/** A job that came without an input. Like any other it keeps the next from being taken until its result is posted. */
export function refuseEmpty({ host, jobs }: Session, jobId: string): void {
  void failEmpty(host, jobs.addResult(jobId, false))
}
