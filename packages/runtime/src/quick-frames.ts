/**
 * The frames of a plain call and of a plain answer, and nothing else: this much is in every page that calls a
 * function. Whatever is not decided here, the protocol's own codec does; a test holds the two together.
 */
import type { FrameType, RICH } from '@flash/protocol'

// Plain constants, because a bundler writes them out where they are used.
const callType: typeof FrameType.call = 16
export const jobType: typeof FrameType.job = 1
export const valueType: typeof FrameType.value = 7
export const endType: typeof FrameType.end = 9
const statusType: typeof FrameType.status = 2
const progressType: typeof FrameType.progress = 3
const pingType: typeof FrameType.ping = 6
const richBit: typeof RICH = 64

/** Type (1 byte), parts (4), length (4), big endian. */
const headerBytes = 9

/** Whether JSON carries the value whole; says no when in doubt. */
export function isSurelyPlain(value: any, depth = 60, seen = new Set<unknown>()): boolean {
  if (typeof value !== 'object' || !value) return isPlainPrimitive(value)
  if (!depth || seen.has(value) || value.toJSON) return false
  seen.add(value)
  const isOdd = (item: unknown) => !isSurelyPlain(item, depth - 1, seen)
  const prototype = Object.getPrototypeOf(value)
  // Searching visits holes too, as undefined.
  if (prototype === Array.prototype) return value.findIndex(isOdd) < 0
  return (
    prototype === Object.prototype &&
    !Reflect.ownKeys(value).some((key) => typeof key !== 'string' || isOdd(value[key]))
  )
}

function isPlainPrimitive(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  return value === null || typeof value === 'string' || typeof value === 'boolean'
}

/** A call's one frame. */
export function encodeCall(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new TextEncoder().encode(String.fromCharCode(callType) + '\0'.repeat(headerBytes - 1) + text)
  new DataView(bytes.buffer).setUint32(5, bytes.length - headerBytes)
  return bytes
}

/** Where the first frame ends, as far as its head is there; without end when parts follow. */
export function frameEnd(bytes: Uint8Array): number {
  if (bytes.length < headerBytes) return headerBytes
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  return view.getUint32(1) ? Infinity : headerBytes + view.getUint32(5)
}

export function frameText(bytes: Uint8Array, end: number): string {
  return new TextDecoder().decode(bytes.subarray(headerBytes, end))
}

/** Whether a plain call has no use for a message of this type. */
export function isPassing(type: number): boolean {
  return [statusType, progressType, pingType].includes((type & (richBit - 1)) as typeof pingType)
}
