import { AppError } from '@flash/protocol'
import type { RunningEndpoint } from '../endpoints/types.ts'
import { isRecord } from '../http/json.ts'
import type { Queue, Verdict } from '../queue/index.ts'

/** Whose job is reported, and by whom. */
export interface ReportPlace {
  workerId: string
  jobId: string
}

/**
 * A result, or a progress value, of a job.
 *
 * - throws `BAD_REQUEST` for one that cannot be accepted; one that comes too late is.
 */
export function reportDone(endpoint: RunningEndpoint, { workerId, jobId }: ReportPlace, body: unknown): void {
  if (!isRecord(body)) throw badReport('the body is no JSON object')
  const { queue } = endpoint
  if (body.status === 'IN_PROGRESS') return check(queue.progress(jobId, workerId, body.output ?? null), jobId)
  const verdict = complete(queue, { workerId, jobId }, body)
  check(verdict, jobId)
  if (body.stopPod === true && verdict === 'accepted') endpoint.refresh(workerId)
}

function complete(queue: Queue, { workerId, jobId }: ReportPlace, body: Record<string, unknown>): Verdict {
  const { output, error } = body
  if (!error) return queue.complete(jobId, workerId, { output: output ?? null })
  const text = typeof error === 'string' ? error : JSON.stringify(error)
  return queue.complete(jobId, workerId, output === undefined ? { error: text } : { error: text, output })
}

/** One item of a job's stream. */
export function reportItem(
  { queue }: RunningEndpoint,
  { workerId, jobId }: ReportPlace,
  body: unknown,
): void {
  if (!isRecord(body)) throw badReport('the body is no JSON object')
  check(queue.item(jobId, workerId, body.output ?? null), jobId)
}

const problems = {
  unknown: (jobId: string) => `there is no job ${jobId}`,
  foreign: (jobId: string) => `job ${jobId} is another worker's`,
  'too-large': (jobId: string) => `the item is too large, job ${jobId} has failed by it`,
} as const

function check(verdict: Verdict, jobId: string): void {
  // What was reported before, or after the job was stopped, changes nothing; a worker must not try it again.
  if (verdict === 'accepted' || verdict === 'late') return
  throw badReport(problems[verdict](jobId))
}

export function badReport(message: string): AppError {
  return new AppError('BAD_REQUEST', { message })
}
