import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** The balancer keeps connections for long; one that this side closes first is a failed request there. */
const keepAliveMs = 610_000

/** Lets each server listen at its port. Rejects when one cannot; then none does. */
export async function listenAt(host: string, wanted: [Server, number][]): Promise<Server[]> {
  const servers = wanted.map(([server]) => server)
  try {
    for (const [server, port] of wanted) await listen(server, port, host)
    return servers
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  server.keepAliveTimeout = keepAliveMs
  // The balancer has its own limit of time; uploads may take as long as that allows.
  server.requestTimeout = 0
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
