import { AppError, type Clock, RESULT_HEADER } from '@flash/protocol'
import { type BalancedCall, isSafe, redactFor } from './call.ts'
import type { Limits } from './limits.ts'

const tries = 3
const pauseMs = 500
const longestPauseMs = 60_000

/** Failures that come before the first byte of a request. */
const unsent = /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT)$/

/** What came of one try. */
type Outcome = { response: Response } | { cause: unknown }

/**
 * Sends a request, three times at most.
 *
 * - again only when nobody received it, or when it changes nothing and the connection broke or the answer asks for it by
 *   `Retry-After`.
 * - throws `TRANSPORT`, and what the limits say.
 */
export async function sendAgain(
  call: BalancedCall,
  init: RequestInit,
  send: () => Promise<Response>,
  { clock, limits }: { clock: Clock; limits: Limits },
): Promise<Response> {
  const most = init.body instanceof ReadableStream ? 1 : tries
  for (let count = 1; ; count++) {
    limits.check()
    const outcome = await send().then(
      (response): Outcome => ({ response }),
      (cause: unknown): Outcome => ({ cause }),
    )
    limits.check()
    const waitMs = count < most ? waitFor(call, outcome, count, clock) : undefined
    if (waitMs === undefined) {
      if ('response' in outcome) return outcome.response
      throw noAnswer(call, outcome.cause)
    }
    if ('response' in outcome) outcome.response.body?.cancel().catch(() => {})
    await limits.sleep(waitMs)
  }
}

/** How long until another try makes sense; `undefined` when none does. */
function waitFor({ verb }: BalancedCall, outcome: Outcome, count: number, clock: Clock): number | undefined {
  if ('response' in outcome) return isSafe(verb) ? readRetryAfter(outcome.response, clock) : undefined
  return isSafe(verb) || unsent.test(codeOf(outcome.cause) ?? '') ? pauseMs * count : undefined
}

/** What an answer that will change asks to wait; `undefined` for every other, and for more than a minute. */
function readRetryAfter({ status, headers }: Response, clock: Clock): number | undefined {
  const text = headers.get('retry-after')
  // What the program of a worker answers is the answer.
  if ((status !== 429 && status !== 503) || text === null || headers.has(RESULT_HEADER)) return undefined
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - clock.now()
  return ms >= 0 && ms <= longestPauseMs ? ms : undefined
}

/** Node tells why in the cause. */
function codeOf(error: unknown): string | undefined {
  const code = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code
  return typeof code === 'string' ? code : undefined
}

function noAnswer(call: BalancedCall, cause: unknown): AppError {
  const { label, verb } = call
  const reason = codeOf(cause) ?? redactFor(call, (cause as Error).message)
  return new AppError('TRANSPORT', {
    message: `endpoint "${label}": ${verb} got no answer (${reason})`,
    hint: isSafe(verb)
      ? 'look whether its address can be reached from here'
      : 'the request may have been received; send it again if that does no harm',
    cause,
  })
}
