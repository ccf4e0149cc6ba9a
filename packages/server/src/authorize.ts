import { AppError, type ServerFunction } from '@flash/protocol'
import { type Gate, type GateCall, Refusal } from './gate.ts'
import { isLocalVisitor } from './local-visitor.ts'
import { MARKER } from './problem.ts'
import type { ErrorFilter } from './redact-error.ts'
import { checkTarget } from './target.ts'

/** What a browser wants to do. */
export type AuthorizedCall = AuthorizedFunctionCall | AuthorizedFetch

interface AuthorizedFunctionCall {
  endpoint: string
  /** `run` starts a job that goes on without the page; `resume` and `cancel` are about a job that was started before. */
  kind: 'call' | 'run' | 'resume' | 'cancel'
  /** The export: `read`, `default`, `models.small`. */
  function: string
  /** Of a class. */
  method?: string
  /** Of the function; equal in every build. */
  id: string
}

/** A request to a route or a web app of a load-balanced endpoint, or a WebSocket, which begins as a GET. */
interface AuthorizedFetch {
  endpoint: string
  kind: 'fetch'
  /** The export: `site`, and with method and path for a route, `api.POST /items/:id`. */
  function: string
  /** In capitals. */
  method: string
  /** As it is sent to the endpoint, without its query: `/items/a%20b`. */
  path: string
  /** Of the route or web app; equal in every build. */
  id: string
}

/**
 * What `authorize` answers.
 *
 * - `true`: allowed, and whoever has a job's token may read and cancel that job.
 * - `{ subject }`: allowed, and only the same subject may read and cancel the job; 1 to 1024 bytes of text.
 * - `false`: 403 `FORBIDDEN`.
 * - a `Response`: sent instead, whatever its status is; for the stub the call failed.
 */
export type Verdict = boolean | Response | { subject: string }

export type Authorize = (request: Request, call: AuthorizedCall) => Verdict | Promise<Verdict>

export interface AuthorizeOptions {
  authorize?: 'public' | Authorize
  /** Visitors of this machine may call everything, as long as there is no `authorize`. */
  preview: boolean
  functions: ReadonlyMap<string, ServerFunction>
  errors: ErrorFilter
  warn(text: string): void
}

const subjectBytes = 1024

export function createGate(options: AuthorizeOptions): Gate {
  const { authorize, functions, errors } = options
  const askPreview = createPreviewGate(options)
  const unclear = once((verdict: unknown) => void errors.report(unclearVerdict(verdict)))
  const ask = async (request: Request, call: AuthorizedCall) => {
    if (authorize === undefined) return askPreview(request)
    if (authorize === 'public') return null
    const verdict = await hideThrown(() => authorize(withoutBody(request), call), errors)
    if (verdict === true) return null
    if (isResponse(verdict)) throw new Refusal(await hideThrown(() => toRefusal(verdict), errors))
    if (isSubject(verdict)) return verdict.subject
    if (verdict !== false) unclear(verdict)
    throw new AppError('FORBIDDEN', { message: 'this call is not allowed' })
  }
  return {
    needsBody: (id) => functions.get(id)?.kind === 'class',
    admit: async (request, call) => ask(request, describe(functions.get(call.id), call)),
  }
}

/** The body is the call's, and may not be here yet. */
function withoutBody({ url, method, headers, signal }: Request): Request {
  return new Request(url, { method, headers, signal })
}

/** The call as `authorize` sees it; a method in it is one that the class has. */
function describe(
  fact: ServerFunction | undefined,
  { kind, id, endpoint, method: fn, path = '/' }: GateCall,
): AuthorizedCall {
  if (!fact) {
    throw new AppError('UNKNOWN_FUNCTION', {
      message: 'the function of this job is not a part of the app any more',
      hint: 'reload the page',
    })
  }
  if (kind === 'fetch') return { kind, id, endpoint, function: fact.exportPath, method: fn ?? 'GET', path }
  const method = fact.kind === 'class' ? fn : undefined
  checkTarget(fact, { fn: method })
  return { kind, id, endpoint, function: fact.exportPath, ...(method !== undefined && { method }) }
}

function createPreviewGate({ preview, warn }: AuthorizeOptions): (request: Request) => null {
  const warnOnce = once(warn)
  return (request) => {
    if (preview && isLocalVisitor(request)) {
      warnOnce(
        'there is no `authorize`: calls are answered here, and refused with AUTHORIZE_MISSING in production',
      )
      return null
    }
    throw new AppError('AUTHORIZE_MISSING', {
      message: 'this server was not told who may call its functions',
      hint: "give the handler `authorize: (request, call) => …`, or `authorize: 'public'` to open it to everybody",
    })
  }
}

/** Code of the app decides here, so what it throws is nobody else's business. */
async function hideThrown<T>(work: () => T | Promise<T>, errors: ErrorFilter): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const requestId = errors.report(error)
    throw new AppError('INTERNAL', {
      message: `it could not be decided whether this call is allowed (request ${requestId})`,
      data: { requestId },
    })
  }
}

/**
 * A response of the app in place of the call's. Our marker says "the call was refused" on an error, and would make a
 * result of anything else.
 */
function toRefusal(response: Response): Response {
  const headers = new Headers(response.headers)
  headers.set('cache-control', 'private, no-store')
  if (response.status >= 400) headers.set(MARKER, '1')
  else headers.delete(MARKER)
  // The app may give the same one again.
  return new Response(response.clone().body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  })
}

/** Frameworks have classes of their own for it. */
function isResponse(verdict: unknown): verdict is Response {
  if (verdict instanceof Response) return true
  const { status, headers } = (verdict ?? {}) as Partial<Response>
  return typeof status === 'number' && typeof headers?.get === 'function'
}

function isSubject(verdict: unknown): verdict is { subject: string } {
  const { subject } = (verdict ?? {}) as { subject?: unknown }
  return typeof subject === 'string' && subject !== '' && Buffer.byteLength(subject) <= subjectBytes
}

function unclearVerdict(verdict: unknown): AppError {
  const { subject } = (verdict ?? {}) as { subject?: unknown }
  const isLong = typeof subject === 'string' && subject !== ''
  const shown =
    typeof verdict === 'object' && verdict !== null
      ? `{ ${Object.keys(verdict).join(', ')} }`
      : String(verdict)
  return new AppError('BAD_OPTION', {
    message: isLong
      ? `authorize gave a subject of more than ${subjectBytes} bytes; the call was refused`
      : `authorize gave ${shown}, which neither allows nor refuses; the call was refused`,
    hint: 'give true, false, a Response, or { subject } with text that names the user',
  })
}

/** Runs for the first call only. */
function once<A>(run: (argument: A) => void): (argument: A) => void {
  let isDone = false
  return (argument) => {
    if (!isDone) run(argument)
    isDone = true
  }
}
