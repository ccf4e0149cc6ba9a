import type { IncomingMessage } from 'node:http'
import { AppError, TOKEN_HEADER } from '@flash/protocol'
import { type Address, findAddress, hostOf } from './address.ts'
import { type BodyState, readWhole, toBody, tooLarge } from './body.ts'
import type { Ending } from './ending.ts'

/**
 * A request, of which only that is made which somebody asks for: a `Request` with its headers, signal and streams costs more than
 * all the rest of an answer.
 */
export interface Visit {
  readonly method: string
  /** As `new URL` has them. */
  readonly pathname: string
  readonly search: string
  /** Both as they came. */
  readonly target: string
  /** Aborts when the request is over before its answer is. */
  readonly signal: AbortSignal
  /** Whether that has aborted, for whoever does not need it. */
  readonly isOver: boolean
  /** Stands for the request; the same one each time. */
  readonly id: string
  /** Whether one may come; it may be empty. */
  readonly hasBody: boolean
  header(name: string): string | undefined
  /** The same ones each time. */
  headers(): Headers
  /** The whole body, once; a `Request` that is made later has it too. Rejects with `PAYLOAD_TOO_LARGE`, and when the client leaves. */
  read(): Promise<Uint8Array<ArrayBuffer>>
  /** The same one each time; its body is read as it comes, unless it was read before. */
  request(): Request
  /** From now on it may take so long until all of its answer is made; without it as long as it likes. */
  limit?(limitMs: number): void
  /** When that time is over, or the caller's where that is earlier, in milliseconds since the epoch; `null` without a limit. */
  readonly deadline?: number | null
}

/** An answer whose body is here. A class of its own: a web app may give a `Response` of any make. */
export class PlainReply {
  readonly status: number
  readonly headers: Record<string, string>
  readonly body: string | null

  constructor(status: number, headers: Record<string, string>, body: string | null) {
    this.status = status
    this.headers = headers
    this.body = body
  }
}

export type Reply = Response | PlainReply

export interface VisitOptions {
  incoming: IncomingMessage
  body: BodyState
  ending: Ending
  /** Of the body. What declares to be longer is refused at once, else reading fails there. */
  limitBytes: number
  /** Who ends it when its time is over. */
  timed?: Required<Pick<Visit, 'limit' | 'deadline'>>
}

/** Node answers `CONNECT` by itself. */
const forbidden = new Set(['TRACE', 'TRACK'])

/** The request of a connection; throws `PAYLOAD_TOO_LARGE`, `BAD_REQUEST`. */
export function createVisit(options: VisitOptions): Visit {
  const { incoming, limitBytes } = options
  const { method = 'GET' } = incoming
  const declared = Number(incoming.headers['content-length'] ?? 0)
  if (declared > limitBytes) throw tooLarge(declared, limitBytes)
  const address = forbidden.has(method) ? undefined : findAddress(incoming.url ?? '/')
  if (!address) {
    throw new AppError('BAD_REQUEST', {
      message: `a request ${method} ${incoming.url?.slice(0, 200)} cannot be answered here`,
    })
  }
  return new IncomingVisit(options, method, address)
}

class IncomingVisit implements Visit {
  readonly method: string
  readonly pathname: string
  readonly search: string
  readonly hasBody: boolean
  readonly target: string
  readonly #given: VisitOptions
  #headers: Headers | undefined
  #request: Request | undefined
  #id: string | undefined

  constructor(given: VisitOptions, method: string, address: Address) {
    this.#given = given
    this.target = address.target
    this.method = method
    this.pathname = address.pathname
    this.search = address.search
    this.hasBody = method !== 'GET' && method !== 'HEAD'
  }

  get signal(): AbortSignal {
    return this.#given.ending.signal
  }

  get isOver(): boolean {
    return this.#given.ending.isOver
  }

  get id(): string {
    return (this.#id ??= crypto.randomUUID())
  }

  limit(limitMs: number): void {
    this.#given.timed?.limit(limitMs)
  }

  get deadline(): number | null {
    return this.#given.timed?.deadline ?? null
  }

  header(name: string): string | undefined {
    return this.#given.incoming.headers[name] as string | undefined
  }

  headers(): Headers {
    return (this.#headers ??= toHeaders(this.#given.incoming))
  }

  read(): Promise<Uint8Array<ArrayBuffer>> {
    const { incoming, body, limitBytes } = this.#given
    return readWhole(incoming, limitBytes, body)
  }

  request(): Request {
    return (this.#request ??= this.#make())
  }

  #make(): Request {
    const { incoming, body, limitBytes } = this.#given
    const { method, signal, hasBody } = this
    const sent = hasBody && (body.whole ?? toBody(incoming, limitBytes, body))
    const init = { method, headers: this.headers(), signal, ...(sent && { body: sent, duplex: 'half' }) }
    return new Request(`http://${hostOf(incoming)}${this.target}`, init)
  }
}

/** The token is nobody's business. */
function toHeaders({ rawHeaders }: IncomingMessage): Headers {
  const headers = new Headers()
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  headers.delete(TOKEN_HEADER)
  return headers
}
