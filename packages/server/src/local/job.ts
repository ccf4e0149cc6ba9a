import {
  AppError,
  FrameType,
  type JobStatus,
  type Message,
  readFailure,
  toWireError,
  type WireError,
} from '@flash/protocol'
import { type JobEvent, type LocalEndpoint, STREAMED } from '@flash/emulator'
import type { RpcJob } from '../backend.ts'

/** How long a job may wait in the queue before its deadline, beside the time it may run. */
const QUEUE_ALLOWANCE_MS = 600_000

/** A job of a local queue, as the browser wire tells it. */
export function toRpcJob(
  endpoint: LocalEndpoint,
  jobId: string,
  executionTimeoutMs: number,
  now: number,
): RpcJob {
  const { name, queue } = endpoint
  return {
    id: jobId,
    endpoint: name,
    deadline: now + executionTimeoutMs + QUEUE_ALLOWANCE_MS,
    listen(from, say) {
      const tell = (event: JobEvent) => {
        const message = toMessage(name, event)
        if (message) say(message)
      }
      return queue.subscribe(jobId, tell, from) ?? (() => {})
    },
    status: () => withoutOutput(queue.status(jobId)),
    cancel: () => void queue.cancel(jobId),
  }
}

/** The state of a job without its result, which travels as a frame of its own. */
function withoutOutput(status: JobStatus | undefined): JobStatus {
  const { output: _output, error: _error, ...rest } = status ?? ({ status: 'FAILED' } as JobStatus)
  return rest as JobStatus
}

function toMessage(endpoint: string, event: JobEvent): Message | null {
  switch (event.type) {
    case 'status':
      return isFinished(event.status) ? null : text(FrameType.status, withoutOutput(event.status))
    case 'progress':
    case 'item':
      return (event.type === 'item' ? event.item : event.value) as Message
    case 'log':
      return text(FrameType.log, event.entry)
    case 'end':
      return endMessage(endpoint, event.status)
  }
}

function isFinished({ status }: JobStatus): boolean {
  return status !== 'IN_QUEUE' && status !== 'IN_PROGRESS'
}

function endMessage(endpoint: string, status: JobStatus | undefined): Message {
  if (status?.status === 'COMPLETED') {
    return status.output === STREAMED
      ? { type: FrameType.end, rich: false, text: '', parts: [] }
      : (status.output as Message)
  }
  return text(FrameType.error, jobError(endpoint, status))
}

/** Why a job did not complete, as an error on the wire. */
export function jobError(endpoint: string, status: JobStatus | undefined): WireError {
  if (status?.status === 'FAILED') return readFailure(status.error ?? '')
  return toWireError(endError(endpoint, status), { stack: false })
}

function endError(endpoint: string, status: JobStatus | undefined): AppError {
  if (status?.status === 'CANCELLED') return new AppError('CANCELLED', { message: 'the job was cancelled' })
  if (status?.status === 'TIMED_OUT') {
    // The queue knows by which limit it ended the job.
    const { message, hint } = readFailure(status.error ?? '')
    return new AppError('TIMEOUT', { message: `endpoint "${endpoint}": ${message}`, hint })
  }
  return new AppError('JOB_NOT_FOUND', {
    message: 'the job is gone: its time to live ran out, or the queue was purged',
  })
}

function text(type: number, value: unknown): Message {
  return { type, rich: false, text: JSON.stringify(value), parts: [] }
}
