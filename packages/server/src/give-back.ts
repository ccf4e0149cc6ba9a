import type { IncomingMessage } from 'node:http'
import type { Server } from 'node:net'
import type { Duplex } from 'node:stream'

/** What is not said again: the offer itself, and what belongs to it. */
const ofTheOffer = /^(?:upgrade|http2-settings|sec-websocket-.*)$/i

/**
 * Lets a server answer a request as if it had offered no upgrade. As soon as somebody listens for upgrades, Node hands over
 * whatever offers one, also for protocols that nobody takes, and reads nothing further of it.
 */
export function giveBack(server: Server, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const lines = [`${request.method} ${request.url} HTTP/${request.httpVersion}`]
  const { rawHeaders } = request
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!
    if (ofTheOffer.test(name)) continue
    const value = /^connection$/i.test(name) ? withoutOffer(rawHeaders[at + 1]!) : rawHeaders[at + 1]!
    if (value !== '') lines.push(`${name}: ${value}`)
  }
  // As they were read: each character is a byte.
  socket.unshift(Buffer.concat([Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'), head]))
  // The same by which its own connections come.
  server.emit((socket as { encrypted?: boolean }).encrypted ? 'secureConnection' : 'connection', socket)
}

/**
 * The same for what somebody who listens for upgrades does not take, as long as nobody else could; tells whether it did that.
 *
 * - `isOurs`: nobody else answers there.
 */
export function giveBackRest(
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
  isOurs: boolean,
): boolean {
  const { server } = socket as { server?: Server }
  if (!server || !(isOurs || server.listenerCount('upgrade') === 1)) return false
  giveBack(server, request, socket, head)
  return true
}

function withoutOffer(connection: string): string {
  const names = connection.split(',').map((name) => name.trim())
  return names.filter((name) => !ofTheOffer.test(name)).join(', ')
}
