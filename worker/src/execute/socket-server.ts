import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Hooks } from 'crossws'

/** What a connection is answered by: crossws's hooks. */
export type SocketHooks = Partial<Hooks>

/** A connection that asks to become a WebSocket. */
export interface Upgrade {
  incoming: IncomingMessage
  socket: Duplex
  /** What came behind the head of the request. */
  head: Buffer
}

export interface SocketServer {
  /** Makes it a WebSocket, unless its own hook refuses; `request` is what hooks see. */
  open(upgrade: Upgrade, request: Request, hooks: SocketHooks): Promise<void>
  /** Tells all connections that the worker leaves. */
  leave(): void
}

export type CreateSocketServer = () => SocketServer
