import { AppError, type ErrorCode } from '@flash/protocol'
import type { RpcJob } from '../backend.ts'

/** An endpoint that says one of these does not have the job. */
const notThere: readonly ErrorCode[] = ['ENDPOINT_NOT_DEPLOYED', 'JOB_NOT_FOUND']

/**
 * The job of whichever endpoint has it; `null` when none does.
 *
 * - throws what hindered an endpoint from saying so: the job may be there.
 */
export async function findJob(
  endpoints: readonly string[],
  look: (endpoint: string) => Promise<RpcJob | null>,
): Promise<RpcJob | null> {
  try {
    return await Promise.any(endpoints.map(async (endpoint) => (await look(endpoint)) ?? Promise.reject()))
  } catch (error) {
    const [hindered] = (error as AggregateError).errors.filter((reason) => !isNotThere(reason))
    if (hindered !== undefined) throw hindered
    return null
  }
}

function isNotThere(reason: unknown): boolean {
  return reason === undefined || (reason instanceof AppError && notThere.includes(reason.code))
}
