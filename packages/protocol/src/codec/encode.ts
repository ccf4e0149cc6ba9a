import { stringify } from 'devalue'
import { toBase64 } from './base64.ts'
import { readPart } from './blob.ts'
import { brandOf } from './brand.ts'
import { describeError } from './describe-error.ts'
import type { WireError } from './error.ts'
import { type Inspected, inspect } from './inspect.ts'
import { toPlainJson } from './json.ts'
import type { Direction } from './tags.ts'

/** A value as text and the bytes beside it. */
export interface Encoded<P extends Uint8Array | Blob = Uint8Array> {
  /** The text is devalue; plain JSON otherwise. */
  rich: boolean
  text: string
  parts: P[]
}

export interface EncodeOptions {
  /** Bytes become base64 at the end of the text, and there are no parts. */
  inline?: boolean
  /** Parts refer to the caller's memory, which must stay as it is until they are sent. */
  borrow?: boolean
  /** Errors inside results keep their stack. */
  stack?: boolean
  /** Writes devalue also where plain JSON would do. */
  rich?: boolean
  /** What an error calls an item of the list: `argument` when omitted. */
  label?: string
}

/**
 * Turns a value into text and parts; at once, unless a Blob, File or FormData with files has to be read first.
 *
 * - `direction`: `in` for arguments (a list, or what a stub sends), `out` for results, items and progress. Errors only travel out.
 * - throws `CANNOT_CARRY` with the path of what does not travel.
 */
export function encodeValue(
  value: unknown,
  direction: Direction,
  options: EncodeOptions = {},
): Encoded | Promise<Encoded> {
  const encoded = encodeForFetch(value, direction, options)
  const finish = (parts: Uint8Array[]): Encoded => {
    const whole = { ...encoded, parts }
    return options.inline ? { ...whole, text: inlineText(whole), parts: [] } : whole
  }
  if (hasBytesOnly(encoded)) return finish(encoded.parts)
  return Promise.all(encoded.parts.map(readPart)).then(finish)
}

/** The same without reading blobs: `fetch` sends them as they are, as a part of one request body. */
export function encodeForFetch(
  value: unknown,
  direction: Direction,
  options: EncodeOptions = {},
): Encoded<Uint8Array | Blob> {
  const plain = options.rich ? null : toPlainJson(value)
  if (plain !== null) return { rich: false, text: plain, parts: [] }
  const inspected = inspect(value, {
    direction,
    borrow: options.borrow ?? false,
    label: options.label,
    describeError: (error) => toWireError(error, { stack: options.stack ?? false }),
  })
  return { rich: true, text: writeText(value, inspected), parts: inspected.parts }
}

function writeText(value: unknown, { stands }: Inspected): string {
  const reducers: Record<string, (thing: unknown) => unknown> = {}
  for (const { tag } of stands.values()) {
    reducers[tag] ??= (thing) => {
      const found = typeof thing === 'object' && thing !== null ? stands.get(thing) : undefined
      return found?.tag === tag ? found.payload : undefined
    }
  }
  return stringify(value, reducers, {
    operations: {
      tagOf: (thing: object) => brandOf(thing) ?? 'Object',
      shapeOf: (thing: object) => ({ kind: 'plain', keys: Object.keys(thing) }),
    },
  })
}

/** The text with its parts appended as base64; what the queue wire carries, being JSON all through. */
export function inlineText({ text, parts }: Encoded): string {
  if (parts.length === 0) return text
  return `${text.slice(0, -1)}${parts.map((part) => `,"${toBase64(part)}"`).join('')}]`
}

/**
 * Whatever was thrown, as data for the caller. Never throws: data that does not travel is left out, and the hint says so.
 *
 * - `stack`: in development only.
 */
export function toWireError(error: unknown, options: { stack: boolean }): WireError {
  return describeError(error, { stack: options.stack, encodeData })
}

function encodeData(data: unknown): { data: unknown } | { rich: string } | null {
  try {
    const encoded = encodeForFetch(data, 'out', { borrow: true })
    if (!encoded.rich) return { data: JSON.parse(encoded.text) }
    return hasBytesOnly(encoded) ? { rich: inlineText(encoded) } : null
  } catch {
    return null
  }
}

function hasBytesOnly(encoded: Encoded<Uint8Array | Blob>): encoded is Encoded {
  return encoded.parts.every((part) => part instanceof Uint8Array)
}
