/**
 * What the wire adds to devalue's own `Date`, `Map`, `Set`, `BigInt` and `URL`. Bytes stand outside the text:
 *
 * - `Bytes`: `[kind, part]`, where `kind` is a typed array's name, `ArrayBuffer` or `DataView`.
 * - `Blob`: `[type, part]` · `File`: `[name, type, lastModified, part]` · `FormData`: `[name, value, name, value, …]`.
 * - `Error`: a wire error.
 *
 * `part` counts the byte parts of the message from 0. In the inline form the parts are base64 texts at the end of the list.
 */
export type Tag = 'Bytes' | 'Blob' | 'File' | 'FormData' | 'Error'

/** Arguments go in, results come out; the grammar of the first is the smaller one. */
export type Direction = 'in' | 'out'

type ViewConstructor = { new (buffer: ArrayBuffer): ArrayBufferView; readonly BYTES_PER_ELEMENT?: number }

const views: Record<string, ViewConstructor> = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
  DataView,
}

/** The constructor of a view by its name; `undefined` for a name that is none, or not in this runtime. */
export function viewConstructor(kind: string): ViewConstructor | undefined {
  if (kind === 'Float16Array') return (globalThis as { Float16Array?: ViewConstructor }).Float16Array
  return Object.hasOwn(views, kind) ? views[kind] : undefined
}

export function isBytesKind(kind: unknown): kind is string {
  return typeof kind === 'string' && (kind === 'ArrayBuffer' || viewConstructor(kind) !== undefined)
}
