import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { AppError, systemClock } from '@flash/protocol'
import { FastResponse, toNodeHandler } from 'srvx/node'
import { afterEach, expect, test, vi } from 'vitest'
import { createCapability } from '../capability.ts'
import { createRpcHandler } from '../rpc.ts'
import { createRpcUpgrade } from '../rpc/upgrade.ts'
import { balancedFacts, fetchBody } from '../testing/balanced.ts'
import { toUpgradeRequest } from '../upgrade.ts'
import { createLocalBackend, type LocalFact } from './backend.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

async function listen(server: Server) {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, sockets }
}

/** An rpc route over real connections, with one worker behind it. */
async function start() {
  const far = createServer((request, response) => {
    if (request.url === '/never') return
    // More than any buffer on the way takes.
    response.write(Buffer.alloc(request.url === '/much' ? 64_000_000 : 10))
  })
  far.on('upgrade', (request, socket) => {
    socket.on('error', () => {})
    socket.on('end', () => socket.end()).resume()
    if (request.url === '/never') return
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
  })
  const worker = await listen(far)
  const seats = { taken: 0, free: 0 }
  const facts = balancedFacts as unknown as LocalFact[]
  const backend = createLocalBackend<LocalFact>({
    function: (id) => facts.find((fact) => fact.id === id) ?? null,
    functions: () => facts,
    rescan: async () => false,
    endpoint: () => Promise.reject(new Error('no queue here')),
    balanced: async ({ endpoint: name }) => ({
      name,
      async seat() {
        seats.taken++
        let isTaken = true
        const release = () => {
          if (isTaken) seats.free++
          isTaken = false
        }
        const url = `http://127.0.0.1:${worker.port}`
        const time = { limitMs: 330_000, expire: () => new AppError('TIMEOUT', { message: 'over' }) }
        return { workerId: 'local-1', url, headers: {}, release, ...time, lost: async () => null }
      },
    }),
    find: () => undefined,
    all: () => [],
    maxBodyBytes: 1_000_000,
    clock: systemClock,
  })
  const capability = createCapability(new Uint8Array(32))
  const onInternal = vi.fn()
  const rpc = createRpcHandler({ capability, backend, onInternal, Response: FastResponse as never })
  const caller = { kind: 'server', subject: null } as const
  const near = createServer(
    toNodeHandler((request: Request) => rpc(request, 'site', caller)) as RequestListener,
  )
  const upgrade = createRpcUpgrade({ capability, backend, onInternal })
  near.on('upgrade', (incoming, socket, head) =>
    upgrade(toUpgradeRequest(incoming)!, 'site', caller, { incoming, socket, head }),
  )
  const app = await listen(near)
  /** A connection that says this, and does not read on its own. */
  const say = (head: string, ...rest: Uint8Array[]) => {
    const socket = connect(app.port, '127.0.0.1')
    socket.on('error', () => {})
    socket.write(`${head}host: a\r\n\r\n`)
    for (const part of rest) socket.write(part)
    return socket
  }
  return { worker, app, seats, onInternal, say }
}

const post = (length: number) =>
  `POST / HTTP/1.1\r\ncontent-type: application/x-flash; v=1\r\nx-flash: 1\r\ncontent-length: ${length}\r\n`

const open = (path: string) =>
  `GET /?path=${path} HTTP/1.1\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-key: a\r\nsec-websocket-version: 13\r\nsec-websocket-protocol: flash.v1\r\n`

test('callers that leave at any moment leave nothing behind', async () => {
  const { worker, app, seats, onInternal, say } = await start()
  const bodies = ['/never', '/some', '/much'].map((path) => fetchBody({ path }))
  const callers: Socket[] = []
  for (let round = 0; round < 20; round++) {
    for (const body of bodies) callers.push(say(post(body.length), body))
    // Whose body never comes whole.
    callers.push(say(post(1_000), bodies[0]!))
    callers.push(say(open('/never')), say(open('/some')))
  }
  await vi.waitFor(() => expect(seats.taken).toBe(100), { timeout: 10_000 })
  await vi.waitFor(() => expect(worker.sockets.size).toBe(100), { timeout: 10_000 })
  for (const [at, caller] of callers.entries()) {
    if (at % 2) caller.destroy()
    else caller.resetAndDestroy()
  }
  await vi.waitFor(() => expect(seats.free).toBe(100), { timeout: 10_000 })
  await vi.waitFor(() => expect([worker.sockets.size, app.sockets.size]).toEqual([0, 0]))
  expect(onInternal).not.toHaveBeenCalled()
})
