import { AppError, type ErrorCode, errorCodes, RemoteError } from '@flash/protocol'

/** Told about errors that are not the caller's; may give an id under which the caller can ask for them. */
export type OnInternal = (error: unknown) => string | void

/** Makes an error for the caller of whatever was thrown: `INTERNAL` for what is not meant for anybody. */
export function createToError(onInternal?: OnInternal): (error: unknown) => AppError {
  return (error) => toKnown(error) ?? internal(error, onInternal?.(error))
}

/** An error that has a code of ours, whoever threw it. */
function toKnown(error: unknown): AppError | undefined {
  if (error instanceof AppError) return error
  if (!(error instanceof RemoteError) || !Object.hasOwn(errorCodes, error.code)) return undefined
  const { code, message, hint, data } = error
  return new AppError(code as ErrorCode, { message, hint, data, cause: error })
}

function internal(cause: unknown, requestId: string | void): AppError {
  return new AppError('INTERNAL', {
    message: `the call could not be handled${requestId ? ` (request ${requestId})` : ''}`,
    data: requestId ? { requestId } : undefined,
    cause,
  })
}
