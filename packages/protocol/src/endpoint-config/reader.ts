import { formatPath, type Path, type Problems } from './problems.ts'
import { findClosest } from './spelling.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * Reads one object of a config. Every method takes a field, answers its value or, after noting a problem, the fallback,
 * so that one pass finds everything that is wrong.
 */
export interface Reader {
  readonly path: Path
  has(key: string): boolean
  raw(key: string): unknown
  whole<T>(key: string, limits: { min: number; max?: number }, fallback: T): number | T
  text<T>(key: string, rule: TextRule, fallback: T): string | T
  texts(key: string, rule: TextRule, options?: { single?: boolean; atLeast?: number }): string[] | undefined
  flag(key: string, fallback: boolean): boolean
  oneOf<const V extends string | boolean, T>(key: string, values: readonly V[], fallback: T): V | T
  refuse(
    key: string,
    message: string,
    options?: { code?: 'UNKNOWN_FIELD' | 'BAD_NAME'; hide?: boolean },
  ): void
}

/** What a text must be. `check` answers what is wrong, as the end of a sentence, or `undefined`. */
export interface TextRule {
  /** `an image reference`. */
  what: string
  check?: (text: string) => string | undefined
  code?: 'BAD_NAME'
  /** An empty text says something. */
  blank?: boolean
}

function createReader(problems: Problems, fields: Fields, path: Path): Reader {
  const at = (key: string) => [...path, key]
  const raw = (key: string) => (Object.hasOwn(fields, key) ? fields[key] : undefined)
  const add = (key: string, message: string) => problems.add(at(key), message, { value: raw(key) })
  return {
    path,
    raw,
    has: (key) => raw(key) !== undefined,
    whole(key, limits, fallback) {
      const value = raw(key)
      if (value === undefined) return fallback
      if (isWhole(value, limits)) return value
      add(key, `is not allowed; ${describeWhole(limits)} is`)
      return fallback
    },
    text(key, rule, fallback) {
      const value = raw(key)
      if (value === undefined) return fallback
      return checkText(problems, at(key), value, rule) ? value : fallback
    },
    texts(key, rule, { single = false, atLeast = 0 } = {}) {
      const value = raw(key)
      if (value === undefined) return undefined
      if (single && typeof value === 'string')
        return checkText(problems, at(key), value, rule) ? [value] : undefined
      return readTexts(problems, at(key), value, rule, { single, atLeast })
    },
    flag(key, fallback) {
      const value = raw(key)
      if (value === undefined || typeof value === 'boolean') return value ?? fallback
      add(key, 'is not allowed; true or false is')
      return fallback
    },
    oneOf(key, values, fallback) {
      const value = raw(key)
      if (value === undefined) return fallback
      const known = values.find((candidate) => candidate === value)
      if (known !== undefined) return known
      add(key, `is not allowed; ${listOf(values.map((candidate) => JSON.stringify(candidate)))} is`)
      return fallback
    },
    refuse: (key, message, { code, hide = false } = {}) =>
      problems.add(at(key), message, { ...(code && { code }), ...(!hide && { value: raw(key) }) }),
  }
}

interface Shape {
  what: string
  keys: readonly string[]
  /** Other spellings, in small letters and digits only. */
  aliases?: Readonly<Record<string, string>>
}

/** A reader of the object at `path`; `undefined`, with a problem noted, when there is none. */
export function readObject(problems: Problems, value: unknown, path: Path, shape: Shape): Reader | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    problems.add(path, `is not allowed; ${shape.what} is`, { value })
    return undefined
  }
  const fields = value as Fields
  for (const key of Object.keys(fields)) {
    if (shape.keys.includes(key) || fields[key] === undefined) continue
    problems.add([...path, key], describeUnknown(key, path, shape), { code: 'UNKNOWN_FIELD' })
  }
  return createReader(problems, fields, path)
}

function describeUnknown(key: string, path: Path, { keys, aliases = {} }: Shape): string {
  const spelling = key.toLowerCase().replace(/[^a-z0-9]/g, '')
  const meant = Object.hasOwn(aliases, spelling) ? aliases[spelling] : findClosest(key, keys)
  const parent = path.length > 0 ? ` of ${formatPath(path)}` : ''
  return `is not a field${parent}; ${meant ? `did you mean ${meant}?` : `the fields are ${listOf(keys, 'and')}`}`
}

function checkText(problems: Problems, path: Path, value: unknown, rule: TextRule): value is string {
  if (typeof value !== 'string' || (!rule.blank && value.trim() === '')) {
    problems.add(path, `is not allowed; ${rule.what} is`, { value })
    return false
  }
  const wrong = rule.check?.(value)
  if (wrong === undefined) return true
  problems.add(path, wrong, { value, ...(rule.code && { code: rule.code }) })
  return false
}

function readTexts(
  problems: Problems,
  path: Path,
  value: unknown,
  rule: TextRule,
  { single, atLeast }: { single: boolean; atLeast: number },
): string[] | undefined {
  if (!Array.isArray(value) || value.length < atLeast) {
    const many = `${atLeast > 0 ? 'a list with at least one entry' : 'a list'}, each ${rule.what}`
    problems.add(path, `is not allowed; ${single ? `${rule.what} or ` : ''}${many} is`, { value })
    return undefined
  }
  const seen = new Set<string>()
  for (const [index, entry] of value.entries()) {
    if (!checkText(problems, [...path, String(index)], entry, rule)) continue
    if (seen.has(entry)) problems.add([...path, String(index)], 'is in the list twice', { value: entry })
    seen.add(entry)
  }
  return [...seen]
}

export function isWhole(
  value: unknown,
  { min, max = Number.MAX_SAFE_INTEGER }: { min: number; max?: number },
): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
}

export function describeWhole({ min, max }: { min: number; max?: number }): string {
  return max === undefined ? `a whole number from ${min} on` : `a whole number from ${min} to ${max}`
}

export function listOf(words: readonly string[], joint = 'or'): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} ${joint} ${words.at(-1)}`
}

/** A rule for texts of one pattern. */
export function matching(what: string, pattern: RegExp): TextRule {
  return { what, check: (text) => (pattern.test(text) ? undefined : `is not allowed; ${what} is`) }
}
