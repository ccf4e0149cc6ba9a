import { AppError, type BalancedEnvelope, type Message } from '@flash/protocol'

/** What a stub of a load-balanced endpoint asks for, read and checked. */
export interface FetchEnvelope {
  method: string
  path: string
  headers: Headers
  timeoutMs?: number
  idempotencyKey?: string
}

/** More than servers take, so nothing is refused here that would be answered there. */
const pathCharacters = 16_384
const headerCharacters = 65_536
const textCharacters = pathCharacters + 2 * headerCharacters

const bodiless = new Set(['GET', 'HEAD'])

/** No request has them: the last one is what we call upgrades. */
const forbiddenMethods = new Set(['CONNECT', 'TRACE', 'TRACK', 'WS'])

/** A text with more of them has more characters than any request. */
export const ENVELOPE_BYTES = 4 * textCharacters

/**
 * Reads the text of a request's message; throws `BAD_REQUEST` naming the field.
 *
 * - `partCount`: how many parts follow it.
 */
export function parseFetch({ rich, text }: Pick<Message, 'rich' | 'text'>, partCount: number): FetchEnvelope {
  if (rich || text.length > textCharacters) throw badRequest('the request is not plain JSON of a usable size')
  const { fetch, timeoutMs, idempotencyKey } = parseFields(readJson(text), [
    'fetch',
    'timeoutMs',
    'idempotencyKey',
  ])
  const given = parseFields(fetch, ['method', 'path', 'headers', 'body'])
  const method = parseMethod(given.method)
  checkBody(given.body, method, partCount)
  return {
    method,
    path: parsePath(given.path),
    headers: parseHeaders(given.headers),
    ...(timeoutMs !== undefined && { timeoutMs: parseTimeout(timeoutMs) }),
    ...(idempotencyKey !== undefined && { idempotencyKey: parseKey(idempotencyKey) }),
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('the request is no JSON')
  }
}

function parseFields<Name extends keyof BalancedEnvelope | keyof BalancedEnvelope['fetch']>(
  value: unknown,
  names: readonly Name[],
): Partial<Record<Name, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw badRequest('a load-balanced endpoint takes requests only, and this is none')
  const unknown = Object.keys(value).find((name) => !names.includes(name as Name))
  if (unknown !== undefined) throw badRequest(`the request has an unknown field "${unknown.slice(0, 64)}"`)
  return value as Partial<Record<Name, unknown>>
}

function parseMethod(value: unknown): string {
  if (typeof value === 'string' && /^[A-Z]{1,32}$/.test(value) && !forbiddenMethods.has(value)) return value
  throw badRequest('the field "method" must be an HTTP method in capitals')
}

function parsePath(value: unknown): string {
  if (typeof value === 'string' && value.startsWith('/') && value.length <= pathCharacters) return value
  throw badRequest(
    `the field "path" must be a path, with a slash in front and at most ${pathCharacters} characters`,
  )
}

function parseHeaders(value: unknown): Headers {
  if (!Array.isArray(value) || !value.every(isPair))
    throw badRequest('the field "headers" must be a list of names with values')
  const headers = new Headers()
  let characters = 0
  for (const [name, text] of value) {
    characters += name.length + text.length
    if (characters > headerCharacters)
      throw badRequest(`the headers have more than ${headerCharacters} characters`)
    try {
      headers.append(name, text)
    } catch (cause) {
      throw badRequest(`the header ${JSON.stringify(name.slice(0, 64))} cannot be sent`, cause)
    }
  }
  return headers
}

function isPair(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === 'string')
}

function checkBody(value: unknown, method: string, partCount: number): void {
  if (typeof value !== 'boolean' || partCount !== Number(value))
    throw badRequest('the field "body" must say whether there is one, and the one part be it')
  if (value && bodiless.has(method)) throw badRequest(`a ${method} request has no body`)
}

function parseTimeout(value: unknown): number {
  if (typeof value === 'number' && value > 0 && value <= 2_147_483_647) return value
  throw badRequest('the field "timeoutMs" must be milliseconds above 0')
}

function parseKey(value: unknown): string {
  if (typeof value === 'string' && /^[\x21-\x7e](?:[\x20-\x7e]{0,1022}[\x21-\x7e])?$/.test(value))
    return value
  throw badRequest('the field "idempotencyKey" must be text of at most 1024 characters of ASCII')
}

function badRequest(message: string, cause?: unknown): AppError {
  return new AppError('BAD_REQUEST', { message, hint: 'call the endpoint through its stub', cause })
}
