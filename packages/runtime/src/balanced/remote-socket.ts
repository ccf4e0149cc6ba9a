import type { Clock } from '@flash/protocol'
import { toRefusal } from '../failure.ts'
import { wakingClock } from '../waking-clock.ts'
import { flashProtocol, type OpenOptions, untilOpen } from './open-socket.ts'
import type { SocketRequest } from './types.ts'

export interface RemoteSocketOptions extends Pick<OpenOptions, 'signal' | 'clock'> {
  protocols: string[]
  headers: Record<string, string>
  /** What an answer that opens none is told as; that of an rpc route when omitted. */
  refuse?(answer: RefusingAnswer): unknown
}

interface RefusingAnswer {
  status: number
  headers: Headers
  /** The beginning of its body. */
  text: string
}

/** What the class of Node has beside the standard. */
interface NodeSocket extends WebSocket {
  once?(name: 'unexpected-response', listener: (request: Sent, response: Received) => void): void
  pause?(): void
  resume?(): void
}

interface Sent {
  destroy(): void
}

interface Received extends AsyncIterable<Uint8Array> {
  statusCode: number
  headers: Record<string, string | string[] | undefined>
}

/**
 * Opens a WebSocket with headers of our own, which only servers can; messages come once whoever asked for it listens.
 *
 * - `url`: with http or https.
 * - throws `TIMEOUT`, `TRANSPORT`, what the other side refuses with, and the reason of the signal.
 */
export async function openRemoteSocket(url: string, options: RemoteSocketOptions): Promise<WebSocket> {
  const { protocols, headers, signal, clock = wakingClock, refuse = refusedBy(clock) } = options
  const { default: Class } = await import('crossws/websocket')
  signal?.throwIfAborted()
  const Open = Class as unknown as new (url: string, protocols: string[], how: object) => NodeSocket
  const socket = new Open(url.replace(/^http/, 'ws'), protocols, { headers })
  socket.binaryType = 'blob'
  const refusal = new Promise<never>((_, reject) => {
    socket.once?.('unexpected-response', (request, response) => {
      readAnswer(response)
        .then(refuse)
        .then(reject, reject)
        .finally(() => request.destroy())
    })
  })
  refusal.catch(() => {})
  socket.addEventListener('open', () => {
    socket.pause?.()
    setTimeout(() => socket.resume?.())
  })
  return untilOpen(socket, { signal, clock, refusal })
}

/** The same through the rpc route of what listens on this machine. */
export function openNearby(
  { url, token }: { url: string; token: string },
  id: string,
  { path, protocols, signal }: SocketRequest,
): Promise<WebSocket> {
  const prefix = url.replace(/\/+$/, '')
  return openRemoteSocket(`${prefix}/rpc/${id}?path=${encodeURIComponent(path)}`, {
    protocols: [flashProtocol, ...protocols],
    headers: { authorization: `Bearer ${token}` },
    signal,
  })
}

const refusalCharacters = 65_536

const refusedBy =
  (clock: Clock) =>
  ({ status, headers, text }: RefusingAnswer): Promise<unknown> => {
    const init = { status, headers: { 'x-flash': String(headers.get('x-flash')) } }
    return toRefusal(new Response(text || null, init), clock)
  }

/** No problem of ours is longer. */
async function readAnswer(received: Received): Promise<RefusingAnswer> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(received.headers))
    if (value !== undefined) headers.set(name, String(value))
  const decoder = new TextDecoder()
  let text = ''
  for await (const chunk of received) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > refusalCharacters) break
  }
  return { status: received.statusCode, headers, text }
}
