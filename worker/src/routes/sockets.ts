import createAdapter from 'crossws/adapters/node'
import type { SocketHooks, SocketServer } from '../execute/socket-server.ts'

/** By RFC 6455: the server goes away. */
const GOING_AWAY = 1001

/** WebSockets over the connections of a Node server. One of them for all, so that each may publish to the others. */
export function createSocketServer(): SocketServer {
  const hooksOf = new WeakMap<Request, SocketHooks>()
  const adapter = createAdapter({
    resolve: (request) => hooksOf.get(request as Request)!,
  })
  return {
    async open({ incoming, socket, head }, request, hooks) {
      hooksOf.set(request, hooks)
      await adapter.handleUpgrade(incoming, socket, head, request)
    },
    leave: () => adapter.closeAll(GOING_AWAY, 'the worker ends'),
  }
}
