import type { IncomingHttpHeaders } from 'node:http'
import { type Answer, refusal } from './http/answer.ts'
import type { HostName } from './http/target.ts'

/**
 * What a browser must not be made to do by a page of somebody else; `undefined` when the request may go on.
 *
 * - `isOpen`: the server listens for other machines, so any name may be its own.
 */
export function refusePage(
  headers: IncomingHttpHeaders,
  host: HostName,
  isOpen: boolean,
): Answer | undefined {
  // A name of somebody else's that leads here makes their page look like one of ours.
  if (!host.isLocal && !isOpen) return refusal(403, `the host "${headers.host}" is not the emulator's`)
  const site = headers['sec-fetch-site']
  if (site !== undefined && site !== 'same-origin' && site !== 'none') return foreignPage
  const { origin } = headers
  if (origin === undefined || origin === `http://${headers.host}` || origin === `https://${headers.host}`)
    return undefined
  return foreignPage
}

const foreignPage = refusal(403, 'a page of another site may not call the emulator')

/** Whether a browser sent it, from whatever page. */
export function isPage(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
}
