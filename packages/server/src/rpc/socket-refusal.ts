import { AppError, RemoteError, RESULT_HEADER } from '@flash/protocol'
import type { BackendSeat, RefusedUpgrade } from '../backend.ts'
import { MARKER } from '../problem.ts'

/** How much of what it said an error shows. */
const excerptCharacters = 200

/**
 * Why an endpoint opened no WebSocket: what the platform, the worker's code or another server says, else status and text.
 *
 * - `isCode`: whether an error may have that code; any when omitted.
 */
export function toSocketRefusal(
  seat: Pick<BackendSeat, 'refusal'>,
  answer: RefusedUpgrade,
  isCode: (code: string) => boolean = () => true,
): Error {
  const own = readOwn(answer)
  return seat.refusal?.(answer) ?? (own && isCode(own.code) ? own : notTaken(answer))
}

function readOwn({ headers, text }: RefusedUpgrade): RemoteError | undefined {
  if (headers.get(RESULT_HEADER) !== 'error' && !headers.has(MARKER)) return undefined
  try {
    const { code, message, hint, data } = JSON.parse(text)
    return typeof code === 'string' ? new RemoteError(code, String(message), { hint, data }) : undefined
  } catch {
    return undefined
  }
}

function notTaken({ status, text }: RefusedUpgrade): AppError {
  const body = text.slice(0, excerptCharacters)
  return new AppError('HTTP_ERROR', {
    message: `the endpoint opened no WebSocket: it answered ${status}${body && `: ${body}`}`,
    hint: 'look at what `upgrade` of its hooks refuses, and whether the path is one that takes WebSockets',
    data: { status, body },
  })
}
