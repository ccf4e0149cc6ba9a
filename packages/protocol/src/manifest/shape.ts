/** Looks at a value and throws a `Misfit` when it is not what a file should have there. */
export type Shape = (value: unknown, path: string) => void

/** The first value of a file that is not what it should be. */
export class Misfit extends Error {
  /** The end of a sentence: `endpoints.ocr.kind is 3, and "queue" was expected`. */
  constructor(path: string, value: unknown, wanted: string) {
    super(`${path || 'it'} is ${show(value)}, and ${wanted} was expected`)
  }
}

function show(value: unknown): string {
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object' && value !== null) return 'an object'
  const text = JSON.stringify(value)
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function shape(wanted: string, isRight: (value: unknown) => boolean): Shape {
  return (value, path) => {
    if (!isRight(value)) throw new Misfit(path, value, wanted)
  }
}

export const text = shape('a text', (value) => typeof value === 'string')
export const flag = shape('true or false', (value) => typeof value === 'boolean')

export const matching = (wanted: string, pattern: RegExp): Shape =>
  shape(wanted, (value) => typeof value === 'string' && pattern.test(value))

/** `undefined` when the text is right, else what is wrong, as the end of a sentence. */
export const passing =
  (check: (value: string) => string | undefined): Shape =>
  (value, path) => {
    text(value, path)
    const wrong = check(value as string)
    if (wrong !== undefined) throw new Misfit(path, value, `a text that is no such name (it ${wrong})`)
  }

export const whole = (min: number): Shape =>
  shape(`a whole number from ${min} on`, (value) => Number.isSafeInteger(value) && (value as number) >= min)

export const number = shape('a number', (value) => Number.isFinite(value))

export const oneOf = (...values: (string | number | boolean)[]): Shape =>
  shape(values.map((value) => JSON.stringify(value)).join(' or '), (value) =>
    values.includes(value as string),
  )

export const nullable =
  (inner: Shape): Shape =>
  (value, path) => {
    if (value !== null) inner(value, path)
  }

export const optional =
  (inner: Shape): Shape =>
  (value, path) => {
    if (value !== undefined) inner(value, path)
  }

export const listOf =
  (inner: Shape): Shape =>
  (value, path) => {
    if (!Array.isArray(value)) throw new Misfit(path, value, 'a list')
    for (const [index, item] of value.entries()) inner(item, `${path}[${index}]`)
  }

/** An object with the fields of `T`; others are not looked at. */
export const fields =
  <T>(shapes: Readonly<Record<keyof T, Shape>>): Shape =>
  (value, path) => {
    if (!isObject(value)) throw new Misfit(path, value, 'an object')
    for (const [key, inner] of Object.entries<Shape>(shapes))
      inner(Object.hasOwn(value, key) ? value[key] : undefined, path ? `${path}.${key}` : key)
  }

export const recordOf =
  (key: Shape, inner: Shape): Shape =>
  (value, path) => {
    if (!isObject(value)) throw new Misfit(path, value, 'an object')
    for (const [name, item] of Object.entries(value)) {
      key(name, `a key of ${path}`)
      inner(item, `${path}.${name}`)
    }
  }

/** An object whose field `kind` says which of several shapes it has. */
export const kinds =
  (shapes: Readonly<Record<string, Shape>>): Shape =>
  (value, path) => {
    fields<{ kind: string }>({ kind: oneOf(...Object.keys(shapes)) })(value, path)
    shapes[(value as { kind: string }).kind]!(value, path)
  }
