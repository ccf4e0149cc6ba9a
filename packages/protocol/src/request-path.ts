import { AppError } from './error.ts'

/** A path below an endpoint's own origin, as it is sent. */
interface RequestPath {
  /** Begins with one slash or more. */
  path: string
  /** With its `?`, empty when there is none. */
  query: string
}

/** Deeper than anybody encodes by accident. */
const decodings = 4

/**
 * Reads a path that a caller gives; what stands in front of it is nobody's choice.
 *
 * - a path without a slash gets one; `//x` is a path too; what is behind `#` is left out, as browsers do.
 * - throws `BAD_PATH` for what could lead elsewhere however often it is decoded on its way, and `RESERVED_PATH` for what belongs to
 *   the platform and to workers: `/ping`, `/execute`, `/_runpod/…`.
 */
export function parseRequestPath(text: string): RequestPath {
  const [, path = '', query = ''] = /^([^?#]*)(\?[^#]*)?/s.exec(text)!
  const rooted = path.startsWith('/') ? path : `/${path}`
  if (controls.test(query)) throw badPath(text, 'its query has a control character')
  for (const reading of readingsOf(rooted, text)) {
    const segments = reading.split('/').filter((segment) => segment !== '' && segment !== '.')
    if (controls.test(reading)) throw badPath(text, 'it has a control character')
    if (reading.includes('\\')) throw badPath(text, 'it has a `\\`, which some servers read as `/`')
    if (segments.includes('..')) throw badPath(text, 'it has `..`')
    if (isReserved(segments)) throw reserved(text)
  }
  // A URL loses those at its end, and `/ping ` would be `/ping` after all.
  return { path: rooted.replaceAll(' ', '%20'), query }
}

// oxlint-disable-next-line no-control-regex -- They are what is looked for.
const controls = /[\0-\x1f\x7f]/

/** The path as it is written, and as each server that decodes it once more would read it. */
function readingsOf(path: string, text: string): string[] {
  if (/%(?![\da-f]{2})/i.test(path)) throw badPath(text, 'a `%` is not followed by two digits')
  const readings = [path]
  for (let at = 0; at < decodings; at++) {
    const decoded = decode(readings[at]!)
    if (decoded === readings[at]) break
    readings.push(decoded)
  }
  return readings
}

/** Byte by byte: all that is looked for is ASCII. */
function decode(text: string): string {
  return text.replaceAll(/%([\da-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
}

/** By the segments that say something: `//ping` and `/./ping` are `/ping` to somebody. */
function isReserved([first, ...rest]: string[]): boolean {
  if (first === '_runpod') return true
  return (first === 'ping' || first === 'execute') && rest.length === 0
}

function badPath(text: string, why: string): AppError {
  return new AppError('BAD_PATH', {
    message: `the path ${JSON.stringify(text.slice(0, 200))} cannot be used: ${why}`,
    hint: 'give the path as the endpoint has it, each part of it through `encodeURIComponent`',
  })
}

function reserved(text: string): AppError {
  return new AppError('RESERVED_PATH', {
    message: `the path ${JSON.stringify(text.slice(0, 200))} belongs to the platform and to workers`,
    hint: '`/ping`, `/execute` and `/_runpod/…` are called by nobody else; use another path',
  })
}
