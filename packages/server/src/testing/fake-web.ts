import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

export interface FakeWebRequest {
  method: string
  url: string
  headers: IncomingMessage['headers']
  body: string
}

export interface FakeWebAnswer {
  status?: number
  headers?: Record<string, string | string[]>
  body?: string
  /** The platform's own, or of something else than a worker. */
  isPlatform?: boolean
}

/** A load-balanced endpoint behind a real server on 127.0.0.1, and what it was asked. */
export async function startFakeWeb(
  answer: (
    request: FakeWebRequest,
    response: ServerResponse,
  ) => FakeWebAnswer | void | Promise<FakeWebAnswer | void>,
) {
  const requests: FakeWebRequest[] = []
  const upgrades: IncomingMessage[] = []
  const sockets = new Set<Socket>()
  const server = createServer(async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk)
    const { method, url, headers } = incoming
    const request = { method: method!, url: url!, headers, body: Buffer.concat(chunks).toString() }
    requests.push(request)
    const given = await answer(request, response)
    if (!given) return
    const own = given.isPlatform ? {} : { 'x-runpod-worker-id': 'worker-7', 'x-flash-result': 'response' }
    response.writeHead(given.status ?? 200, { ...own, ...given.headers }).end(given.body)
  })
  server.on('connection', (socket) => sockets.add(socket))
  server.on('upgrade', (request, socket) => {
    upgrades.push(request)
    const refusal = JSON.stringify({ code: 'FORBIDDEN', message: 'no sockets in this test' })
    const head = `HTTP/1.1 403 Forbidden\r\nx-flash: 1\r\nconnection: close\r\ncontent-length: ${refusal.length}`
    socket.end(`${head}\r\n\r\n${refusal}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    requests,
    upgrades,
    origin: `http://127.0.0.1:${port}`,
    /** Where the platform would have its queues; endpoints are at `/lb/<id>` of the same host. */
    base: `http://127.0.0.1:${port}/v2`,
    async close() {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

export type FakeWeb = Awaited<ReturnType<typeof startFakeWeb>>
