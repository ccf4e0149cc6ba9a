import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'

/** Whether a request wants a WebSocket, where the host passes that on as any other request. */
export function isWebSocket({ headers }: Request): boolean {
  return offersWebSocket(headers.get('upgrade') ?? '')
}

/** - `upgrade`: the header. */
export function offersWebSocket(upgrade: string): boolean {
  return /(?:^|,)\s*websocket\s*(?:,|$)/i.test(upgrade)
}

export function noWebSockets(): AppError {
  return new AppError('WEBSOCKET_UNSUPPORTED', {
    message: 'this server opens no WebSockets',
    hint: 'call the function through its stub',
  })
}

/** An upgrade request of Node's server as a web request; nothing when its header Host names no host. */
export function toUpgradeRequest(incoming: IncomingMessage): Request | undefined {
  const { socket, url = '/', headers: given, rawHeaders } = incoming
  const scheme = (socket as { encrypted?: boolean }).encrypted ? 'https' : 'http'
  const address = `${scheme}://${given.host ?? ''}${url}`
  // What has a name and a password in front is no host either.
  if (!given.host || /[@/\\]/.test(given.host)) return undefined
  if (!url.startsWith('/') || !URL.canParse(address)) return undefined
  const headers = new Headers()
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at]!, rawHeaders[at + 1]!)
  const request = new Request(address, { headers })
  return Object.assign(request, { runtime: { node: { req: incoming } } })
}

/** Answers an upgrade request in place of upgrading, and closes: what nobody answers would stay open. */
export async function refuseUpgrade(socket: Duplex, response: Response): Promise<void> {
  // Whoever asked may be gone already.
  socket.on('error', () => socket.destroy())
  const { status, statusText } = response
  const body = Buffer.from(await response.arrayBuffer().catch(() => new ArrayBuffer()))
  const headers = new Headers(response.headers)
  for (const name of ['transfer-encoding', 'upgrade', 'keep-alive']) headers.delete(name)
  headers.set('content-length', String(body.length))
  headers.set('connection', 'close')
  const lines = [...headers].map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status} ${statusText || STATUS_CODES[status] || 'Refused'}\r\n${lines.join('')}\r\n`
  socket.write(head, 'latin1')
  socket.end(body, () => socket.destroy())
}
