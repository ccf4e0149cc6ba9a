import { FrameType, fromWireError, type Message, type WireError } from '@flash/protocol'
import { encodeCall, isSurelyPlain } from './quick-frames.ts'

const loadRich = () => import('./rich.ts')

/** One call message. Blobs are not read here: `fetch` takes them as they are. */
export async function encodeBody(value: unknown): Promise<Uint8Array<ArrayBuffer> | Blob> {
  if (isSurelyPlain(value)) return encodeCall(JSON.stringify(value))
  const { encodeForFetch, encodeMessage, encodeMessageChunks, encodeValue } = await loadRich()
  // A Blob that cannot be streamed is jsdom's, which `fetch` does not know.
  const encode = typeof Blob.prototype.stream === 'function' ? encodeForFetch : encodeValue
  // The bytes are put together below, before anybody can change them.
  const { rich, text, parts } = await encode(value, 'in', { borrow: true })
  const type = FrameType.call
  if (hasBytesOnly(parts)) return encodeMessage({ type, rich, text, parts })
  return new Blob(encodeMessageChunks({ type, rich, text, parts }) as BlobPart[])
}

function hasBytesOnly(parts: (Uint8Array | Blob)[]): parts is Uint8Array[] {
  return parts.every((part) => part instanceof Uint8Array)
}

/** What a message carries; `undefined` when it has no text. */
export async function decodeMessage({ rich, text, parts }: Message): Promise<any> {
  if (!rich) return text ? JSON.parse(text) : undefined
  return (await loadRich()).decodeValue(true, text, parts, { direction: 'out' })
}

/** The error a call rejects with, from its `error` message. */
export async function decodeError(message: Message): Promise<{ error: Error; stack: string | undefined }> {
  const wire: WireError = await decodeMessage(message)
  const { decodeInline } = message.text.includes('"rich":') ? await loadRich() : { decodeInline: undefined }
  return { error: fromWireError(wire, decodeInline), stack: wire.stack }
}
