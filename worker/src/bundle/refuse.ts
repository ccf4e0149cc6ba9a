import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type BalancedPlace } from '../balanced/places.ts'

/** A server that is up, and takes no requests. */
export interface RefusingServer {
  port: number
  close(): Promise<0>
}

/** Tells every health check and every request that this worker could not start. Rejects when a port cannot be listened at. */
export async function serveRefusal({ host, port, healthPort }: BalancedPlace): Promise<RefusingServer> {
  const ports = healthPort === port ? [port] : [port, healthPort]
  const servers = ports.map(() =>
    createServer((incoming, outgoing) => {
      incoming.resume()
      outgoing.writeHead(503, headers).end(body)
    }),
  )
  await Promise.all(
    servers.map(
      (server, at) =>
        new Promise<void>((resolve, reject) => {
          server.once('error', reject).listen(ports[at], host, resolve)
        }),
    ),
  )
  return {
    port: (servers[0]!.address() as AddressInfo).port,
    async close() {
      for (const server of servers) {
        server.close()
        server.closeAllConnections()
      }
      return 0
    },
  }
}

const headers = { 'content-type': 'application/json', 'cache-control': 'no-store' }

const body = JSON.stringify({
  code: 'WORKER_UNAVAILABLE',
  message: 'this worker takes no requests: it could not start',
  hint: 'send the request to another worker; the log of this one says why',
})
