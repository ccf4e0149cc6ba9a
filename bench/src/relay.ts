import { once } from 'node:events'
import { type AddressInfo, connect, createServer } from 'node:net'

/** Passes connections on to a server and counts what goes through, headers included. */
export interface Relay {
  url: string
  /** Bytes towards the server and back since the last time this was asked. */
  take(): { up: number; down: number }
  close(): void
}

export async function openRelay(target: string): Promise<Relay> {
  let counted = { up: 0, down: 0 }
  const server = createServer((client) => {
    const { hostname, port } = new URL(target)
    const onward = connect({ host: hostname, port: Number(port) })
    client.on('data', (chunk) => {
      counted.up += chunk.length
    })
    onward.on('data', (chunk) => {
      counted.down += chunk.length
    })
    client.pipe(onward).pipe(client)
    client.on('error', () => onward.destroy())
    onward.on('error', () => client.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = counted
      counted = { up: 0, down: 0 }
      return taken
    },
    close: () => void server.close(),
  }
}
