import { AppError } from '../error.ts'
import { toBase64 } from './base64.ts'
import { brandOf, type Brand, nameThing } from './brand.ts'
import { readPart } from './blob.ts'
import { isPlain, type PlainJson } from './json.ts'
import { type DecodeLimits, decodeLimits, isForbiddenKey } from './limits.ts'
import { formatPath, type PathStep } from './path.ts'
import type { Direction } from './tags.ts'

interface Walk {
  limits: DecodeLimits
  direction: Direction
  /** An answer of HTTP, which is JSON for everybody. */
  isAnswer: boolean
  path: PathStep[]
  /** The objects around the current one. */
  around: Set<object>
  values: number
  blobs: { bytes: Blob; place(text: string): void }[]
}

/**
 * A result for a caller that is not ours, or an input for a worker that is not, as plain JSON: dates as ISO text, bytes and files as base64, URLs as text; `undefined`,
 * `NaN` and the infinities as JSON has them: left out, or `null`. At once, unless it holds a Blob or File.
 *
 * Throws `OUTPUT_NOT_JSON`, of an input `CANNOT_CARRY`, with the path of what has no such form: maps, sets, bigints, cycles, errors,
 * classes.
 */
export function writeForeign(
  value: unknown,
  limits: DecodeLimits = decodeLimits,
  direction: Direction = 'out',
): PlainJson | Promise<PlainJson> {
  return isPlain(value) ? value : write(value, { limits, direction, isAnswer: false })
}

/** The same of a result of a route. Keys that flash's own calls never carry are data here, as they are to `JSON.stringify`. */
export function writeRouteResult(value: unknown): PlainJson | Promise<PlainJson> {
  return isPlain(value) ? value : write(value, { limits: decodeLimits, direction: 'out', isAnswer: true })
}

function write(
  value: unknown,
  how: Pick<Walk, 'limits' | 'direction' | 'isAnswer'>,
): PlainJson | Promise<PlainJson> {
  const walk: Walk = { ...how, path: [], around: new Set(), values: 0, blobs: [] }
  const root: { value?: unknown } = {}
  convertInto(root, 'value', value, walk)
  const finish = () => (root.value ?? null) as PlainJson
  if (walk.blobs.length === 0) return finish()
  return Promise.all(walk.blobs.map(async ({ bytes, place }) => place(toBase64(await readPart(bytes))))).then(
    finish,
  )
}

function convertInto(target: object, key: string | number, value: unknown, walk: Walk): void {
  const put = (converted: unknown) => setOwn(target, key, converted)
  if (++walk.values > walk.limits.values) {
    throw notJson(walk, `has more than ${walk.limits.values} values, each shared one counted at each place`)
  }
  if (typeof value === 'object' && value !== null) convertObject(value, put, walk)
  else if (value === undefined && !Array.isArray(target)) return
  else put(convertPrimitive(value, walk))
}

/** Whatever the key is: an assignment to `__proto__` would give the object another prototype. */
function setOwn(target: object, key: string | number, value: unknown): void {
  if (key !== '__proto__') (target as Record<string | number, unknown>)[key] = value
  else Object.defineProperty(target, key, { value, enumerable: true, writable: true, configurable: true })
}

function convertPrimitive(value: unknown, walk: Walk): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value + 0 : null
  if (typeof value === 'string' || typeof value === 'boolean') return value
  if (value === undefined || value === null) return null
  throw notJson(walk, `is ${nameThing(value)}`)
}

function convertObject(value: object, put: (converted: unknown) => void, walk: Walk): void {
  if (walk.around.has(value)) throw notJson(walk, 'contains itself')
  if (walk.around.size === walk.limits.depth)
    throw notJson(walk, `is nested deeper than ${walk.limits.depth} levels`)
  const brand = brandOf(value)
  const convert = brand && converters[brand]
  if (!convert) throw notJson(walk, `is ${nameThing(value)}`)
  walk.around.add(value)
  convert(value as never, put, walk)
  walk.around.delete(value)
}

const converters: { [B in Brand]?: (value: never, put: (converted: unknown) => void, walk: Walk) => void } = {
  Object(value: Record<string, unknown>, put, walk) {
    const copy = {}
    for (const key of Object.keys(value)) {
      walk.path.push(key)
      if (isForbiddenKey(key) && !walk.isAnswer) throw notJson(walk, 'has a key that flash never carries')
      convertInto(copy, key, value[key], walk)
      walk.path.pop()
    }
    put(copy)
  },
  Array(value: unknown[], put, walk) {
    if (value.length > walk.limits.arrayLength)
      throw notJson(walk, `has ${value.length} items, the limit is ${walk.limits.arrayLength}`)
    const copy: unknown[] = []
    for (let index = 0; index < value.length; index++) {
      walk.path.push(index)
      convertInto(copy, index, value[index], walk)
      walk.path.pop()
    }
    put(copy)
  },
  Date: (value: Date, put) => put(Number.isNaN(value.getTime()) ? null : value.toISOString()),
  URL: (value: URL, put) => put(value.href),
  View: (value: ArrayBufferView, put) =>
    put(toBase64(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))),
  ArrayBuffer: (value: ArrayBuffer, put) => put(toBase64(new Uint8Array(value))),
  Blob: (bytes: Blob, place, walk) => void walk.blobs.push({ bytes, place }),
  File: (bytes: File, place, walk) => void walk.blobs.push({ bytes, place }),
}

function notJson({ path, direction, isAnswer }: Walk, what: string): AppError {
  const where = formatPath(path, direction)
  const message = `${where} ${what}, which plain JSON cannot say`
  const data = { path: where }
  if (direction === 'in') return new AppError('CANNOT_CARRY', { message, hint: 'send plain data', data })
  return new AppError('OUTPUT_NOT_JSON', {
    message,
    hint: isAnswer
      ? 'return plain data: an array or object for a map or set, text for a bigint or an error'
      : 'return plain data, or call the function through its stub, which carries more types',
    data,
  })
}
