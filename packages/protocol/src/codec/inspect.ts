import { AppError } from '../error.ts'
import { type Brand, brandOf, nameThing } from './brand.ts'
import { isError } from './describe-error.ts'
import { enumerableSymbol } from './json.ts'
import { decodeLimits as limits, isForbiddenKey } from './limits.ts'
import { formatPath, type PathStep } from './path.ts'
import type { Direction, Tag } from './tags.ts'
import type { WireError } from './error.ts'

export interface Inspected {
  /** What stands in the text for each object that devalue does not know. */
  stands: Map<object, { tag: Tag; payload: unknown }>
  parts: (Uint8Array<ArrayBuffer> | Blob)[]
}

export interface InspectOptions {
  direction: Direction
  /** Parts refer to the caller's memory, which must stay as it is until they are sent. */
  borrow: boolean
  label?: string
  describeError(error: Error): WireError
}

interface Walk extends Inspected, InspectOptions {
  path: PathStep[]
  /** Every object met, with the number of values it stands for; 1 while the walk is inside it. */
  seen: Map<object, number>
  values: number
  depth: number
}

/** Walks a value in the order devalue does: refuses with the exact path what does not travel, and takes out the bytes. */
export function inspect(value: unknown, options: InspectOptions): Inspected {
  const walk: Walk = {
    ...options,
    stands: new Map(),
    parts: [],
    path: [],
    seen: new Map(),
    values: 0,
    depth: 0,
  }
  visit(value, walk)
  return walk
}

/** Returns how many values there are when each shared one counts at each place it stands. */
function visit(value: unknown, walk: Walk): number {
  if (++walk.values > limits.values) throw tooMuch(walk, `there are more than ${limits.values} values`)
  if (typeof value === 'object' && value !== null) return visitObject(value, walk)
  if (typeof value === 'function' || typeof value === 'symbol') throw cannotCarry(walk, value)
  if (typeof value === 'string' && value.length > limits.stringLength) {
    throw tooMuch(walk, `it has ${value.length} characters, the limit is ${limits.stringLength}`)
  }
  if (typeof value === 'bigint') checkBigint(value, walk)
  return 1
}

function visitObject(value: object, walk: Walk): number {
  const known = walk.seen.get(value)
  if (known !== undefined) return known
  walk.seen.set(value, 1)
  const brand = brandOf(value)
  if (!brand || (brand === 'Error' && walk.direction === 'in')) throw cannotCarry(walk, value)
  const leaf = leaves[brand]
  if (leaf) leaf(value as never, walk)
  const inside = containers[brand]
  if (!inside) return 1
  if (++walk.depth > limits.depth) throw tooMuch(walk, `it is nested deeper than ${limits.depth} levels`)
  const weight = inside(value as never, walk) + 1
  walk.depth--
  if (weight > limits.expanded)
    throw tooMuch(walk, `with each shared object written out there are more than ${limits.expanded} values`)
  walk.seen.set(value, weight)
  return weight
}

type Table<R> = { [B in Brand]?: (value: never, walk: Walk) => R }

/** What has nothing inside. Dates and URLs are devalue's own. */
const leaves: Table<void> = {
  View(value: ArrayBufferView, walk: Walk) {
    standBytes(
      value,
      viewName(value),
      new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength),
      walk,
    )
  },
  ArrayBuffer(value: ArrayBuffer, walk: Walk) {
    standBytes(value, 'ArrayBuffer', new Uint8Array(value), walk)
  },
  Blob(value: Blob, walk: Walk) {
    stand(value, 'Blob', [value.type, addPart(value, walk)], walk)
  },
  File(value: File, walk: Walk) {
    stand(value, 'File', [value.name, value.type, value.lastModified, addPart(value, walk)], walk)
  },
}

const containers: Table<number> = {
  Object: visitPlain,
  Array: visitArray,
  Map: visitMap,
  Set(value: Set<unknown>, walk: Walk) {
    checkSize(value.size, walk)
    let index = 0
    let weight = 0
    for (const item of value) weight += visitAt({ as: `.values()[${index++}]` }, item, walk)
    return weight
  },
  FormData(value: FormData, walk: Walk) {
    const entries = [...value.entries()]
    checkSize(entries.length, walk)
    stand(value, 'FormData', entries.flat(), walk)
    let weight = entries.length
    for (const [name, item] of entries) weight += visitAt({ as: `.get(${JSON.stringify(name)})` }, item, walk)
    return weight
  },
  Error(value: Error, walk: Walk) {
    const wire = walk.describeError(value)
    stand(value, 'Error', wire, walk)
    return visit(wire, walk)
  },
}

function visitPlain(value: Record<string, unknown>, walk: Walk): number {
  const symbol = enumerableSymbol(value)
  if (symbol)
    throw refusal(walk, [{ as: `[${String(symbol)}]` }], 'has a symbol as its key, which flash cannot carry')
  let weight = 0
  for (const key of Object.keys(value)) {
    if (isForbiddenKey(key)) throw refusal(walk, [key], 'has a key that flash never carries')
    weight += visitAt(key, value[key], walk)
  }
  return weight
}

function visitArray(value: unknown[], walk: Walk): number {
  if (value.length > limits.arrayLength)
    throw tooMuch(walk, `it has ${value.length} items, the limit is ${limits.arrayLength}`)
  let weight = value.length
  for (let index = 0; index < value.length; index++) {
    // A hole is not visited, and counts like a value.
    if (index in value) weight += visitAt(index, value[index], walk) - 1
  }
  return weight
}

function visitMap(value: Map<unknown, unknown>, walk: Walk): number {
  checkSize(value.size, walk)
  let index = 0
  let weight = 0
  for (const [key, item] of value) {
    weight += visitAt({ as: `.keys()[${index}]` }, key, walk)
    const name =
      typeof key === 'string' || typeof key === 'number'
        ? `.get(${JSON.stringify(key)})`
        : `.values()[${index}]`
    weight += visitAt({ as: name }, item, walk)
    index++
  }
  return weight
}

function visitAt(step: PathStep, value: unknown, walk: Walk): number {
  walk.path.push(step)
  const weight = visit(value, walk)
  walk.path.pop()
  return weight
}

function stand(value: object, tag: Tag, payload: unknown, walk: Walk): void {
  walk.stands.set(value, { tag, payload })
}

function standBytes(value: object, kind: string, bytes: Uint8Array<ArrayBuffer>, walk: Walk): void {
  const keeps = walk.borrow && bytes.buffer instanceof ArrayBuffer
  stand(value, 'Bytes', [kind, addPart(keeps ? bytes : bytes.slice(), walk)], walk)
}

function addPart(part: Uint8Array<ArrayBuffer> | Blob, walk: Walk): number {
  if (walk.parts.length === limits.parts)
    throw tooMuch(walk, `there are more than ${limits.parts} typed arrays, buffers and blobs`)
  return walk.parts.push(part) - 1
}

/** The built-in's own name for a view: a subclass (Node's Buffer is one) travels as what it extends. */
function viewName(view: ArrayBufferView): string {
  const name = Object.getOwnPropertyDescriptor(
    Object.getPrototypeOf(Uint8Array.prototype),
    Symbol.toStringTag,
  )!.get!.call(view)
  return name ?? 'DataView'
}

function checkSize(size: number, walk: Walk): void {
  if (size > limits.collectionSize)
    throw tooMuch(walk, `it has ${size} entries, the limit is ${limits.collectionSize}`)
}

function checkBigint(value: bigint, walk: Walk): void {
  // Hexadecimal first: it is never longer than decimal, and quick to write at any size.
  const sizes = (value < 0n ? -value : value).toString(16).length
  const digits = sizes > limits.bigintDigits ? sizes : String(value < 0n ? -value : value).length
  if (digits > limits.bigintDigits)
    throw tooMuch(walk, `it is a bigint of more than ${limits.bigintDigits} digits`)
}

const hints: Record<string, string> = {
  'a function': 'send data, and keep the function on its own side',
  'a class': 'send data, and keep the class on its own side',
  'a RegExp': 'send its source as text',
  'a Promise': 'await it first',
}

function cannotCarry(walk: Walk, value: unknown): AppError {
  const name = nameThing(value)
  if (isError(value)) {
    return refusal(
      walk,
      [],
      `is ${name}; errors only travel back to the caller`,
      'send what the function needs of it, such as its message',
    )
  }
  const fallback = name.startsWith('an instance')
    ? 'send a plain object with its data'
    : 'send plain data in its place'
  return refusal(walk, [], `is ${name}, which flash cannot carry`, hints[name] ?? fallback)
}

function refusal(walk: Walk, more: PathStep[], what: string, hint?: string): AppError {
  const where = formatPath([...walk.path, ...more], walk.direction, walk.label)
  return new AppError('CANNOT_CARRY', {
    message: `${where} ${what}`,
    hint: hint ?? 'use another key, or send the entries as a Map',
    data: { path: where },
  })
}

function tooMuch(walk: Walk, what: string): AppError {
  const where = formatPath(walk.path, walk.direction, walk.label)
  return new AppError('CANNOT_CARRY', {
    message: `${where} is too large a structure: ${what}`,
    hint: 'send bulk data as a typed array, a Blob, or in several calls',
    data: { path: where },
  })
}
