/** What a decoder accepts. The encoder keeps to the same numbers, so a caller hears of a breach before anything is sent. */
export interface DecodeLimits {
  /** Objects, arrays, maps and sets inside each other. */
  depth: number
  /** Values of any kind as written, each shared one once. */
  values: number
  /** Values when each shared one counts at each place it stands: what code that walks the result visits. */
  expanded: number
  /** Of one array, holes included. */
  arrayLength: number
  /** Entries of one map, set or form. */
  collectionSize: number
  /** Characters of one text, base64 of bytes included. */
  stringLength: number
  bigintDigits: number
  /** Arguments of one call. */
  args: number
  /** Typed arrays, buffers and blobs. */
  parts: number
}

export const decodeLimits: DecodeLimits = {
  depth: 64,
  values: 4_000_000,
  expanded: 16_000_000,
  arrayLength: 4_000_000,
  collectionSize: 1_000_000,
  stringLength: 64_000_000,
  bigintDigits: 10_000,
  args: 1_024,
  parts: 65_536,
}

/** Keys that reach prototypes in careless code; no object has them, on either side. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor' || key === 'prototype'
}
