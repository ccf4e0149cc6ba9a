import { type Clock, systemClock, type TakenJob, workerVariables } from '@flash/protocol'
import { contextStorage, createContext, createLog, type FunctionContext } from '../execute/context.ts'
import { createCrashGuard, type CrashGuard } from '../execute/crash.ts'
import { isGenerator } from '../execute/definition.ts'
import { runFunction } from '../execute/function.ts'
import type { JobOutput, OpenJob } from '../execute/job-output.ts'
import { createReports } from '../execute/report.ts'
import { createCall, followSignal, type RunningCall } from '../local/session.ts'
import type { JobOutcome, JobRunner, JobScope } from '../queue/types.ts'
import { version } from '../version.ts'
import { type ErrorSource, toErrorText, toItem, toResult, toStreamErrorText } from './result.ts'
import type { HandlerOptions, Job } from './types.ts'

export interface HandlerHost {
  env: Record<string, string | undefined>
  output: JobOutput
  clock?: Clock
}

export interface HandlerRunner extends JobRunner {
  broken: AbortSignal
  /** Fails all jobs for an error that nobody caught, and lets the worker leave. */
  crash(error: unknown): void
}

const GRACE_MS = 1_000

/** Runs jobs with a handler that somebody wrote for the platform. */
export function createHandlerRunner(options: HandlerOptions, host: HandlerHost): HandlerRunner {
  const { concurrencyModifier, fitness = {} } = options
  const { guard, crash, signal: broken } = createCrashGuard()
  return {
    broken,
    crash,
    run: (job, scope) => runJob(options, host, job, scope, guard),
    async concurrency(current) {
      const wanted = await concurrencyModifier?.(current)
      return wanted !== undefined && Number.isSafeInteger(wanted) && wanted >= 1 ? wanted : current
    },
    async prepare() {
      for (const [name, check] of Object.entries(fitness)) await runCheck(name, check)
    },
    async close() {},
  }
}

/** What a check throws, with its name. */
async function runCheck(check: string, run: () => unknown): Promise<void> {
  try {
    await run()
  } catch (cause) {
    const { name, message } = cause instanceof Error ? cause : new Error(String(cause))
    throw Object.assign(new Error(message, { cause }), { name, check })
  }
}

/** One job while it runs. */
interface Run {
  options: HandlerOptions
  scope: JobScope
  call: RunningCall
  source: ErrorSource
  /** The worker leaves afterwards. */
  refresh: boolean
  streamed: boolean
}

async function runJob(
  options: HandlerOptions,
  { env, output, clock = systemClock }: HandlerHost,
  job: TakenJob,
  scope: JobScope,
  guard: CrashGuard['guard'],
): Promise<JobOutcome> {
  const call = createCall(0, clock, GRACE_MS)
  const unlink = followSignal(scope.signal, call)
  const lines = output.open((stream, line) => scope.log(stream, line))
  const refresh = options.refreshWorker === true
  const run: Run = {
    options,
    scope,
    call,
    source: sourceOf(env),
    refresh,
    streamed: isGenerator(options.handler),
  }
  const context = createHandlerContext(run, job, env, lines)
  lines.own(context)
  call.context = context
  try {
    const answered = contextStorage().run(context, () => answer(run, job, context))
    return finish(run, await guard(Promise.race([answered, call.abandoned])))
  } catch (error) {
    return finish(run, JSON.stringify({ error: toErrorText(error, run.source) }))
  } finally {
    lines.end()
    unlink()
  }
}

/** JSON text of the result. */
async function answer(run: Run, job: TakenJob, context: FunctionContext): Promise<string> {
  const { options, source, call, scope } = run
  const items: string[] = []
  const onItem = async (value: unknown) => {
    run.streamed = true
    const item = await toItem(value, source)
    if ('error' in item) throw new StreamEnd(item.error)
    if (options.returnAggregateStream) items.push(item.json)
    await scope.chunk(`{"output":${item.json}}`)
  }
  try {
    const result = await runFunction(() => options.handler(job as Job, context), {
      signal: call.signal,
      onItem,
    })
    if (result.kind === 'value') return JSON.stringify(await toResult(result.value, source))
    run.streamed = true
    return `{"output":[${items.join(',')}]}`
  } catch (error) {
    if (error instanceof StreamEnd) return JSON.stringify({ error: error.message })
    if (run.streamed) return JSON.stringify({ error: toStreamErrorText(error) })
    throw error
  }
}

/** A generator yielded an error: nothing behind it is asked for. */
class StreamEnd extends Error {}

function finish({ refresh, streamed }: Run, json: string): JobOutcome {
  if (!refresh) return { json, streamed }
  return { json: JSON.stringify({ ...JSON.parse(json), stopPod: true }), streamed, leave: true }
}

function createHandlerContext(
  run: Run,
  { id: jobId }: TakenJob,
  env: HandlerHost['env'],
  lines: OpenJob,
): FunctionContext {
  const { progress } = createReports({
    foreign: true,
    send: (_, { text }) => run.scope.progress(text),
    onError: (error) => lines.write('stderr', `progress cannot be told: ${String(error)}\n`),
  })
  return createContext({
    signal: run.call.signal,
    jobId,
    attempt: 1,
    deadline: null,
    endpoint: env[workerVariables.endpoint] ?? '',
    log: createLog((text) => lines.write('stdout', text)),
    progress,
    idempotencyKey: undefined,
    refreshWorker: () => void (run.refresh = true),
    model: undefined,
  })
}

function sourceOf(env: HandlerHost['env']): ErrorSource {
  return {
    hostname: env[workerVariables.hostname] || 'unknown',
    workerId: env[workerVariables.worker] || 'unknown',
    version,
  }
}
