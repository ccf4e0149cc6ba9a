import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { once } from 'node:events'
import type { Upgrade } from '../execute/socket-server.ts'
import { createBodyState } from './body.ts'
import type { Ending } from './ending.ts'
import { headersToSend } from './respond.ts'
import { createVisit } from './visit.ts'

/** Takes a connection over; resolves to an answer when it does not. */
export type TakeUpgrade = (request: Request, upgrade: Upgrade) => Promise<Response | undefined>

/** Node asks it where it can; elsewhere every request to become something else comes as an `upgrade`. */
export function isForSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/**
 * Lets somebody make a WebSocket of a connection, or tells why not and closes it. Never rejects.
 *
 * - `toResponse`: asked for what is thrown on the way.
 */
export async function answerUpgrade(
  upgrade: Upgrade,
  ending: Ending,
  take: TakeUpgrade,
  toResponse: (error: unknown) => Response,
): Promise<void> {
  const { incoming, socket } = upgrade
  try {
    const body = createBodyState(incoming)
    const request = createVisit({ incoming, body, ending, limitBytes: 0 }).request()
    const refusal = await take(request, upgrade).catch(toResponse)
    if (refusal) await refuse(socket, refusal)
  } catch (error) {
    await refuse(socket, toResponse(error))
  }
}

async function refuse(socket: Duplex, response: Response): Promise<void> {
  const { status, statusText, body } = response
  const headers = headersToSend(response)
  headers.set('connection', 'close')
  const lines = Array.from(headers, ([name, value]) => `${name}: ${value}`)
  try {
    socket.write(`HTTP/1.1 ${status} ${statusText}\r\n${lines.join('\r\n')}\r\n\r\n`)
    for await (const chunk of body ?? []) if (!socket.write(chunk)) await once(socket, 'drain')
    socket.end()
  } catch {
    socket.destroy()
  }
}
