import { connect, createServer, type Socket } from 'node:net'

/** A way from an address of this machine to a port that listens on another one of its addresses. */
export interface Forwarder {
  port: number
  close(): Promise<void>
}

/**
 * Listens on one address only and passes every connection on, byte by byte.
 *
 * - rejects with `EADDRNOTAVAIL` when this machine does not have the address.
 */
export async function forward(address: string, target: { host: string; port: number }): Promise<Forwarder> {
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  }
  const server = createServer({ allowHalfOpen: true }, (from) => {
    const to = connect({ ...target, allowHalfOpen: true })
    join(from, to)
    keep(from)
    keep(to)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, address, resolve)
  })
  // Who started it may end while it listens.
  server.unref()
  return {
    port: (server.address() as { port: number }).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** One side that breaks ends the other; one that has said all leaves the other to answer. */
function join(from: Socket, to: Socket): void {
  for (const [one, other] of [
    [from, to],
    [to, from],
  ] as const) {
    one.pipe(other)
    one.once('error', () => other.destroy())
    one.once('close', () => other.destroy())
  }
}
