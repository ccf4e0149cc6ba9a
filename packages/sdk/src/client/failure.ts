import {
  AppError,
  decodeInline,
  fromWireError,
  type JobStatus,
  readFailure,
  RemoteError,
} from '@flash/protocol'

/** What callers get for an error of the product, with the same code. */
export function toRemoteError(error: unknown): unknown {
  if (!(error instanceof AppError)) return error
  const { code, message, hint, data, cause } = error
  return new RemoteError(code, message, { hint, data, cause })
}

/** Runs, and rejects with what callers understand. */
export async function told<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    throw toRemoteError(error)
  }
}

/** Why a job that has ended has no result. `about`: the job, as the beginning of a sentence. */
export function toJobError(about: string, { status, error }: JobStatus): RemoteError {
  if (status === 'FAILED') return toOwnError(error ?? '')
  if (status === 'CANCELLED') {
    return new RemoteError('CANCELLED', `${about} was cancelled`, {
      hint: 'run it again if it is still wanted',
    })
  }
  const reason = error
    ? readFailure(error).message
    : 'it ran longer than its execution timeout, or waited longer than its time to live'
  return new RemoteError('TIMEOUT', `${about} timed out: ${reason}`, {
    hint: 'raise executionTimeoutMs of the call or of the endpoint',
  })
}

/** What the worker said, whoever wrote it: its name, message and code. */
function toOwnError(text: string): RemoteError {
  const error = fromWireError(readFailure(text), decodeInline) as Error & Partial<RemoteError>
  if (error instanceof RemoteError) return error
  const { name, message, code, data, hint, cause, stack } = error
  const remote = new RemoteError(code ?? 'FUNCTION_FAILED', message, { data, hint, cause })
  return Object.assign(remote, { name, stack })
}
