import { type ConnectBalanced, openRemoteSocket } from '@flash/runtime/server'
import type { RpcBackend } from '../backend.ts'
import { toFetchTarget } from '../rpc/fetch-target.ts'
import { PROTOCOL, toSocketUrl } from '../rpc/socket-url.ts'
import { toSocketRefusal } from '../rpc/socket-refusal.ts'
import { noWebSockets } from '../upgrade.ts'
import { findBalanced } from './find.ts'

type SocketBackend = Pick<RpcBackend, 'find' | 'seat'>

/** The same for WebSockets; `id`: of a route or a web app. */
export function createInsideConnect(open: () => SocketBackend): (id: string) => ConnectBalanced {
  return (id) => (request) => connect(open(), id, request)
}

async function connect(
  backend: SocketBackend,
  id: string,
  { path: asked, protocols, signal }: Parameters<ConnectBalanced>[0],
): Promise<WebSocket> {
  const found = await findBalanced(backend, id)
  const target = toFetchTarget(found, { method: 'WS', path: asked })
  if (!backend.seat) throw noWebSockets()
  const seat = await backend.seat(id, signal ?? new AbortController().signal)
  try {
    const { headers } = seat
    const socket = await openRemoteSocket(toSocketUrl(seat, target), {
      protocols: seat.isRelay ? [PROTOCOL, ...protocols] : protocols,
      headers,
      refuse: (answer) => toSocketRefusal(seat, answer),
      signal,
    })
    socket.addEventListener('close', seat.release, { once: true })
    return socket
  } catch (error) {
    seat.release()
    throw error
  }
}
