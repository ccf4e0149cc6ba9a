import type { ServerResponse } from 'node:http'
import type { Fault, Faults, Plane } from '../faults.ts'
import { type Answer, refusal, refusalOf, send, sendTruncated } from './answer.ts'
import { ClientGone } from './body.ts'

/** What every plane needs to answer. */
export interface PlaneHost {
  faults: Faults
  /** Told about errors that are no caller's. */
  onError(error: unknown): void
}

/** Whom a request is for. */
export interface PlanePlace {
  plane: Plane
  /** Its id. */
  endpoint?: string
  name?: string
}

/** What a fault makes of a request before anything is done for it. */
export function takeRefusal(faults: Faults, place: PlanePlace): Answer | undefined {
  const rate = faults.take('rateLimit', place)
  if (rate)
    return refusal(429, 'too many requests, a fault was asked for', {
      'retry-after': String(rate.retryAfterSeconds),
    })
  const broken = faults.take('serverError', place)
  return broken && refusal(broken.status, 'the server failed, a fault was asked for')
}

/** What a fault makes of an answer after everything was done. */
export function takeDamage(
  faults: Faults,
  place: PlanePlace,
): Extract<Fault['kind'], 'lostResponse' | 'truncatedBody'> | undefined {
  if (faults.take('lostResponse', place)) return 'lostResponse'
  return faults.take('truncatedBody', place) && 'truncatedBody'
}

/**
 * Does the work of a request and writes its answer, or what faults make of it.
 *
 * - `work`: resolves to `null` when it has answered itself.
 */
export async function answerWith(
  { faults, onError }: PlaneHost,
  place: PlanePlace,
  response: ServerResponse,
  work: () => Answer | null | Promise<Answer | null>,
): Promise<void> {
  let answer: Answer | null
  try {
    answer = takeRefusal(faults, place) ?? (await work())
  } catch (error) {
    if (error instanceof ClientGone) return void response.destroy()
    answer = refusalOf(error) ?? null
    if (answer === null) {
      onError(error)
      answer = refusal(500, 'internal error')
    }
  }
  if (answer === null) return
  const damage = takeDamage(faults, place)
  if (damage === 'lostResponse') response.destroy()
  else if (damage) sendTruncated(response, answer)
  else send(response, answer)
}

/** Aborts when the caller goes away before it has its answer. */
export function signalOf(response: ServerResponse): AbortSignal {
  const controller = new AbortController()
  response.once('close', () => {
    if (!response.writableFinished) controller.abort()
  })
  if (response.destroyed) controller.abort()
  return controller.signal
}
