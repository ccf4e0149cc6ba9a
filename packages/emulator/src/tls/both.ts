import type { Server as HttpServer } from 'node:http'
import { createServer, type Server, type Socket } from 'node:net'

/** The first byte of every TLS connection. */
const HANDSHAKE = 0x16

/**
 * One port for both: a connection goes to `secure` when it begins as TLS does, else to `plain`.
 *
 * Workers of the emulator come without TLS, so that they need not trust its authority.
 */
export function createBothServer(plain: HttpServer, secure: HttpServer): Server {
  return createServer((socket: Socket) => {
    // Whoever connects and says nothing must not hold a connection for ever.
    socket.setTimeout(60_000, () => socket.destroy())
    socket.on('error', () => {})
    socket.once('readable', () => {
      const first = socket.read() as Buffer | null
      if (first === null) return void socket.destroy()
      socket.setTimeout(0)
      socket.unshift(first)
      ;(first[0] === HANDSHAKE ? secure : plain).emit('connection', socket)
    })
  })
}
