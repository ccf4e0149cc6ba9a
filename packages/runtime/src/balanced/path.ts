import { fillRoutePath, parseRequestPath, parseRoutePath, RemoteError } from '@flash/protocol'
import type { RouteOptions } from './types.ts'

/**
 * The path and query of one call of a route.
 *
 * - throws `BAD_INPUT` for what has no text, and, as for every path, `BAD_PATH` and `RESERVED_PATH`.
 */
export function toRoutePath(route: string, { params, query }: RouteOptions): string {
  const texts = Object.entries(params ?? {}).map(([name, value]) => [name, toText(`params.${name}`, value)])
  const path = fillRoutePath(parseRoutePath(route), Object.fromEntries(texts))
  parseRequestPath(path)
  const search = toQuery(query ?? {}).toString()
  return path + (search && `?${search}`)
}

function toQuery(query: NonNullable<RouteOptions['query']>): URLSearchParams {
  if (query instanceof URLSearchParams) return query
  if (typeof query !== 'object')
    throw badInput('query', 'is no object', 'give an object, or `URLSearchParams`')
  return new URLSearchParams(
    Object.entries(query).flatMap(([name, given]) =>
      (Array.isArray(given) ? given : [given])
        .filter((value) => value !== undefined && value !== null)
        .map((value) => [name, String(toText(`query.${name}`, value))]),
    ),
  )
}

/** What is missing stays so. */
function toText(field: string, value: unknown): unknown {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.toISOString()
  if ((typeof value !== 'object' || !value) && typeof value !== 'function') return value
  throw badInput(field, 'is no text, number, boolean or date', 'send it in the body, or write it as text')
}

function badInput(field: string, what: string, hint: string): RemoteError {
  return new RemoteError('BAD_INPUT', `${field} ${what}`, { hint, data: { field } })
}

/**
 * Path and query of what `fetch` takes; whatever host stands in front is left out.
 *
 * - throws `BAD_PATH` and `RESERVED_PATH`.
 */
export function toRequestPath(input: string | URL | { url: string }): string {
  const text = typeof input === 'object' && 'url' in input ? input.url : String(input)
  const { path, query } = parseRequestPath(text.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#\\]*/i, ''))
  // With everything encoded that has to be.
  const { pathname, search } = new URL(`http://localhost${path}${query}`)
  return pathname + search
}
