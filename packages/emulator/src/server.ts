import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerOptions,
  type ServerResponse,
} from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Server as NetServer, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'
import { createBothServer } from './tls/both.ts'

export interface ServerHost {
  answer(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface OpenServer {
  port: number
  /** Ends all connections. */
  close(): Promise<void>
}

const limits: ServerOptions = {
  // Clients that could speak HTTP/2 offer it with their first request, and go on without when nobody takes it up.
  shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() !== 'h2c',
  // Longer than clients keep an idle connection: one that closes as they write on it breaks their request.
  keepAliveTimeout: 75_000,
  // Beyond what the balancer allows.
  requestTimeout: 360_000,
  // Pings name up to 65,535 bytes of jobs in their address, with escaped commas.
  maxHeaderSize: 128 * 1024,
}

/** Listens with HTTP, and with HTTPS at the same port when there is a certificate. Throws `BAD_OPTION`. */
export async function openServer(
  { host, port, tls }: { host: string; port: number; tls?: { key: string; cert: string } },
  { answer, upgrade }: ServerHost,
): Promise<OpenServer> {
  const plain = createServer(limits, answer).on('upgrade', upgrade)
  const secure = tls ? openSecure(tls, answer).on('upgrade', upgrade) : null
  const outer = secure ? createBothServer(plain, secure) : plain
  const sockets = new Set<Socket>()
  outer.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await listen(outer, host, port)
  return {
    port: (outer.address() as AddressInfo).port,
    async close() {
      const closed = new Promise<void>((resolve) => outer.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      await closed
      for (const server of [plain, secure]) stopChecks(server)
    },
  }
}

function openSecure(tls: { key: string; cert: string }, answer: ServerHost['answer']): Server {
  try {
    return createSecureServer({ ...limits, ...tls }, answer)
  } catch (cause) {
    throw new AppError('BAD_OPTION', {
      message: `the certificate or its key cannot be used: ${(cause as Error).message}`,
      hint: 'give both as texts in PEM, or `tls: true` for new ones',
      cause,
    })
  }
}

/** A server that never listened has to be told, or it looks through its connections for ever. */
function stopChecks(server: Server | null): void {
  server?.closeAllConnections()
  server?.close()
}

function listen(server: NetServer, host: string, port: number): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, resolve)
  }).catch((cause: Error) => {
    throw new AppError('BAD_OPTION', {
      message: `the emulator cannot listen at port ${port} of ${host}: ${cause.message}`,
      hint: 'give another port, or 0 for any free one',
      cause,
    })
  })
}
