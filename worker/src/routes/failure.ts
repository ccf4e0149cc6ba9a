import {
  AppError,
  type ErrorCode,
  errorCodes,
  RemoteError,
  RESULT_HEADER,
  toWireError,
} from '@flash/protocol'

/** An error for whoever sent the request. */
export interface Failure {
  status: number
  code: string
  message: string
  hint?: string
  data?: unknown
}

/**
 * What of an error the caller hears: all of what its author or the product says on purpose, and of others only that there
 * was one.
 *
 * - `requestId`: the one that the log has.
 */
export function toFailure(error: unknown, requestId?: string): Failure {
  if (!isTold(error)) {
    const request = requestId === undefined ? 'the request' : `request ${requestId}`
    const message = `the handler failed at ${request}; the log where it runs says why`
    return { status: errorCodes.INTERNAL.status, code: 'INTERNAL', message }
  }
  const { code = 'INTERNAL', message, hint, data } = toWireError(error, { stack: false })
  return { status: statusOf(code, isOurs(error)), code, message, hint, data }
}

/** Whether it belongs into the log of the worker; what is about the request is for its caller alone. */
export function isWorkersFault(error: unknown): boolean {
  return toFailure(error).status >= 500
}

function isTold(error: unknown): boolean {
  return isOurs(error) || isNamed(error, RemoteError, 'RemoteError')
}

/** JSON `{ code, message, hint, data }`. */
export function toFailureResponse(error: unknown, requestId?: string): Response {
  const { status, ...body } = toFailure(error, requestId)
  return Response.json(body, { status, headers: { 'cache-control': 'no-store', [RESULT_HEADER]: 'error' } })
}

/** What an author throws is about the request, unless it is passed on from another call. */
function statusOf(code: string, ours: boolean): number {
  if (code === 'RESERVED_PATH') return 404
  const known = Object.hasOwn(errorCodes, code) ? errorCodes[code as ErrorCode].status : undefined
  return known ?? (ours ? 500 : 400)
}

function isOurs(error: unknown): boolean {
  return isNamed(error, AppError, 'AppError')
}

/** By name too: the modules of a worker may have another copy of the class. */
function isNamed(error: unknown, Class: new (...args: never[]) => Error, name: string): boolean {
  if (error instanceof Class) return true
  for (let at: unknown = error; at instanceof Error; at = Object.getPrototypeOf(at))
    if (at.constructor?.name === name && typeof (error as AppError).code === 'string') return true
  return false
}
