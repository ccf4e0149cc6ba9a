import { AppError, type Clock } from '@flash/protocol'
import type { QueueContext } from './context.ts'

/** One HTTP request to an endpoint's queue. */
export interface Exchange {
  method: 'GET' | 'POST'
  /** Below the endpoint's address. */
  path: string
  body?: Uint8Array<ArrayBuffer>
  /** Until the answer is complete. */
  timeoutMs: number
}

export interface HttpAnswer {
  kind: 'answer'
  status: number
  text: string
  /** What `Retry-After` asks for. */
  retryAfterMs?: number
}

/**
 * What became of a request.
 *
 * - `answer`: the whole answer, whoever gave it.
 * - `unsent`: nobody received anything, so it can be sent again.
 * - `lost`: it may have been received; the answer, or its end, is missing.
 */
export type Outcome = HttpAnswer | NoAnswer<'unsent'> | NoAnswer<'lost'>

export interface NoAnswer<K extends 'unsent' | 'lost'> {
  kind: K
  reason: string
  cause: unknown
}

/** A result is at most 20 MB; twice its size as escaped text leaves room. */
const answerLimitBytes = 64_000_000

/** What is asked for beyond that is not waited for. */
export const longestRetryAfterMs = 60_000

/** Sends one request. Never rejects for what the network or the other side does, except `PAYLOAD_TOO_LARGE` for an answer without end. */
export async function exchange(context: QueueContext, request: Exchange): Promise<Outcome> {
  const { clock } = context
  // Aborted without a reason: `fetch` writes to errors that it is given as one.
  const time = new AbortController()
  const withdraw = clock.after(request.timeoutMs, () => time.abort())
  let received = false
  try {
    const response = await send(context, request, time.signal)
    received = true
    const text = await readText(response)
    return { kind: 'answer', status: response.status, text, retryAfterMs: readRetryAfter(response, clock) }
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    if (time.signal.aborted)
      return { kind: 'lost', reason: `no answer within ${request.timeoutMs} ms`, cause }
    const code = codeOf(cause)
    const reason = code ?? context.redact((cause as Error).message)
    const isUnsent = !received && unsentCodes.test(code ?? '')
    return isUnsent ? { kind: 'unsent', reason, cause } : { kind: 'lost', reason, cause }
  } finally {
    withdraw()
  }
}

function send({ address, fetch }: QueueContext, request: Exchange, signal: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = { accept: 'application/json', ...address.headers }
  if (address.key !== undefined) headers.authorization = `Bearer ${address.key}`
  if (request.body) headers['content-type'] = 'application/json'
  const { method, body, path } = request
  // A redirect could take the input, or the key, to another place.
  return fetch(`${address.url}${path}`, { method, headers, body, signal, redirect: 'manual' })
}

async function readText(response: Response): Promise<string> {
  if (!response.body) return ''
  const reader = response.body.getReader()
  const decoder = new TextDecoder()
  let text = ''
  let bytes = 0
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.length
    if (bytes > answerLimitBytes) {
      reader.cancel().catch(() => {})
      throw tooLong(bytes)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function tooLong(bytes: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the answer of the queue has ${bytes} bytes or more, the limit is ${answerLimitBytes}`,
    hint: 'return less, or put large results in a volume and return where they are',
    data: { size: bytes, limit: answerLimitBytes },
  })
}

/** Failures that come before the first byte of a request: no name, no route, nobody listening, no trust. */
export const unsentCodes =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|UND_ERR_CONNECT_TIMEOUT|ERR_TLS_\w+|CERT_\w+|\w+_CERT_\w+|\w+_CERT|UNABLE_TO_\w+)$/

/** Node tells why in the cause, browsers keep it to themselves. */
export function codeOf(error: unknown): string | undefined {
  const code = (error as { cause?: { code?: unknown } } | undefined)?.cause?.code
  return typeof code === 'string' ? code : undefined
}

/** Seconds or a date. */
export function readRetryAfter({ headers }: Response, clock: Clock): number | undefined {
  const text = headers.get('retry-after')
  if (text === null) return undefined
  const ms = /^\d+$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - clock.now()
  return ms > 0 ? ms : undefined
}
