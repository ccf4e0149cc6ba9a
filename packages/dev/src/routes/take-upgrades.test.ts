import { createServer, type RequestListener } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { takeUpgrades } from './take-upgrades.ts'
import type { Upgrade } from './upgrade.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

const answer: RequestListener = async (request, response) => {
  let body = ''
  for await (const chunk of request) body += chunk
  response.end(`${request.method} ${request.url} ${request.headers.upgrade} ${body}`)
}

const ours: Upgrade = (_request, socket) => void socket.end('HTTP/1.1 418 Ours\r\n\r\n')

async function start() {
  const server = createServer(answer)
  takeUpgrades(server, '/app/_flash', ours)
  const sockets = new Set<Socket>()
  server.on('connection', (socket) => sockets.add(socket))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUps.push(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const ask = async (line: string, upgrade: string, body = '') => {
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    const length = body === '' ? '' : `Content-Length: ${body.length}\r\n`
    socket.write(
      `${line} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, close\r\nUpgrade: ${upgrade}\r\n${length}\r\n${body}`,
    )
    let text = ''
    for await (const chunk of socket) text += chunk
    return text
  }
  return { server, ask }
}

test('a WebSocket below the prefix is taken', async () => {
  const { ask } = await start()
  expect(await ask('GET /app/_flash/live?x', 'websocket')).toMatch(/^HTTP\/1\.1 418/)
})

test('what offers another protocol is answered, with its body', async () => {
  const { server, ask } = await start()
  server.on('upgrade', () => {})
  const text = await ask('POST /app/_flash/ocr/run', 'h2c', '{"input":{}}')
  expect(text).toMatch(/^HTTP\/1\.1 200 [^]*POST \/app\/_flash\/ocr\/run undefined \{"input":\{\}\}/)
})

test('what is elsewhere is answered as before, unless somebody else listens', async () => {
  const { server, ask } = await start()
  expect(await ask('GET /', 'websocket')).toMatch(/^HTTP\/1\.1 200 [^]*GET \/ undefined/)
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 418 Theirs\r\n\r\n'))
  expect(await ask('GET /', 'websocket')).toMatch(/^HTTP\/1\.1 418 Theirs/)
})
