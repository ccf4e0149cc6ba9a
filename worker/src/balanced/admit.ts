import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { AppError, TOKEN_HEADER } from '@flash/protocol'

/** Takes the token off a request; throws `FORBIDDEN` where one is wanted and it is not that. */
export function admit({ headers }: IncomingMessage, token: string | undefined): void {
  if (token === undefined) return
  const given = Buffer.from(String(headers[TOKEN_HEADER] ?? ''))
  delete headers[TOKEN_HEADER]
  const wanted = Buffer.from(token)
  if (given.length === wanted.length && timingSafeEqual(given, wanted)) return
  throw new AppError('FORBIDDEN', {
    message: 'this worker takes requests of its dev server only',
    hint: 'send the request to the dev server',
  })
}
