import { type Clock, RemoteError } from '@flash/protocol'
import { isOurs, leave, read } from './call.ts'

/** How much of a foreign answer an error shows. */
const excerptCharacters = 200

/** No problem of ours is longer. */
const problemCharacters = 1_000_000

/** How long a refusal may take to be told. */
const patienceMs = 5_000

/** Lets the error's stack end where the call was made, behind the frames of the other side when they are known. */
export function traced<E>(error: E, site: Error, remoteStack?: string): E {
  if (!(error instanceof Error)) return error
  const lines = (site.stack ?? '').split('\n')
  // Above the caller: the two functions of the stub, and in some engines a line with the error's name.
  const header = /^\s*at |@/.test(lines[0]!) ? 0 : 1
  const own = remoteStack ?? `${error.name}: ${error.message}`
  error.stack = [own, ...lines.slice(header + 2)].join('\n')
  return error
}

/** What cannot be sent is told like what the other side refuses. */
export function toRemote(error: unknown): unknown {
  const { name, code, message, hint, data } = (error ?? {}) as RemoteError
  return name === 'AppError' ? new RemoteError(code, message, { hint, data, cause: error }) : error
}

/** Where a stub is called, for `traced`; to be asked for by the stub itself. */
export function callSite(): Error {
  return new Error()
}

/** What a call rejects with: its own stack, and a reason of the caller's as it is, which may be shared. */
export function toCallError(error: unknown, signal: AbortSignal | null | undefined, site: Error): unknown {
  return signal?.aborted && error === signal.reason ? error : traced(toRemote(error), site)
}

/** Why an answer is not a call's: what our route said, or that it was not our route. */
export async function toRefusal(response: Response, clock: Clock): Promise<RemoteError> {
  const text = await readBeginning(response, clock)
  const problem = isOurs(response) ? parseProblem(text) : undefined
  if (!problem)
    return isOurs(response) && response.status < 500
      ? refusedByApp(response, text)
      : foreignAnswer(response, text)
  const { code, message, hint, data, requestId } = problem
  const error = new RemoteError(code, String(message), { hint, data })
  return requestId === undefined ? error : Object.assign(error, { requestId })
}

interface Problem {
  code: string
  message: unknown
  hint?: string
  data?: unknown
  requestId?: string
}

function parseProblem(text: string): Problem | undefined {
  try {
    const problem = JSON.parse(text)
    return typeof problem.code === 'string' ? problem : undefined
  } catch {
    return undefined
  }
}

/** The app says no in words of its own, and our marker says that it was our route that asked it. */
function refusedByApp({ status }: Response, text: string): RemoteError {
  const body = text.slice(0, excerptCharacters)
  return new RemoteError('FORBIDDEN', `the app refused the call with status ${status}: ${body}`, {
    hint: 'sign in, or ask whoever runs the app',
    data: { status, body },
  })
}

function foreignAnswer({ status, url }: Response, text: string): RemoteError {
  const body = text.slice(0, excerptCharacters)
  return new RemoteError(
    'TRANSPORT',
    `the answer is not from a Flash route: ${status} from ${url || 'the server'}: ${body}`,
    {
      hint: 'something else answers at this address: a proxy, a sign-in page, or a server without the plugin',
      data: { status, body },
    },
  )
}

/** As much as a problem can have; a foreign answer may be long, or never end. */
async function readBeginning(response: Response, clock: Clock): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const withdraw = clock.after(patienceMs, () => leave(reader))
  const decoder = new TextDecoder()
  const limitCharacters = isOurs(response) ? problemCharacters : excerptCharacters
  let text = ''
  // What came before a connection broke is shown as well.
  const next = () => read(reader).catch(() => undefined)
  for (let chunk = await next(); chunk; chunk = await next()) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length >= limitCharacters) break
  }
  withdraw()
  leave(reader)
  return text
}

/** Why no answer came; `cause` is what sending or reading failed with. */
export function sendFailure(cause: unknown): unknown {
  if (cause instanceof RemoteError) return cause
  if (isRefused(cause)) {
    return new RemoteError('TRANSPORT', 'no server answers at the address of the call; nothing was sent', {
      hint: 'look whether the server runs',
      cause,
    })
  }
  return new RemoteError(
    'SUBMIT_UNKNOWN',
    'the connection broke before the call was accepted; it may or may not run',
    {
      hint: 'it is not sent again by itself; call again if running twice does no harm',
      cause,
    },
  )
}

/** The same when nothing of the answer is kept anywhere. */
export function connectionLost(cause?: unknown): unknown {
  if (cause instanceof RemoteError || isRefused(cause)) return sendFailure(cause)
  return new RemoteError('CONNECTION_LOST', 'the connection broke before the answer was complete', {
    hint: 'the request may have been handled; send it again if that does no harm',
    cause,
  })
}

/** Node tells when nobody listened; browsers keep that to themselves. */
function isRefused(error: unknown): boolean {
  const code = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code
  return code === 'ECONNREFUSED' || code === 'ENOTFOUND'
}
