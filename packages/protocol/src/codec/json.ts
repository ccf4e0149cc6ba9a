import { AppError } from '../error.ts'
import { type DecodeLimits, decodeLimits, isForbiddenKey } from './limits.ts'
import type { Direction } from './tags.ts'

/**
 * JSON text of a value that JSON carries whole, else `null`: no `undefined`, `-0`, `NaN`, class, cycle,
 * nor an object that stands at two places (a reader would get two).
 */
export function toPlainJson(value: unknown): string | null {
  return isPlain(value) ? JSON.stringify(value) : null
}

/** What `JSON.parse` can return. */
export type PlainJson = null | boolean | number | string | PlainJson[] | { [key: string]: PlainJson }

/** Whether JSON carries the value whole. */
export function isPlain(value: unknown): value is PlainJson {
  return isPlainBelow(value, decodeLimits.depth, new Set())
}

function isPlainBelow(value: unknown, depth: number, seen: Set<unknown>): boolean {
  if (typeof value === 'object') return value === null || isPlainTree(value, depth, seen)
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return typeof value === 'string' || typeof value === 'boolean'
}

function isPlainTree(value: object, depth: number, seen: Set<unknown>): boolean {
  if (depth === 0 || seen.has(value) || typeof (value as { toJSON?: unknown }).toJSON === 'function')
    return false
  seen.add(value)
  return Array.isArray(value) ? isPlainList(value, depth, seen) : isPlainRecord(value, depth, seen)
}

function isPlainList(value: unknown[], depth: number, seen: Set<unknown>): boolean {
  if (!isPlainArray(value)) return false
  // By index: a hole reads as undefined, which no other way of walking an array shows.
  for (let index = 0; index < value.length; index++)
    if (!isPlainBelow(value[index], depth - 1, seen)) return false
  return true
}

function isPlainRecord(value: object, depth: number, seen: Set<unknown>): boolean {
  if (!isPlainObject(value) || enumerableSymbol(value)) return false
  for (const key of Object.keys(value)) {
    if (isForbiddenKey(key) || !isPlainBelow(value[key], depth - 1, seen)) return false
  }
  return true
}

/** An array of this or another realm, not of a subclass. */
export function isPlainArray(value: object): value is unknown[] {
  if (!Array.isArray(value)) return false
  return Object.getPrototypeOf(value) === Array.prototype || countPrototypes(value) === 2
}

/** An object literal of this or another realm, or one without a prototype. */
export function isPlainObject(value: object): value is Record<string, unknown> {
  const prototype: object | null = Object.getPrototypeOf(value)
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'hasOwnProperty')
}

export function countPrototypes(value: object): number {
  let count = 0
  for (let at: object | null = Object.getPrototypeOf(value); at; at = Object.getPrototypeOf(at)) count++
  return count
}

/** The first symbol key that a copy would lose. */
export function enumerableSymbol(value: object): symbol | undefined {
  return Object.getOwnPropertySymbols(value).find((key) =>
    Object.prototype.propertyIsEnumerable.call(value, key),
  )
}

/** Refuses what came over the wire: of the caller's making going in, of the other side's coming out. */
export function refuse(direction: Direction, what: string, cause?: unknown): AppError {
  return direction === 'in'
    ? new AppError('BAD_INPUT', { message: `the input cannot be read: ${what}`, cause })
    : new AppError('BAD_RESULT', {
        message: `the answer cannot be read: ${what}`,
        hint: 'build both sides with the same version',
        cause,
      })
}

/** Parses JSON from outside: depth, number of values and text length are checked before anything is built. */
export function parsePlainJson(
  text: string,
  direction: Direction = 'in',
  limits: DecodeLimits = decodeLimits,
): unknown {
  scanText(text, { depth: limits.depth, values: limits.values }, direction, limits)
  const value = parseJson(text, direction)
  // Most texts cannot hold a forbidden key and need no walk; an escape could spell one.
  if (/__proto__|constructor|prototype|\\u/.test(text)) checkPlain(value, direction, limits)
  return value
}

/** Checks depth and keys of what `JSON.parse` made elsewhere. */
export function checkPlain(
  value: unknown,
  direction: Direction = 'in',
  limits: DecodeLimits = decodeLimits,
): void {
  const check = (inner: unknown, depth: number) => {
    if (typeof inner !== 'object' || inner === null) return
    if (depth > limits.depth) throw overLimit(direction, 'the nesting reaches', depth, limits.depth, 'levels')
    if (!Array.isArray(inner))
      for (const key of Object.keys(inner)) if (isForbiddenKey(key)) throw forbiddenKey(direction, key)
    for (const item of Object.values(inner)) check(item, depth + 1)
  }
  check(value, 1)
}

export function parseJson(text: string, direction: Direction): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw refuse(direction, 'it is not JSON', cause)
  }
}

export function forbiddenKey(direction: Direction, key: string): AppError {
  return refuse(direction, `an object has the key "${key}", which is never accepted`)
}

const QUOTE = 34
const COMMA = 44
const BACKSLASH = 92

/** One pass over the characters of a JSON text, before `JSON.parse` allocates anything. */
export function scanText(
  text: string,
  caps: { depth: number; values: number },
  direction: Direction,
  limits: DecodeLimits,
): void {
  let level = 0
  let values = 1
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      const end = endOfString(text, at)
      if (end - at > limits.stringLength)
        throw overLimit(direction, 'a text has', end - at, limits.stringLength, 'characters')
      at = end
    } else if (code === COMMA) {
      values++
    } else if ((code & ~0x20) === 0x5b) {
      values++
      if (++level > caps.depth) throw overLimit(direction, 'the nesting reaches', level, caps.depth, 'levels')
    } else if ((code & ~0x20) === 0x5d) {
      level--
    }
  }
  if (values > caps.values) throw overLimit(direction, 'there are', values, caps.values, 'values')
}

export function overLimit(
  direction: Direction,
  what: string,
  given: number,
  limit: number,
  unit: string,
): AppError {
  return refuse(direction, `${what} ${given} ${unit}, the limit is ${limit}`)
}

/** Index of the closing quote, or of the end when there is none. */
function endOfString(text: string, start: number): number {
  for (let at = text.indexOf('"', start + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0
    while (text.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes++
    if (escapes % 2 === 0) return at
  }
  return text.length
}
