import type { LogLine } from '../../endpoints/types.ts'
import { invalid } from '../refuse.ts'

/** Which lines of a log a request is for. */
export interface LogRequest {
  isWanted(line: LogLine): boolean
  /** Those of the past, of all that are kept. */
  past(lines: readonly LogLine[]): LogLine[]
}

const DEFAULT_TAIL = 100
const MAX_TAIL = 5_000

/**
 * Reads `source`, `tail`, `since` and the header `Last-Event-ID`, each of which beats the ones before.
 *
 * - throws `BAD_INPUT`.
 */
export function parseLogRequest(request: Request): LogRequest {
  const query = new URL(request.url).searchParams
  const source = parseSource(query.get('source'))
  const tail = parseTail(query.get('tail'))
  const from = parseCursor(request.headers.get('last-event-id')) ?? parseSince(query.get('since'))
  const isWanted = (line: LogLine) => source === null || line.source === source
  return {
    isWanted,
    past(lines) {
      const wanted = lines.filter(isWanted)
      if (from) return wanted.filter(from)
      return tail === 0 ? [] : wanted.slice(-tail)
    },
  }
}

function parseSource(source: string | null): string | null {
  if (source === null || source === 'container' || source === 'system') return source
  throw invalid(['source: must be container or system'])
}

function parseTail(tail: string | null): number {
  if (tail === null) return DEFAULT_TAIL
  const count = /^\d{1,4}$/.test(tail) ? Number(tail) : Number.NaN
  if (!(count <= MAX_TAIL)) throw invalid([`tail: must be a whole number from 0 to ${MAX_TAIL}`])
  return count
}

function parseSince(since: string | null): ((line: LogLine) => boolean) | undefined {
  if (since === null) return undefined
  // A plus that was not escaped arrives as a blank.
  const at = Date.parse(since.replace(' ', '+'))
  if (Number.isNaN(at)) throw invalid(['since: must be a time as RFC 3339 has it'])
  return (line) => line.at >= at
}

/** `2026-06-01T12:05:04.000Z/000000000042`, as `toCursor` writes it; the number is that of the line. */
function parseCursor(cursor: string | null): ((line: LogLine) => boolean) | undefined {
  if (cursor === null || cursor === '') return undefined
  const [time = '', index] = cursor.split('/')
  const at = Date.parse(time)
  if (Number.isNaN(at)) throw invalid(['Last-Event-ID: must be an id of this stream'])
  if (index === undefined) return (line) => line.at > at
  const last = /^\d{1,15}$/.test(index) ? Number(index) : Number.NaN
  if (Number.isNaN(last)) throw invalid(['Last-Event-ID: must be an id of this stream'])
  return (line) => line.index > last
}

export function toCursor({ at, index }: LogLine): string {
  return `${new Date(at).toISOString()}/${String(index).padStart(12, '0')}`
}
