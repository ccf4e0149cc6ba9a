import { queueLimits } from '@flash/protocol'
import { hasEnded, type JobRecord } from './jobs.ts'
import { failureText } from './failure.ts'
import { tellSubscribers } from './notify.ts'
import type { QueueState } from './state.ts'
import { append, createStream, trim } from './stream.ts'
import { end, requeue } from './transitions.ts'
import type { Completion, Verdict, WorkerLoss } from './types.ts'

/** A report counts only from the worker that holds the job, and only while it runs. */
function judge(state: QueueState, jobId: string, workerId: string): JobRecord | Exclude<Verdict, 'accepted'> {
  const job = state.jobs.get(jobId)
  if (!job) return 'unknown'
  if (job.state === 'IN_PROGRESS') return job.workerId === workerId ? job : 'foreign'
  return hasEnded(job) && job.workerId !== workerId ? 'foreign' : 'late'
}

export function reportProgress(state: QueueState, jobId: string, workerId: string, value: unknown): Verdict {
  const job = judge(state, jobId, workerId)
  if (typeof job === 'string') return job
  job.progress = { value }
  tellSubscribers(job, { type: 'progress', value })
  return 'accepted'
}

export function reportLog(state: QueueState, jobId: string, workerId: string, entry: unknown): Verdict {
  const job = judge(state, jobId, workerId)
  if (typeof job === 'string') return job
  tellSubscribers(job, { type: 'log', entry })
  return 'accepted'
}

export function reportItem(state: QueueState, jobId: string, workerId: string, item: unknown): Verdict {
  const job = judge(state, jobId, workerId)
  if (typeof job === 'string') return job
  const bytes = state.sizeOf(item)
  const { itemBytes, streamBytes } = state.limits
  if (bytes > itemBytes)
    return refuse(state, job, `an item of the stream has ${bytes} bytes, the limit is ${itemBytes}`)
  job.stream ??= createStream()
  const index = append(job.stream, item, bytes)
  if (job.listeners?.size) job.stream.seen = index + 1
  if (!trim(job.stream, streamBytes)) {
    return refuse(
      state,
      job,
      `${job.stream.bytes} bytes of the stream were read by nobody, the limit is ${streamBytes}`,
    )
  }
  tellSubscribers(job, { type: 'item', index, item })
  return 'accepted'
}

function refuse(state: QueueState, job: JobRecord, message: string): Verdict {
  end(state, job, {
    state: 'FAILED',
    error: failureText('PAYLOAD_TOO_LARGE', message, 'yield smaller items, or read the stream while it runs'),
    stop: 'too-large',
  })
  return 'too-large'
}

export function reportCompletion(
  state: QueueState,
  jobId: string,
  workerId: string,
  completion: Completion,
): Verdict {
  const job = judge(state, jobId, workerId)
  if (typeof job === 'string') return job
  const output = 'output' in completion ? { value: completion.output } : undefined
  if (completion.error === undefined) end(state, job, { state: 'COMPLETED', output })
  else end(state, job, { state: 'FAILED', output, error: completion.error })
  return 'accepted'
}

export function reportLoss(
  state: QueueState,
  workerId: string,
  { jobs: only, requeue: again = true, error }: WorkerLoss,
): string[] {
  // The line is served from the front, so the last one put there must be the oldest.
  const jobs = [...(state.held.get(workerId) ?? [])].filter((job) => !only || only.includes(job.id)).reverse()
  for (const job of jobs) {
    job.losses++
    if (again && job.losses <= queueLimits.losses) requeue(state, job, 'front')
    else end(state, job, { state: 'FAILED', error: error ?? lossText(job, workerId) })
  }
  return jobs.map((job) => job.id).reverse()
}

function lossText(job: JobRecord, workerId: string): string {
  const times = job.losses === 1 ? 'once' : `${job.losses} times`
  return failureText(
    'WORKER_LOST',
    `worker ${workerId} was lost while it ran the job; that happened ${times}`,
    'look at the log of the worker',
  )
}
