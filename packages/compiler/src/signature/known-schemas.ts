import type { JsonSchema } from './types.ts'

const NOT_TOLD = 'the source does not tell its type'

/** Any value, with the reason. */
export function unknownSchema(description = NOT_TOLD): JsonSchema {
  return { description }
}

export function isUnknown(schema: JsonSchema): boolean {
  return Object.keys(schema).every((key) => key === 'description')
}

const bytes = (): JsonSchema => ({ type: 'string', contentEncoding: 'base64', description: 'bytes' })
const file = (what: string): JsonSchema => ({
  type: 'string',
  format: 'binary',
  description: `a ${what}; as a result its bytes in base64`,
})
const rich = (what: string) => (): JsonSchema => unknownSchema(`${what}, for which plain JSON has no word`)
const text = (): JsonSchema => ({ type: 'string' })

/** Types of the language and the platform, unless the module has its own of that name. */
export const platformTypes: ReadonlyMap<string, () => JsonSchema> = new Map([
  ['Date', () => ({ type: 'string', format: 'date-time' })],
  ['URL', () => ({ type: 'string', format: 'uri' })],
  ['String', text],
  ['Number', () => ({ type: 'number' })],
  ['Boolean', () => ({ type: 'boolean' })],
  ['Object', () => ({ type: 'object' })],
  ['Blob', () => file('Blob')],
  ['File', () => file('File')],
  ['FormData', rich('a form')],
  ['Map', rich('a Map')],
  ['ReadonlyMap', rich('a Map')],
  ['Set', rich('a Set')],
  ['ReadonlySet', rich('a Set')],
  ['Error', rich('an error')],
  ['Response', () => unknownSchema('a Response that the handler makes')],
  ['ReadableStream', () => unknownSchema('a stream of bytes')],
  ...['Uppercase', 'Lowercase', 'Capitalize', 'Uncapitalize'].map((name) => [name, text] as const),
  ...[
    'ArrayBuffer',
    'Buffer',
    'DataView',
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
    'Uint16Array',
    'Int32Array',
    'Uint32Array',
    'Float16Array',
    'Float32Array',
    'Float64Array',
    'BigInt64Array',
    'BigUint64Array',
  ].map((name) => [name, bytes] as const),
])

/** Results of these types are no JSON but bytes of an answer of their own, where a route gives them. */
export const rawTypes: ReadonlySet<string> = new Set([
  'Response',
  'ReadableStream',
  'Blob',
  'File',
  'Uint8Array',
  'ArrayBuffer',
  'Buffer',
])

/** Types whose first argument is what comes one after the other. */
export const itemTypes: ReadonlySet<string> = new Set([
  'AsyncGenerator',
  'AsyncIterable',
  'AsyncIterableIterator',
  'AsyncIteratorObject',
  'Generator',
  'Iterable',
  'IterableIterator',
  'IteratorObject',
])

export const promiseTypes: ReadonlySet<string> = new Set(['Promise', 'PromiseLike', 'Awaited'])
