import { AppError, type Clock, type JobId } from '@flash/protocol'
import { createBackoff, pause } from './backoff.ts'
import type { Answer, Client } from './client.ts'
import type { Target } from './environment.ts'
import type { Jobs } from './jobs.ts'
import type { Log } from './log.ts'

export interface StopOptions {
  client: Client
  clock: Clock
  target: Target
  jobs: Pick<Jobs, 'stop'>
  log: Log
  timeoutMs: number
  /** Ends the watching. */
  signal: AbortSignal
}

const idleMs = 1_000
const busyMs = 5_000
const limitBytes = 4_000_000

/**
 * Asks which jobs have to stop, and stops them, until the signal aborts. Never rejects.
 *
 * Source: runpod-python 1.12, serverless worker, since 1.10.
 */
export async function watchStops(options: StopOptions): Promise<void> {
  const { client, clock, target, log, timeoutMs, signal } = options
  const failing = createBackoff({ firstMs: idleMs, mostMs: 30_000 })
  let lastTrouble = ''
  // A route that is not there is said once, not each second.
  const complain = (trouble: string) => {
    if (trouble !== lastTrouble) log.warn(`jobs to stop could not be asked for: ${trouble}`)
    lastTrouble = trouble
    return failing.next()
  }
  while (!signal.aborted) {
    const since = clock.now()
    let waitMs = 0
    try {
      const answer = await client.send({ target, timeoutMs, limitBytes, signal })
      const trouble = findTrouble(answer)
      if (trouble) {
        waitMs = answer.status === 429 ? (answer.retryAfterMs ?? busyMs) : complain(trouble)
      } else {
        failing.reset()
        lastTrouble = ''
        waitMs = stopListed(answer, options) > 0 ? 0 : idleMs
      }
    } catch (error) {
      // A server that holds longer than we wait is well.
      if (!signal.aborted && clock.now() - since < timeoutMs) waitMs = complain((error as Error).message)
    }
    await pause(clock, waitMs, signal)
  }
}

function findTrouble(answer: Answer): string | null {
  const { status } = answer
  if (status === 204) return null
  if (status !== 200) return `status ${status}`
  return readIds(answer) ? null : 'the answer is no list of jobs'
}

/** Returns how many of them are here. */
function stopListed(answer: Answer, { jobs, log }: StopOptions): number {
  const ids = (answer.status === 200 && readIds(answer)) || []
  let count = 0
  for (const id of ids) {
    const reason = new AppError('CANCELLED', {
      message: `job ${id} was cancelled, or its time is over`,
    })
    if (jobs.stop([id], reason) === 0) continue
    log.info('the job was stopped by the platform', id)
    count++
  }
  return count
}

function readIds({ type, text }: Answer): JobId[] | null {
  if (type !== 'application/json') return null
  try {
    const { jobsToStop } = JSON.parse(text) as { jobsToStop: unknown }
    return Array.isArray(jobsToStop) ? jobsToStop.filter((id) => typeof id === 'string') : null
  } catch {
    return null
  }
}
