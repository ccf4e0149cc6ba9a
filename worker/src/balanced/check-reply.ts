import { inspect } from 'node:util'
import type { Reply } from './visit.ts'

/** Throws a `TypeError`, for the log, for what cannot be sent: while no status is on its way, the client can still hear of it. */
export function checkReply(made: Reply): Reply {
  const { status, body } = Object(made) as Reply
  if (!(status >= 200))
    throw new TypeError(`\`fetch\` gave ${inspect(made)}: return a Response with a status`)
  if (typeof body === 'string' || !body?.locked) return made
  throw new TypeError('`fetch` gave a Response whose body was read already: return `response.clone()`')
}
