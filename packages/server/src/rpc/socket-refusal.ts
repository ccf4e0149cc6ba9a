import { AppError, type AppErrorOptions, errorCodes, RemoteError, RESULT_HEADER } from '@flash/protocol'
import type { BackendSeat, FoundFunction, RefusedUpgrade } from '../backend.ts'
import { MARKER } from '../problem.ts'

/** How much of what it said an error shows. */
const excerptCharacters = 200

/** What the program of an endpoint says on purpose in place of a WebSocket, which is meant for whoever asked. */
export class ProgramRefusal extends AppError {}

/** Why an endpoint opened no WebSocket: what the platform, the worker's code or another server says, else status and text. */
export function toSocketRefusal(seat: Pick<BackendSeat, 'refusal'>, answer: RefusedUpgrade): Error {
  return seat.refusal?.(answer) ?? readOwn(answer) ?? new AppError('HTTP_ERROR', notTaken(answer))
}

/** The same with a code of ours always. */
export function toRpcRefusal(
  seat: Pick<BackendSeat, 'refusal' | 'isRelay'>,
  answer: RefusedUpgrade,
  kind: FoundFunction['kind'],
): Error {
  const inPlace = seat.refusal?.(answer)
  if (inPlace) return inPlace
  const own = readOwn(answer)
  if (own && Object.hasOwn(errorCodes, own.code)) return own
  const result = answer.headers.get(RESULT_HEADER)
  // A web app may run in something that is no worker of ours, and marks nothing.
  const isOfProgram =
    result === null ? kind === 'web' && !seat.isRelay : result !== 'error' || own !== undefined
  const Refusal = isOfProgram ? ProgramRefusal : AppError
  return new Refusal('HTTP_ERROR', notTaken(answer))
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

function notTaken({ status, text }: RefusedUpgrade): AppErrorOptions {
  const body = text.slice(0, excerptCharacters)
  return {
    message: `the endpoint opened no WebSocket: it answered ${status}${body && `: ${body}`}`,
    hint: 'look at what `upgrade` of its hooks refuses, and whether the path is one that takes WebSockets',
    data: { status, body },
  }
}
