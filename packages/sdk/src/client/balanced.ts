import { AppError, type Clock, parseRequestPath } from '@flash/protocol'
import { readAnswer } from './answer.ts'
import { type SentBody, toBody } from './body.ts'
import type { BalancedCall } from './call.ts'
import { toHttpError } from './http-error.ts'
import { watchLimits } from './limits.ts'
import { sendAgain } from './send.ts'
import type { RequestOptions } from './types.ts'

export interface BalancedParts {
  fetch: typeof fetch
  clock: Clock
}

/** Two minutes for a worker to be there, five and a half for its answer: the platform waits no longer. */
const longestMs = 450_000

/**
 * Sends one request to a load-balanced endpoint, and reads its answer.
 *
 * - throws `BAD_PATH`, `RESERVED_PATH`, `BAD_REQUEST`, `PAYLOAD_TOO_LARGE`, `TIMEOUT`, `TRANSPORT`, `BAD_RESULT`, `HTTP_ERROR`, what
 *   the platform or the worker says, and the reason of the signal.
 */
export async function requestBalanced(call: BalancedCall, { fetch, clock }: BalancedParts): Promise<unknown> {
  const { verb, options } = call
  const url = toUrl(call)
  const init = toInit(call, toBody(options))
  const { signal, timeoutMs = longestMs } = options
  const limits = watchLimits({ signal, timeoutMs }, clock)
  const send = () => fetch(url, { ...init, method: verb, signal: limits.signal })
  try {
    const response = await sendAgain(call, init, send, { clock, limits })
    // What the caller asked for by `If-None-Match` or `If-Modified-Since`, and no failure.
    if (!response.ok && response.status !== 304) throw await toHttpError(call, response)
    const data = await readAnswer(call, response)
    limits.end(data instanceof Response)
    return data
  } catch (error) {
    limits.check()
    limits.end()
    throw error
  }
}

/** The path below the endpoint's own origin, whatever it looks like. */
function toUrl({ address, path, options: { query } }: BalancedCall): URL {
  const parsed = parseRequestPath(path)
  const url = new URL(`${address.url}${parsed.path}${parsed.query}`)
  for (const [name, value] of entriesOf(query)) url.searchParams.append(name, value)
  return url
}

function entriesOf(query: RequestOptions['query']): [string, string][] {
  if (!query) return []
  if (query instanceof URLSearchParams) return [...query]
  return Object.entries(query).flatMap(([name, given]) =>
    (Array.isArray(given) ? given : [given])
      .filter((value) => value !== undefined && value !== null)
      .map((value): [string, string] => [name, String(value)]),
  )
}

function toInit(call: BalancedCall, { body, contentType }: SentBody): RequestInit {
  if (body !== undefined && (call.verb === 'GET' || call.verb === 'HEAD'))
    throw badRequest(`a ${call.verb} request has no body`, 'use `query`, or another verb')
  const headers = toHeaders(call)
  if (contentType && !headers.has('content-type')) headers.set('content-type', contentType)
  // A redirect could take the body, or the key, to another place.
  const init: RequestInit = { headers, body, redirect: 'manual' }
  return body instanceof ReadableStream ? Object.assign(init, { duplex: 'half' }) : init
}

/** Those of the caller, but for the ones by which the platform knows caller and endpoint. */
function toHeaders({ address, options }: BalancedCall): Headers {
  const headers = new Headers(options.headers)
  for (const name of ['authorization', 'x-flash-app', 'x-flash-environment', 'x-flash-endpoint']) {
    if (headers.has(name))
      throw badRequest(
        `the header "${name}" is the platform's`,
        'give yours another name, such as `x-api-key`',
      )
  }
  for (const [name, value] of Object.entries(address.headers ?? {})) headers.set(name, value)
  if (address.key !== undefined) headers.set('authorization', `Bearer ${address.key}`)
  return headers
}

function badRequest(message: string, hint: string): AppError {
  return new AppError('BAD_REQUEST', { message, hint })
}
