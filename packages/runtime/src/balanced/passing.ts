import { AppError, type Clock, RESULT_HEADER } from '@flash/protocol'
import { longestRetryAfterMs, readRetryAfter } from '../send/exchange.ts'
import type { BalancedRequest } from './types.ts'

/** An answer after which another try may do better; when there is none, it is the answer. */
export class PassingAnswer extends AppError {
  readonly response: Response

  constructor(response: Response, options: { isTrouble: boolean; message: string; retryAfterMs?: number }) {
    const { isTrouble, message, retryAfterMs } = options
    super(isTrouble ? 'TRANSPORT' : 'HTTP_ERROR', {
      message,
      data: { status: response.status, retryAfterMs },
    })
    this.response = response
  }
}

const gatewayStatuses = [502, 503, 504]

/** What an answer says about its address beside what it says to the caller; nothing when the program of a worker gave it. */
export function toPassing(about: string, response: Response, clock: Clock): PassingAnswer | undefined {
  const { status, headers } = response
  if (headers.has(RESULT_HEADER)) return undefined
  // With a worker's name it is that worker which takes no requests, and not the address.
  const isTrouble = gatewayStatuses.includes(status) && !(status === 503 && headers.has('x-runpod-worker-id'))
  const retryAfterMs = status === 429 || status === 503 ? readRetryAfter(response, clock) : undefined
  if (!isTrouble && status !== 503 && retryAfterMs === undefined) return undefined
  return new PassingAnswer(response, { isTrouble, message: `${about} answers ${status}`, retryAfterMs })
}

const idempotentMethods = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']

/** Whether sending the request once more does no harm, and may help. */
export function mayRepeat({ method, body }: BalancedRequest, error: unknown): boolean {
  if (!(error instanceof AppError) || body instanceof ReadableStream) return false
  const { sent, status, retryAfterMs } = (error.data ?? {}) as Record<string, unknown>
  if (sent === false) return true
  if (Number(retryAfterMs) > longestRetryAfterMs) return false
  // After 504 it would most likely take as long again.
  return sent === true || error instanceof PassingAnswer
    ? idempotentMethods.includes(method) && status !== 504
    : false
}
