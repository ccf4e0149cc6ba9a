import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { expect, test } from 'vitest'
import { createTestClock, systemClock } from '@flash/protocol'
import { createDrain } from './drain.ts'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

test('connections that break in the middle of an answer are not kept', async () => {
  const server = createServer((_request, response) => void response.write('begun'))
  const { stop } = createDrain(server, { clock: systemClock, graceMs: 60_000 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const breakOne = async () => {
    const client = connect(port, '127.0.0.1')
    const asked = once(server, 'request')
    client.write('GET / HTTP/1.1\r\nhost: a\r\n\r\n')
    const [{ socket }, response] = (await asked) as [{ socket: object }, ServerResponse]
    await once(client, 'data')
    const left = once(response, 'close')
    client.destroy()
    await left
    return new WeakRef(socket)
  }
  const sockets: WeakRef<object>[] = []
  for (let n = 0; n < 20; n++) sockets.push(await breakOne())
  for (let n = 0; n < 3; n++) {
    await new Promise(setImmediate)
    collect()
  }
  // Node itself may hold on to the last one.
  expect(sockets.filter((socket) => socket.deref()).length).toBeLessThan(5)
  await stop()
})

test('a WebSocket that nobody reads is ended after the grace', async () => {
  const clock = createTestClock()
  const server = createServer()
  server.on('upgrade', (_request, socket) => {
    socket.on('error', () => {})
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
    socket.write(Buffer.alloc(32_000_000))
  })
  const { stop } = createDrain(server, { clock, graceMs: 60_000 })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.on('error', () => {})
  const upgraded = once(server, 'upgrade')
  client.write('GET / HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n')
  await upgraded
  const stopped = stop()
  clock.advance(60_000)
  await stopped
  client.destroy()
})
