interface NodeBuffer {
  from(source: ArrayBufferLike, offset: number, length: number): { toString(encoding: 'base64'): string }
  from(text: string, encoding: 'base64'): Uint8Array
}

const nodeBuffer = () => (globalThis as { Buffer?: NodeBuffer }).Buffer

/** Characters handed to `String.fromCharCode` at once; more arguments overflow the stack in some engines. */
const STEP = 0x8000

export function toBase64(bytes: Uint8Array): string {
  const native = nodeBuffer()
  if (native) return native.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let binary = ''
  for (let at = 0; at < bytes.length; at += STEP)
    binary += String.fromCharCode(...bytes.subarray(at, at + STEP))
  return btoa(binary)
}

/** `null` for text that is not base64 with padding. */
export function fromBase64(text: string): Uint8Array | null {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return null
  const native = nodeBuffer()
  if (native) return native.from(text, 'base64')
  return Uint8Array.from(atob(text), (character) => character.charCodeAt(0))
}
