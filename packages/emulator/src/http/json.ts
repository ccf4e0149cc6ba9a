import { AppError } from '@flash/protocol'

/** Whoever writes a value back would run out of stack below some thousand levels. */
const MAX_DEPTH = 1_000

const QUOTE = 34
const BACKSLASH = 92

/**
 * Parses JSON from outside, and the bare `NaN`, `Infinity` and `-Infinity` that Python writes, as `null`.
 *
 * - throws `BAD_REQUEST` for what is no JSON, and for nesting deeper than 1,000 levels.
 */
export function parseJson(bytes: Buffer): unknown {
  const text = bytes.toString('utf8')
  if (text.length > 2 * MAX_DEPTH && depthOf(bytes) > MAX_DEPTH)
    throw badJson(`it is nested deeper than ${MAX_DEPTH} levels`)
  try {
    return JSON.parse(text)
  } catch (cause) {
    return parseOfPython(text, cause as Error)
  }
}

function parseOfPython(text: string, first: Error): unknown {
  if (!/NaN|Infinity/.test(text)) throw badJson(first.message, first)
  try {
    return JSON.parse(withoutBareNumbers(text))
  } catch (cause) {
    throw badJson((cause as Error).message, cause)
  }
}

function badJson(what: string, cause?: unknown): AppError {
  return new AppError('BAD_REQUEST', { message: `the body cannot be read as JSON: ${what}`, cause })
}

/** How deep lists and objects stand inside each other. */
function depthOf(bytes: Buffer): number {
  let level = 0
  let deepest = 0
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at]!
    if (code === QUOTE) at = endOfString(bytes, at)
    // The two opening brackets differ in one bit, and so do the closing ones.
    else if ((code & ~0x20) === 0x5b) deepest = Math.max(deepest, ++level)
    else if ((code & ~0x20) === 0x5d) level--
  }
  return deepest
}

/** Index of the closing quote, or of the end when there is none. */
function endOfString(bytes: Buffer, start: number): number {
  for (let at = bytes.indexOf(QUOTE, start + 1); at !== -1; at = bytes.indexOf(QUOTE, at + 1)) {
    let escapes = 0
    while (bytes[at - 1 - escapes] === BACKSLASH) escapes++
    if (escapes % 2 === 0) return at
  }
  return bytes.length
}

function withoutBareNumbers(text: string): string {
  const bytes = Buffer.from(text)
  const parts: string[] = []
  let from = 0
  const outside = (to: number) => {
    const part = bytes.toString('utf8', from, to)
    parts.push(part.replaceAll(/-?\bInfinity\b|\bNaN\b/g, 'null'))
  }
  for (let at = bytes.indexOf(QUOTE); at !== -1; at = bytes.indexOf(QUOTE, from)) {
    outside(at)
    from = endOfString(bytes, at) + 1
    parts.push(bytes.toString('utf8', at, from))
  }
  outside(bytes.length)
  return parts.join('')
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
