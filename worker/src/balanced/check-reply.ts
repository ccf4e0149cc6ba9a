import { inspect } from 'node:util'
import { PlainReply, type Reply } from './visit.ts'

/** Throws a `TypeError`, for the log, for what cannot be sent: while no status is on its way, the client can still hear of it. */
export function checkReply(made: Reply): Reply {
  if (made instanceof PlainReply) return made
  const { status, body } = Object(made) as Response
  if (!(status >= 200))
    throw new TypeError(`\`fetch\` gave ${inspect(made)}: return a Response with a status`)
  if (!body?.locked) return made
  throw new TypeError('`fetch` gave a Response whose body was read already: return `response.clone()`')
}
