import { isError } from './describe-error.ts'
import { countPrototypes, isPlainArray, isPlainObject } from './json.ts'

export type Brand =
  | 'Object'
  | 'Array'
  | 'Date'
  | 'Map'
  | 'Set'
  | 'URL'
  | 'View'
  | 'ArrayBuffer'
  | 'Blob'
  | 'File'
  | 'FormData'
  | 'Error'

/** What kind of thing an object is, for the wire; `null` for what does not travel. Works across realms. */
export function brandOf(value: object): Brand | null {
  if (isPlainArray(value)) return 'Array'
  if (isPlainObject(value)) return 'Object'
  if (ArrayBuffer.isView(value)) return 'View'
  if (isError(value)) return 'Error'
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  return Object.hasOwn(tests, tag) && tests[tag as keyof typeof tests](value) ? (tag as Brand) : null
}

/** A tag can be worn by anybody, so the built-in's own getter has the last word; subclasses are classes of the user. */
const tests = {
  Date: (value: object) => countPrototypes(value) === 2 && passes(() => Date.prototype.getTime.call(value)),
  // A reactive proxy keeps the prototype, and answers only when its methods are called on itself.
  Map: (value: object) =>
    Object.getPrototypeOf(value) === Map.prototype ||
    (countPrototypes(value) === 2 && passes(() => Map.prototype.has.call(value, 0))),
  Set: (value: object) =>
    Object.getPrototypeOf(value) === Set.prototype ||
    (countPrototypes(value) === 2 && passes(() => Set.prototype.has.call(value, 0))),
  ArrayBuffer: (value: object) => passes(() => ArrayBuffer.prototype.slice.call(value, 0, 0)),
  URL: (value: object) => typeof (value as URL).href === 'string',
  Blob: isBlob,
  File: (value: object) => isBlob(value) && typeof (value as File).name === 'string',
  FormData: (value: object) => typeof (value as FormData).entries === 'function',
}

function isBlob(value: object): boolean {
  return typeof (value as Blob).size === 'number' && typeof (value as Blob).slice === 'function'
}

function passes(test: () => unknown): boolean {
  try {
    test()
    return true
  } catch {
    return false
  }
}

/** "a function", "an instance of class User": what an error calls the thing that does not travel. */
export function nameThing(value: unknown): string {
  if (typeof value === 'function') return isClass(value) ? 'a class' : 'a function'
  return typeof value === 'object' && value !== null ? nameObject(value) : `a ${typeof value}`
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value))
}

function nameObject(value: object): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1)
  if (/^(Number|String|Boolean)$/.test(tag)) return `a ${tag} object`
  const name = constructorName(value)
  if (name !== undefined && name !== tag) return `an instance of class ${name}`
  return tag === 'Object' ? 'an object with a prototype of its own' : withArticle(tag)
}

function withArticle(tag: string): string {
  return `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}`
}

function constructorName(value: object): string | undefined {
  try {
    const name: unknown = value.constructor?.name
    return typeof name === 'string' && name ? name : undefined
  } catch {
    return undefined
  }
}
