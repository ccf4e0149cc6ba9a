import { AppError } from './error.ts'
import { parseRequestPath } from './request-path.ts'

/** One segment of a route's path: text as it is sent (decoded), `:name`, or a final `**` or `**:name` that takes the rest. */
export type RouteSegment =
  | { kind: 'text'; text: string }
  | { kind: 'param'; name: string }
  | { kind: 'rest'; name: string | null }

export type RouteParams = Record<string, string>

/**
 * Reads the path of a route as its author wrote it: `/`, `/items/:id`, `/files/**:path`.
 *
 * - throws `BAD_ROUTE` for what no route can have.
 */
export function parseRoutePath(path: string): RouteSegment[] {
  const names = new Set<string>()
  if (!path.startsWith('/')) throw badRoute(path, 'it does not begin with `/`', `write \`/${path}\``)
  const parts = path === '/' ? [] : path.slice(1).split('/')
  return parts.map((part, index) => {
    const segment = parseSegment(path, part)
    if (segment.kind === 'rest' && index < parts.length - 1)
      throw badRoute(path, '`**` is not its last part', 'write `**` at the end only')
    if (segment.kind === 'text' || segment.name === null) return segment
    if (segment.name === '__proto__')
      throw badRoute(path, 'objects keep no parameter `:__proto__`', 'rename it')
    if (names.has(segment.name))
      throw badRoute(path, `it has \`:${segment.name}\` twice`, 'rename one of them')
    names.add(segment.name)
    return segment
  })
}

function parseSegment(path: string, part: string): RouteSegment {
  const [, rest, name] = /^(\*\*)?(?::([A-Za-z_$][\w$]*))?$/.exec(part) ?? []
  if (rest) return { kind: 'rest', name: name ?? null }
  if (name) return { kind: 'param', name }
  if (/[:*?#(){}[\]\\%]/.test(part))
    throw badRoute(
      path,
      `its part "${part}" is no text and no parameter`,
      'write text, `:name`, or a final `**:name`',
    )
  if (part === '' || part === '.' || part === '..')
    throw badRoute(
      path,
      'it has an empty part, `.` or `..`',
      'write each part once, without a `/` at the end',
    )
  return { kind: 'text', text: part }
}

/** The parameters with which a path (without query, as it was sent) is of this route; `null` when it is not. */
export function matchRoutePath(segments: readonly RouteSegment[], path: string): RouteParams | null {
  const parts = path === '/' || path === '' ? [] : path.replace(/^\//, '').split('/')
  const params: RouteParams = {}
  for (const [index, segment] of segments.entries()) {
    if (segment.kind === 'rest') return addRest(params, segment.name, parts.slice(index))
    if (!addPart(params, segment, parts[index])) return null
  }
  return parts.length === segments.length ? params : null
}

function addRest(params: RouteParams, name: string | null, parts: string[]): RouteParams | null {
  const rest = decodeAll(parts)
  if (rest === null) return null
  return name === null ? params : { ...params, [name]: rest.join('/') }
}

/** Whether the part is of the segment. */
function addPart(
  params: RouteParams,
  segment: Exclude<RouteSegment, { kind: 'rest' }>,
  part: string | undefined,
): boolean {
  const decoded = part === undefined ? null : decodePart(part)
  if (decoded === null || decoded === '') return false
  if (segment.kind === 'text') return segment.text === decoded
  params[segment.name] = decoded
  return true
}

function decodeAll(parts: string[]): string[] | null {
  const decoded = parts.map(decodePart)
  return decoded.includes(null) ? null : (decoded as string[])
}

function decodePart(part: string): string | null {
  try {
    return decodeURIComponent(part)
  } catch {
    return null
  }
}

/**
 * The path with these parameters in it, each part encoded.
 *
 * - throws `BAD_INPUT` for a parameter that is missing or empty, and for what `parseRequestPath` refuses, as `..`.
 */
export function fillRoutePath(
  segments: readonly RouteSegment[],
  params: Record<string, unknown> = {},
): string {
  return `/${segments.map((segment) => fill(segment, params)).join('/')}`
}

function fill(segment: RouteSegment, params: Record<string, unknown>): string {
  if (segment.kind === 'text') return encodeURIComponent(segment.text)
  const { name } = segment
  const value = name === null ? '' : params[name]
  if (segment.kind === 'rest')
    return String(value ?? '')
      .split('/')
      .map((part) => encodePart(part, name!))
      .join('/')
  if (value !== undefined && value !== null && value !== '') return encodePart(String(value), name!)
  throw badParam(name!, value === '' ? 'empty' : 'missing', `give it: { params: { ${name}: … } }`)
}

/** Every URL takes `.` and `..` for steps, however they are encoded. */
function encodePart(text: string, name: string): string {
  if (text === '.' || text === '..')
    throw badParam(name, `\`${text}\`, a step to another path`, 'give it another name')
  const encoded = encode(text, name)
  if (encoded.includes('%') && isHostile(encoded))
    throw badParam(
      name,
      `${JSON.stringify(text.slice(0, 200))}, which could lead elsewhere`,
      'send it as `query`',
    )
  return encoded
}

function encode(text: string, name: string): string {
  try {
    return encodeURIComponent(text)
  } catch {
    throw badParam(name, 'no text: half of a character is missing', 'cut texts between their characters')
  }
}

/** Wherever it stands. */
function isHostile(part: string): boolean {
  try {
    parseRequestPath(`/-/${part}`)
    return false
  } catch {
    return true
  }
}

function badParam(name: string, what: string, hint: string): AppError {
  return new AppError('BAD_INPUT', {
    message: `the parameter "${name}" of the path is ${what}`,
    hint,
    data: { field: `params.${name}` },
  })
}

/** For sorting: the path that says more comes first, `/items/new` before `/items/:id` before `/items/**`. */
export function compareRoutePaths(one: readonly RouteSegment[], other: readonly RouteSegment[]): number {
  const weight = { text: 2, param: 1, rest: 0 }
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const difference = (other[at] ? weight[other[at]!.kind] : 1) - (one[at] ? weight[one[at]!.kind] : 1)
    if (difference !== 0) return difference
  }
  return 0
}

function badRoute(path: string, why: string, hint: string): AppError {
  return new AppError('BAD_ROUTE', {
    message: `the path ${JSON.stringify(path.slice(0, 200))} of a route cannot be used: ${why}`,
    hint,
  })
}
