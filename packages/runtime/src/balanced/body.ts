import { RemoteError } from '@flash/protocol'
import type { BalancedRequest } from './types.ts'

export interface SentBody {
  body: BalancedRequest['body']
  type?: string | null
}

/** Text, bytes, blobs, forms and streams as they are, everything else as JSON; throws `CANNOT_CARRY`. */
export async function toBody(value: unknown): Promise<SentBody> {
  if (value === undefined) return { body: null }
  if (value instanceof ReadableStream) return { body: value, type: 'application/octet-stream' }
  if (value instanceof Blob) return { body: value, type: value.type || 'application/octet-stream' }
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value))
    return { body: copy(value), type: 'application/octet-stream' }
  if (typeof value === 'string' || value instanceof FormData || value instanceof URLSearchParams) {
    // Knows how each of them is written, and makes up the boundary of a form.
    const written = new Response(value)
    return { body: await written.blob(), type: written.headers.get('content-type') }
  }
  return { body: new TextEncoder().encode(toJson(value)), type: 'application/json' }
}

/** Whoever gave them may change them while they are sent. */
function copy(bytes: ArrayBuffer | ArrayBufferView): Uint8Array<ArrayBuffer> {
  return ArrayBuffer.isView(bytes)
    ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength).slice()
    : new Uint8Array(bytes.slice(0))
}

function toJson(value: unknown): string {
  if (isCollection(value))
    throw cannotCarry(`a ${Object.prototype.toString.call(value).slice(8, -1)} has no fields`)
  let text: string | undefined
  let cause: unknown
  try {
    text = JSON.stringify(value)
  } catch (error) {
    cause = error
  }
  if (text !== undefined) return text
  throw cannotCarry(cause ? (cause as Error).message : `it is a ${typeof value}`, cause)
}

/** JSON would make `{}` of it: a `Map`, a generator, a form of some library. */
function isCollection(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || 'toJSON' in value) return false
  return Symbol.iterator in value || Symbol.asyncIterator in value
}

function cannotCarry(why: string, cause?: unknown): RemoteError {
  return new RemoteError('CANNOT_CARRY', `the body cannot be written as JSON: ${why}`, {
    hint: 'send plain data, text, bytes or a form',
    cause,
  })
}
