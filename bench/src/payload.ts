const mebibyte = 1_048_576

/** Bytes that are easy to check and hard to compress. */
export function createPayload(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(mebibyte)
  let state = 1
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
    bytes[index] = state >>> 24
  }
  return bytes
}

/** Enough to notice bytes that are missing, doubled, out of place or of another type, and little work. */
export function describeBytes(bytes: unknown): string {
  if (!(bytes instanceof Uint8Array)) return `no Uint8Array: ${Object.prototype.toString.call(bytes)}`
  const marks = [0, 1000, 65_536, 524_288, bytes.length - 1].map((at) => bytes[at])
  return [bytes.length, ...marks].join(' ')
}
