import { createServer } from 'node:net'

/** Ports given away a moment ago, which nobody may listen on yet. */
const given = new Set<number>()
const REMEMBERED_PORTS = 256

/** A port of this machine that nobody listens on. */
export async function findFreePort(): Promise<number> {
  let port: number
  do port = await askForPort()
  while (given.has(port))
  given.add(port)
  for (const old of [...given].slice(0, -REMEMBERED_PORTS)) given.delete(old)
  return port
}

function askForPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
}
