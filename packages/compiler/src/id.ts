import { createHash } from 'node:crypto'

const alphabet = 'abcdefghijklmnopqrstuvwxyz234567'

/** RFC 4648 base32 in lower case, without padding. */
export function base32(bytes: Uint8Array): string {
  let text = ''
  let bits = 0
  let value = 0
  for (const byte of bytes) {
    value = (value << 8) | byte
    bits += 8
    for (; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31]
    value &= (1 << bits) - 1
  }
  return bits > 0 ? text + alphabet[(value << (5 - bits)) & 31] : text
}

/** 16 characters that are the same on every machine and in dev and build, and tell nothing. */
export function functionId(packageName: string, path: string, exportPath: string): string {
  const digest = createHash('sha256').update(`${packageName}\0${path}\0${exportPath}`).digest()
  return base32(digest.subarray(0, 10))
}
