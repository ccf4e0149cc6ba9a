import { createHash, timingSafeEqual } from 'node:crypto'

/** The key of an `Authorization` header, with or without `Bearer` in front, in any case. */
export function parseKey(authorization: string | null): string | undefined {
  const key = authorization?.replace(/^\s*bearer\s+/i, '').trim()
  return key ? key : undefined
}

/** Compares keys without telling by its time where they differ. */
export function isSameKey(given: string | undefined, wanted: string): boolean {
  if (given === undefined) return false
  return timingSafeEqual(digest(given), digest(wanted))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
