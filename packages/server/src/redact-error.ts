import { randomUUID } from 'node:crypto'
import {
  AppError,
  decodeInline,
  type ErrorCode,
  errorCodes,
  FrameType,
  fromWireError,
  type JobStatus,
  type Message,
  RemoteError,
  toWireError,
  type WireError,
} from '@flash/protocol'
import { forgetOldest } from './forget-oldest.ts'
import { textMessage } from './messages.ts'

/** Told about every error that a browser does not get to see, with the id that it gets instead. */
export type OnError = (error: unknown, requestId: string) => void

/** What a browser may know of what went wrong behind the route. */
export interface ErrorFilter {
  /** Logs an error whole; gives the id under which it is found. */
  report(error: unknown): string
  /** An error of ours to answer with instead of whatever the backend threw. */
  toPublic(error: unknown): AppError
  /** What a route of a load-balanced endpoint threw, as a browser may see it. */
  thrown(wire: WireError): WireError
  /** A job's message as a browser may see it, nothing when it is not meant for one. */
  message(message: Message, job: string): Message | null
}

/**
 * Codes of ours about the call itself, in words of our own: what queues, workers and gateways say may hold names,
 * addresses and secrets. Only a `BAD_INPUT` is told whole, which is about what the caller sent.
 */
const told = new Map<string, string>([
  ['CANCELLED', 'the job was cancelled'],
  ['JOB_NOT_FOUND', 'the job is not known here any more'],
  ['PAYLOAD_TOO_LARGE', 'the call or its result is too large'],
  ['TIMEOUT', 'the call did not finish in time and was cancelled'],
] satisfies [ErrorCode, string][])

/** Codes of ours about what lies behind the route: the code is told, with words of our own, for theirs may hold addresses and names. */
const named = new Map<string, string>([
  ['BAD_RESULT', 'An answer could not be decoded; usually the two sides were built with different versions.'],
  ['CIRCUIT_OPEN', 'An address failed several times in a row, so nothing is sent to it for a while.'],
  ['CONNECTION_LOST', 'The connection to a load-balanced endpoint broke before its answer was complete.'],
  [
    'ENDPOINT_NOT_DEPLOYED',
    'The endpoint has no address: nothing was found that runs it, and it is not deployed.',
  ],
  ['NO_WORKERS', 'No worker of a load-balanced endpoint was healthy as long as a request may wait.'],
  [
    'RETRIES_EXHAUSTED',
    'A call was tried several times, and each time nobody received it; `data` has the tries.',
  ],
  ['STREAM_LOST', 'The connection broke and the stream cannot be continued where it stopped.'],
  [
    'SUBMIT_UNKNOWN',
    'The connection broke before the call was accepted; it may or may not run, and is not sent again.',
  ],
  ['TRANSPORT', 'The answer did not come from our route: a proxy, another server or a page is in between.'],
  ['WORKER_LOST', 'The worker that ran the job disappeared; the job was tried again as often as allowed.'],
] satisfies [ErrorCode, string][])

/** Failures that are remembered, so that a job that is read twice is logged once. */
const rememberedJobs = 1_000

export function createErrorFilter(onError: OnError = logError): ErrorFilter {
  const requestIds = new Map<string, string>()
  const report = (error: unknown) => {
    const requestId = randomUUID()
    try {
      onError(error, requestId)
    } catch (failure) {
      // Whoever logs must not break the call, nor lose what was to be logged.
      logError(error, requestId)
      logError(failure, requestId)
    }
    return requestId
  }
  const reportOnce = (error: unknown, job: string) => {
    const known = requestIds.get(job)
    if (known) return known
    const requestId = report(error)
    requestIds.set(job, requestId)
    forgetOldest(requestIds, rememberedJobs)
    return requestId
  }
  return {
    report,
    toPublic: (error) => toPublicError(error, report),
    thrown: (wire) =>
      publicWire(wire) ?? hiddenWire(wire.name, wire.code, report(fromWireError(wire, decodeInline))),
    message(message, job) {
      if (message.type === FrameType.log) return null
      if (message.type === FrameType.status)
        return textMessage(message.type, publicStatus(JSON.parse(message.text)))
      if (message.type !== FrameType.error) return message
      const wire = readWire(message)
      const { name, code } = wire
      const shown =
        publicWire(wire) ?? hiddenWire(name, code, reportOnce(fromWireError(wire, decodeInline), job))
      return textMessage(message.type, shown)
    },
  }
}

function logError(error: unknown, requestId: string): void {
  console.error(`[flash] request ${requestId} failed:`, error)
}

function toPublicError(error: unknown, report: (error: unknown) => string): AppError {
  const isOurs = error instanceof AppError || error instanceof RemoteError
  const wire = isOurs ? publicWire(toWireError(error, { stack: false })) : undefined
  // An answer that is no frame has the status of its code, so that has to be one of ours.
  if (wire && Object.hasOwn(errorCodes, wire.code!)) {
    const { message, hint, data } = wire
    return sizeError(error as AppError) ?? new AppError(wire.code as ErrorCode, { message, hint, data })
  }
  const requestId = report(error)
  const name = isOurs ? 'RemoteError' : undefined
  const hidden = hiddenWire(name, isOurs ? error.code : undefined, requestId)
  return new AppError(hidden.code as ErrorCode, { message: hidden.message, data: hidden.data })
}

/** Which sizes did not fit is known here, before anything is sent. */
function sizeError({ code, data }: AppError): AppError | undefined {
  const { size, limit } = (data ?? {}) as { size?: unknown; limit?: unknown }
  if (code !== 'PAYLOAD_TOO_LARGE' || typeof size !== 'number' || typeof limit !== 'number') return undefined
  return new AppError(code, {
    message: `the call has ${size} bytes as it is sent, ${limit} are allowed`,
    hint: 'send less in one call',
    data: { size, limit },
  })
}

/** What the author meant for the caller, or says something about the call; nothing when it is neither. */
function publicWire({ name, code, message, hint, data, rich, cause }: WireError): WireError | undefined {
  if (name !== 'RemoteError' || typeof code !== 'string') return undefined
  const own = told.get(code)
  if (own !== undefined) return { name, code, message: own }
  if (Object.hasOwn(errorCodes, code) && code !== 'BAD_INPUT') return undefined
  return { name, code, message, hint, data, rich, cause: cause && publicWire(cause) }
}

function hiddenWire(name: string | undefined, code: string | undefined, requestId: string): WireError {
  const known = name === 'RemoteError' && code !== undefined ? named.get(code) : undefined
  const message = known ?? 'Something failed on the server.'
  return {
    name: 'RemoteError',
    code: known === undefined ? 'INTERNAL' : code,
    message: `${message} (request ${requestId})`,
    data: { requestId },
  }
}

/** A job without the names that the platform has for it and for its worker. */
export function publicStatus({
  status,
  delayTime,
  executionTime,
}: JobStatus): Pick<JobStatus, 'status' | 'delayTime' | 'executionTime'> {
  return { status, delayTime, executionTime }
}

function readWire({ rich, text }: Message): WireError {
  try {
    const wire: unknown = rich ? undefined : JSON.parse(text)
    if (typeof wire === 'object' && wire !== null) return wire as WireError
  } catch {
    // Told below, as whatever else is no error.
  }
  return { name: 'Error', message: `the worker sent an error that cannot be read: ${text.slice(0, 1_000)}` }
}
