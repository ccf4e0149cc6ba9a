import { parseRequestPath } from '@flash/protocol'

/** Before its query: what is decoded on its way, a `\`, and a segment that begins with a dot. Few paths have any. */
const suspicious = /^[^?#]*?(?:[%\\]|\/\.)/

/**
 * Makes sure that a path means the same to everybody who reads it, as whoever passes requests on does.
 *
 * - `target`: path and query as they came, before a URL resolves what is in them.
 * - throws `BAD_PATH`, `RESERVED_PATH`.
 */
export function checkPath(target: string): void {
  if (suspicious.test(target)) parseRequestPath(target)
}
