import type { Clock } from '@flash/protocol'
import { type Backoff, createBackoff, pause, unlessAborted } from './backoff.ts'
import type { Answer, Client } from './client.ts'
import type { QueueEnvironment } from './environment.ts'
import type { Jobs } from './jobs.ts'
import type { Log } from './log.ts'
import { parseJobs } from './parse-jobs.ts'
import type { JobRunner } from './types.ts'

export interface TakeOptions {
  client: Client
  clock: Clock
  environment: QueueEnvironment
  runner: Pick<JobRunner, 'concurrency'>
  jobs: Jobs
  log: Log
  /** A take that is held longer by the server is asked again. */
  timeoutMs: number
  /** No more jobs are taken. */
  leaving: AbortSignal
  /** A job without an input. */
  onEmpty(id: string): void
}

/** An answer that took less was not held by the server. */
const heldMs = 500

const busyMs = 5_000

/** One job and its envelope; the platform's own limit for an input is below it. All of them have to fit into a string. */
const jobLimitBytes = 64_000_000
const answerLimitBytes = 500_000_000

/** Takes jobs as long as there is room for them, until it has to leave. Never rejects. */
export async function takeJobs(options: TakeOptions): Promise<void> {
  const taker = createTaker(options)
  const { clock, jobs, leaving } = options
  while (!leaving.aborted) {
    const free = await taker.findFree()
    if (leaving.aborted) return
    if (free > 0) await pause(clock, await taker.takeOnce(free), leaving)
    else await jobs.changed()
  }
}

function createTaker(options: TakeOptions) {
  const { client, clock, environment, jobs, log, timeoutMs, leaving } = options
  const quick = createBackoff({ firstMs: 20, mostMs: 1_000 })
  const failing = createBackoff({ firstMs: 500, mostMs: 30_000 })
  const asked = createConcurrency(options)
  return {
    async findFree() {
      jobs.setConcurrency(await asked())
      return jobs.free()
    },
    /** Resolves to how long to wait before the next one. */
    async takeOnce(free: number): Promise<number> {
      const count = environment.givesBatches ? free : 1
      const since = clock.now()
      let answer: Answer
      try {
        answer = await client.send({
          target: environment.take(count, jobs.count > 0),
          timeoutMs,
          limitBytes: Math.min(jobLimitBytes * count, answerLimitBytes),
          leave: leaving,
        })
      } catch (error) {
        // A server that holds longer than we wait is well.
        if (leaving.aborted || clock.now() - since >= timeoutMs) return 0
        log.warn(`no job could be taken: ${(error as Error).message}`)
        return failing.next()
      }
      if (answer.status >= 300 && answer.status !== 400) return refuse(answer, log, failing)
      failing.reset()
      const found = answer.status === 200 && acceptJobs(answer, options)
      if (!found && clock.now() - since < heldMs) return quick.next()
      quick.reset()
      return 0
    },
  }
}

function refuse({ status, retryAfterMs }: Answer, log: Log, failing: Backoff): number {
  if (status === 429) return retryAfterMs ?? busyMs
  const hint = status >= 500 ? '' : '; look at the variables of this worker, its key among them'
  log.error(`no job could be taken: status ${status}${hint}`)
  return Math.max(failing.next(), retryAfterMs ?? 0)
}

/** Returns whether there were any. */
function acceptJobs(answer: Answer, { jobs, log, onEmpty }: TakeOptions): boolean {
  const { jobs: taken, empty, problems } = parseJobs(answer)
  for (const problem of problems) log.error(problem)
  const fresh = new Map<string, (typeof taken)[number]>()
  for (const job of taken) {
    if (jobs.has(job.id) || fresh.has(job.id)) log.warn('the job was given out twice, and runs once', job.id)
    else fresh.set(job.id, job)
  }
  const failed = new Set(empty.filter((id) => !jobs.has(id) && !fresh.has(id)))
  for (const id of failed) onEmpty(id)
  if (fresh.size > 0) jobs.add([...fresh.values()])
  return fresh.size > 0 || failed.size > 0
}

/** Asks the runner how many jobs may run, and keeps the last number when what it says is none. */
function createConcurrency({ runner, log, leaving }: TakeOptions): () => Promise<number> {
  let current = 1
  const refuse = (what: string) => {
    log.error(`the number of concurrent jobs stays at ${current}: ${what}`)
    return current
  }
  return async () => {
    try {
      const said = runner.concurrency(current)
      const next = typeof said === 'number' ? said : ((await unlessAborted(said, leaving)) ?? current)
      current = Number.isInteger(next) && next >= 1 ? next : refuse(`${next} is no whole number above 0`)
    } catch (error) {
      refuse(error instanceof Error ? error.message : String(error))
    }
    return current
  }
}
