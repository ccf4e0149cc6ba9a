import {
  AppError,
  type ErrorCode,
  errorCodes,
  fromWireError,
  type SourcePosition,
  type WireError,
} from '@flash/protocol'

/** What a worker says of its own code before any request: an error of ours with its place, which the worker puts into the data. */
export function toAppError({ code = '', message, hint, data, cause }: WireError): AppError {
  const known = Object.hasOwn(errorCodes, code) ? (code as ErrorCode) : 'SETUP_FAILED'
  const place = (typeof data === 'object' && data !== null ? data : {}) as {
    at?: SourcePosition
    frame?: string
  }
  return new AppError(known, {
    message,
    hint,
    data,
    at: place.at,
    frame: place.frame,
    cause: cause && fromWireError(cause),
  })
}
