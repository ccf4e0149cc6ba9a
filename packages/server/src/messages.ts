import {
  AppError,
  FrameType,
  type JobStatus,
  type Message,
  openOutput,
  readFailure,
  toWireError,
  type WireError,
} from '@flash/protocol'

/** A job's state as a frame, without its result, which travels as a frame of its own. */
export function statusMessage(status: JobStatus): Message {
  return textMessage(FrameType.status, withoutResult(status))
}

export function withoutResult({ output: _output, error: _error, ...rest }: JobStatus): JobStatus {
  return rest
}

export function progressMessage(output: unknown): Message {
  return { type: FrameType.progress, ...openOutput(output) }
}

export function itemMessage(output: unknown): Message {
  return { type: FrameType.item, ...openOutput(output) }
}

/**
 * The last word of a job that has ended.
 *
 * - `streamed`: the result is the items that went before.
 */
export function lastMessage(endpoint: string, status: JobStatus, streamed: boolean): Message {
  if (status.status !== 'COMPLETED') return textMessage(FrameType.error, toJobError(endpoint, status))
  if (streamed) return emptyMessage(FrameType.end)
  return { type: FrameType.value, ...openOutput(status.output) }
}

/** What happened to the call, for its caller: without the causes, which may name places behind the route. */
export function errorMessage({ code, message, hint, data }: AppError): Message {
  return textMessage(
    FrameType.error,
    toWireError(new AppError(code, { message, hint, data }), { stack: false }),
  )
}

/** Nothing follows. */
export function isLast({ type }: Message): boolean {
  return type === FrameType.value || type === FrameType.error || type === FrameType.end
}

/** Why a job that ended did not complete, as an error on the wire. */
export function toJobError(endpoint: string, { status, error }: JobStatus): WireError {
  if (status === 'FAILED') return readFailure(error ?? '')
  if (status === 'CANCELLED') {
    return toWireError(new AppError('CANCELLED', { message: 'the job was cancelled' }), { stack: false })
  }
  const { message, hint } = error
    ? readFailure(error)
    : { message: 'the job ran longer than its execution timeout, or waited longer than its time to live' }
  const timeout = new AppError('TIMEOUT', {
    message: `endpoint "${endpoint}": ${message}`,
    hint: hint ?? 'raise executionTimeoutMs of the endpoint or of the call',
  })
  return toWireError(timeout, { stack: false })
}

/** A frame with plain JSON. */
export function textMessage(type: number, value: unknown): Message {
  return { type, rich: false, text: JSON.stringify(value), parts: [] }
}

export function emptyMessage(type: number): Message {
  return { type, rich: false, text: '', parts: [] }
}
