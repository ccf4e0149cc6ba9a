import { AppError } from '@flash/protocol'
import type { Seat } from '../endpoints/types.ts'
import { type Answer, refusal } from '../http/answer.ts'
import type { BalancedLimits } from './limits.ts'

/** What is answered in place of a worker. */
export interface Refusals {
  /** It does not answer, or broke off before it did. */
  badGateway(seat: Seat): Answer | Promise<Answer>
  tooSlow(limitMs: number): Answer
  /** The head of its answer is longer than that. */
  headTooLarge(seat: Seat, limitBytes: number): Answer | Promise<Answer>
  /** `sizeBytes`: as far as it was counted. */
  tooLarge(limitBytes: number, sizeBytes: number): Answer
}

export const notBalanced = refusal(400, 'not allowed for QB API')
export function tooLarge(limitBytes: number): Answer {
  return refusal(413, `the request or response is over the limit of ${limitBytes} bytes`)
}

/** As Runpod's balancer says it. */
export const runpodRefusals: Refusals = {
  badGateway: () => refusal(502, 'bad gateway: the worker does not answer'),
  headTooLarge: () => refusal(502, 'bad gateway: the headers of the answer are too large'),
  tooSlow: () => refusal(504, 'gateway timeout: the worker took too long'),
  tooLarge,
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
