import { type AppError, toWireError, writeFailure } from '@flash/protocol'

/** Who says that a job failed. */
export interface WorkerIdentity {
  hostname: string | undefined
  workerId: string
  version: string
}

/** The result of a job that failed before or after its function ran. */
export function toFailedResult(error: AppError, identity: WorkerIdentity): string {
  return JSON.stringify({ error: writeFailure(toWireError(error, { stack: false }), identity) })
}
