import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '@flash/protocol'

/** Ends a server without breaking what it is doing. */
export interface Drain {
  /** Resolves when every connection is closed: as soon as what runs has ended, after the grace at the latest. */
  stop(): Promise<void>
}

/** Follows a server's connections from now on. */
export function createDrain(server: Server, { clock, graceMs }: { clock: Clock; graceMs: number }): Drain {
  const running = new Map<Socket, number>()
  let stopped: Promise<void> | undefined
  const count = (socket: Socket, change: 1 | -1) => {
    const before = running.get(socket)
    // An answer that its reader leaves ends after its socket did.
    if (before === undefined) return
    running.set(socket, before + change)
    if (stopped && before + change === 0) socket.destroySoon()
  }
  server.on('connection', (socket: Socket) => {
    running.set(socket, 0)
    socket.on('close', () => running.delete(socket))
  })
  server.on('request', ({ socket }, response) => {
    if (stopped) response.setHeader('connection', 'close')
    count(socket, 1)
    response.on('close', () => count(socket, -1))
  })
  const stop = async () => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()))
    // Node waits for a connection that has not said anything yet as long as for a request.
    for (const [socket, requests] of running) if (requests === 0) socket.destroySoon()
    const withdraw = clock.after(graceMs, () => {
      server.closeAllConnections()
      // What became a WebSocket is no connection of Node's any more.
      for (const socket of running.keys()) socket.destroy()
    })
    await closed
    withdraw()
  }
  return { stop: () => (stopped ??= stop()) }
}
