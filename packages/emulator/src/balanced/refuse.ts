import { AppError } from '@flash/protocol'
import { type Answer, refusal } from '../http/answer.ts'
import type { BalancedLimits } from './limits.ts'

export const notBalanced = refusal(400, 'not allowed for QB API')
export const badGateway = refusal(502, 'bad gateway: the worker does not answer')
export const tooSlow = refusal(504, 'gateway timeout: the worker took too long')

export function tooLarge(limitBytes: number): Answer {
  return refusal(413, `the request or response is over the limit of ${limitBytes} bytes`)
}

/** Why a request got no worker. */
const withoutSeat: ReadonlyMap<string, (limits: BalancedLimits) => Answer> = new Map([
  ['NO_WORKERS', ({ noWorkersStatus }: BalancedLimits) => refusal(noWorkersStatus, 'no workers available')],
  ['WORKER_GONE', () => refusal(404, 'affinity_worker_gone')],
  ['WORKER_TIMEOUT', () => refusal(400, 'worker_timeout: timed out waiting for worker')],
])

/** The answer when a request got no worker; `undefined` for any other error. */
export function refusalOfSeat(error: unknown, limits: BalancedLimits): Answer | undefined {
  return error instanceof AppError ? withoutSeat.get(error.code)?.(limits) : undefined
}
