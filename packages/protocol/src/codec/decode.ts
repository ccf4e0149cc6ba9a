import { unflatten } from 'devalue'
import { AppError } from '../error.ts'
import { fromBase64 } from './base64.ts'
import { fromWireError, type WireError } from './error.ts'
import { parsePlainJson, refuse } from './json.ts'
import { type DecodeLimits, decodeLimits } from './limits.ts'
import { type Scanned, scanRich } from './scan.ts'
import { type Direction, viewConstructor } from './tags.ts'

export interface DecodeOptions {
  /** What the text is: arguments (`in`, when omitted) or a result, which may hold errors. */
  direction?: Direction
  limits?: Partial<DecodeLimits>
}

/**
 * Reads what `encodeValue` wrote. The text is checked whole before a value is built; only data comes out.
 *
 * - `parts`: the byte frames behind the text; they belong to the value from now on. Without them they are read from the text's end.
 * - throws `BAD_INPUT` for arguments, `BAD_RESULT` for results, and nothing else.
 */
export function decodeValue(
  rich: boolean,
  text: string,
  parts: readonly Uint8Array[] = [],
  options: DecodeOptions = {},
): unknown {
  const { direction = 'in' } = options
  const limits = { ...decodeLimits, ...options.limits }
  if (rich) return decodeRich(text, parts, direction, limits)
  if (parts.length > 0) throw refuse(direction, 'there are byte parts beside plain JSON')
  return parsePlainJson(text, direction, limits)
}

function decodeRich(
  text: string,
  parts: readonly Uint8Array[],
  direction: Direction,
  limits: DecodeLimits,
): unknown {
  const scanned = scanRich(text, direction, limits)
  const bytes = parts.length === 0 && scanned.parts > 0 ? inlineParts(scanned, direction) : parts
  if (bytes.length !== scanned.parts) {
    throw refuse(direction, `there are ${bytes.length} byte parts, the text refers to ${scanned.parts}`)
  }
  try {
    return unflatten(scanned.nodes as number | unknown[], createRevivers(bytes, direction))
  } catch (cause) {
    if (cause instanceof AppError) throw cause
    throw refuse(direction, 'a value in it is not valid', cause)
  }
}

/** Reads rich text that holds its bytes, as results have them: what `fromWireError` takes. */
export function decodeInline(text: string): unknown {
  return decodeValue(true, text, undefined, { direction: 'out' })
}

/** The texts at the end of the list, one for each part. */
function inlineParts({ nodes, parts }: Scanned, direction: Direction): Uint8Array[] {
  return (nodes as unknown[]).slice(-parts).map((text) => {
    const bytes = typeof text === 'string' ? fromBase64(text) : null
    if (!bytes) throw refuse(direction, 'the bytes in it are not base64')
    return bytes
  })
}

function createRevivers(
  parts: readonly Uint8Array[],
  direction: Direction,
): Record<string, (payload: any) => unknown> {
  return {
    Bytes: ([kind, part]: [string, number]) => toView(kind, ownBuffer(parts[part]!), direction),
    Blob: ([type, part]: [string, number]) => new Blob([parts[part] as Uint8Array<ArrayBuffer>], { type }),
    File: ([name, type, lastModified, part]: [string, string, number, number]) =>
      new File([parts[part] as Uint8Array<ArrayBuffer>], name, { type, lastModified }),
    FormData(entries: (string | File)[]) {
      const form = new FormData()
      for (let at = 0; at < entries.length; at += 2) append(form, entries[at] as string, entries[at + 1]!)
      return form
    },
    Error: (wire: WireError) => fromWireError(wire, decodeInline),
  }
}

function append(form: FormData, name: string, value: string | File): void {
  if (typeof value === 'string') form.append(name, value)
  else form.append(name, value, value.name)
}

/** The buffer of a part that has one to itself; a copy of one that is a window on more. */
function ownBuffer(part: Uint8Array): ArrayBuffer {
  const whole = part.byteLength === part.buffer.byteLength && part.buffer instanceof ArrayBuffer
  return whole ? (part.buffer as ArrayBuffer) : (new Uint8Array(part).buffer as ArrayBuffer)
}

function toView(kind: string, buffer: ArrayBuffer, direction: Direction): unknown {
  if (kind === 'ArrayBuffer') return buffer
  const View = viewConstructor(kind)!
  if (buffer.byteLength % (View.BYTES_PER_ELEMENT ?? 1) !== 0)
    throw refuse(direction, `${buffer.byteLength} bytes are no ${kind}`)
  return new View(buffer)
}
