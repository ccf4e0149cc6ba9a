import type { Node } from 'oxc-parser'
import type { ParsedModule } from '../parse.ts'

/** Where something is written. */
export interface Place {
  module: ParsedModule
  node: Node
}

export type Plain = string | number | boolean | bigint | null | undefined

/** A property or element: read only when asked for, so what nobody asks for may be anything. */
export interface Entry {
  /** The value as written. */
  place: Place
  /** The property or element it belongs to: what an error points at. */
  field: Place
  /** `base.setup`, when it is part of a named constant. */
  name: string | null
  fold(): Promise<Folded>
}

export interface FoldedObject {
  kind: 'object'
  entries: Map<string, Entry>
  /** What was spread in and may have further keys. */
  rest: Unknown | null
}

export interface Unknown {
  kind: 'unknown'
  place: Place
  /** `calls a function`: the end of a sentence that begins with the text of the place. */
  reason: string
  /** `run`: executing the module tells; `never`: it would not, or not reliably. */
  needs: 'run' | 'never'
  hint?: string
}

export type Folded =
  | { kind: 'plain'; value: Plain }
  | FoldedObject
  | { kind: 'array'; items: Entry[] }
  /** A function or class. */
  | { kind: 'code' }
  /** `import * as name`: members are looked up. */
  | { kind: 'namespace'; member(key: string): Promise<Folded> }
  /** One of our functions that return their argument with a `kind`. */
  | { kind: 'helper'; makes: string }
  | Unknown

export const nothing: Folded = { kind: 'plain', value: undefined }

export function unknown(place: Place, reason: string, needs: Unknown['needs'], hint?: string): Unknown {
  return { kind: 'unknown', place, reason, needs, hint }
}

/** Data as if it were written at one place. */
export function fromData(data: unknown, place: Place): Folded {
  const entry = (value: unknown): Entry => ({
    place,
    field: place,
    name: null,
    fold: async () => fromData(value, place),
  })
  if (Array.isArray(data)) return { kind: 'array', items: data.map(entry) }
  if (typeof data !== 'object' || data === null) return { kind: 'plain', value: data as Plain }
  const entries = new Map(Object.entries(data).map(([key, value]) => [key, entry(value)]))
  return { kind: 'object', entries, rest: null }
}

export interface PlainData {
  data: unknown
  /** Where each path is written; keys joined with NUL. */
  fields: Map<string, Place>
  /** What could not be decided; `data` is then incomplete. */
  unknowns: Unknown[]
}

/**
 * Everything below a value, as plain data.
 *
 * - `code`: top-level keys that may be code: each becomes `true` unless it is `undefined`.
 */
export async function toPlain(folded: Folded, place: Place, code: ReadonlySet<string>): Promise<PlainData> {
  const result: PlainData = { data: undefined, fields: new Map([['', place]]), unknowns: [] }
  result.data = await collect(result, folded, place, [], code)
  return result
}

const noCode: ReadonlySet<string> = new Set()

async function collect(
  result: PlainData,
  folded: Folded,
  place: Place,
  path: string[],
  code = noCode,
): Promise<unknown> {
  switch (folded.kind) {
    case 'plain':
      return folded.value
    case 'object':
      return collectObject(result, folded, path, code)
    case 'array':
      return Promise.all(
        folded.items.map((entry, index) => collectEntry(result, entry, [...path, String(index)])),
      )
    case 'unknown':
      result.unknowns.push(folded)
      return undefined
    case 'namespace':
      result.unknowns.push(unknown(place, 'is a whole module', 'run'))
      return undefined
    default:
      result.unknowns.push(
        unknown(place, 'is a function', 'never', 'only `setup`, `input` and `output` may be code'),
      )
      return undefined
  }
}

async function collectObject(
  result: PlainData,
  { entries, rest }: FoldedObject,
  path: string[],
  code: ReadonlySet<string>,
): Promise<unknown> {
  if (rest) result.unknowns.push(rest)
  // `Object.fromEntries` defines, so no key reaches a prototype.
  const pairs: [string, unknown][] = []
  for (const [key, entry] of entries) {
    const value = code.has(key)
      ? await isPresent(result, entry, key)
      : await collectEntry(result, entry, [...path, key])
    if (value !== undefined) pairs.push([key, value])
  }
  return Object.fromEntries(pairs)
}

async function isPresent({ fields }: PlainData, entry: Entry, key: string): Promise<true | undefined> {
  fields.set(key, entry.field)
  const folded = await entry.fold()
  return folded.kind === 'plain' && folded.value === undefined ? undefined : true
}

async function collectEntry(result: PlainData, entry: Entry, path: string[]): Promise<unknown> {
  result.fields.set(path.join('\0'), entry.field)
  return collect(result, await entry.fold(), entry.place, path)
}
