import {
  AppError,
  FrameType,
  isFinalState,
  type JobStatus,
  type Message,
  toWireError,
  type WireError,
} from '@flash/protocol'
import { type JobEvent, type LocalEndpoint, STREAMED } from '@flash/emulator'
import type { RpcJob } from '../backend.ts'
import { emptyMessage, statusMessage, textMessage, toJobError, withoutResult } from '../messages.ts'

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
    status: () => withoutResult(queue.status(jobId) ?? { id: jobId, status: 'FAILED' }),
    cancel: () => void queue.cancel(jobId),
  }
}

function toMessage(endpoint: string, event: JobEvent): Message | null {
  switch (event.type) {
    case 'status':
      return isFinalState(event.status.status) ? null : statusMessage(event.status)
    case 'progress':
    case 'item':
      return (event.type === 'item' ? event.item : event.value) as Message
    case 'log':
      return textMessage(FrameType.log, event.entry)
    case 'end':
      return endMessage(endpoint, event.status)
  }
}

function endMessage(endpoint: string, status: JobStatus | undefined): Message {
  if (status?.status === 'COMPLETED') {
    return status.output === STREAMED ? emptyMessage(FrameType.end) : (status.output as Message)
  }
  return textMessage(FrameType.error, jobError(endpoint, status))
}

/** Why a job did not complete, as an error on the wire. */
export function jobError(endpoint: string, status: JobStatus | undefined): WireError {
  if (status) return toJobError(endpoint, status)
  const gone = new AppError('JOB_NOT_FOUND', {
    message: 'the job is gone: its time to live ran out, or the queue was purged',
  })
  return toWireError(gone, { stack: false })
}
