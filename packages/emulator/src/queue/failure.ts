import { AppError, type ErrorCode, toWireError, writeFailure } from '@flash/protocol'

/** The `error` of a job that the queue itself ended, written as workers write theirs. */
export function failureText(code: ErrorCode, message: string, hint: string): string {
  return writeFailure(toWireError(new AppError(code, { message, hint }), { stack: false }))
}
