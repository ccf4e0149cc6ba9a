import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'
import { expect, onTestFinished, test, vi } from 'vitest'
import type { RpcBackend } from '../backend.ts'
import { createInsideConnect } from './connect.ts'

/** Takes every WebSocket, with the first subprotocol that is offered. */
async function listen(refusal?: string) {
  const server = createServer()
  const upgrades: IncomingMessage[] = []
  const sockets: Duplex[] = []
  server.on('upgrade', (incoming, socket) => {
    upgrades.push(incoming)
    sockets.push(socket)
    if (refusal) return void socket.end(refusal)
    const guid = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'
    const accept = createHash('sha1')
      .update(`${incoming.headers['sec-websocket-key']}${guid}`)
      .digest('base64')
    const [protocol] = (incoming.headers['sec-websocket-protocol'] ?? '').split(',')
    const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket']
    if (protocol) lines.push(`sec-websocket-protocol: ${protocol}`)
    socket.write(`${[...lines, `sec-websocket-accept: ${accept}`].join('\r\n')}\r\n\r\n`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, upgrades, sockets }
}

const find: RpcBackend['find'] = async () => ({ endpoint: 'pictures', maxBodyBytes: 1, kind: 'web' })
const request = { path: '/live', protocols: ['chat'] }

for (const [what, isRelay, path, protocols] of [
  ['an endpoint', false, '/live', 'chat'],
  ['another server', true, '?path=%2Flive', 'flash.v1,chat'],
] as const) {
  test(`a WebSocket is opened at ${what}, and its seat is free when it is closed`, async () => {
    const { url, upgrades, sockets } = await listen()
    const release = vi.fn()
    const seat = vi.fn(async () => ({ url, isRelay, headers: { 'x-own': '1' }, release }))
    const socket = await createInsideConnect(() => ({ find, seat }))('site')({
      ...request,
      signal: new AbortController().signal,
    })
    expect(upgrades[0]!.url).toBe(isRelay ? `/${path}` : path)
    expect(upgrades[0]!.headers).toMatchObject({ 'sec-websocket-protocol': protocols, 'x-own': '1' })
    expect(release).not.toHaveBeenCalled()
    for (const one of sockets) one.destroy()
    await new Promise((resolve) => socket.addEventListener('close', resolve))
    expect(release).toHaveBeenCalledTimes(1)
  })
}

test('where nothing takes WebSockets, that is said', async () => {
  await expect(createInsideConnect(() => ({ find }))('site')(request)).rejects.toMatchObject({
    code: 'WEBSOCKET_UNSUPPORTED',
  })
})

const refused = [
  [
    'the worker',
    {},
    'HTTP/1.1 401 Unauthorized\r\n\r\nnope',
    { code: 'HTTP_ERROR', data: { status: 401, body: 'nope' } },
  ],
  [
    'what it threw',
    {},
    'HTTP/1.1 400 Bad\r\nx-flash-result: error\r\n\r\n{"code":"FULL","message":"no"}',
    { code: 'FULL' },
  ],
  ['no error of ours', {}, 'HTTP/1.1 400 Bad\r\nx-flash-result: error\r\n\r\nbroken', { code: 'HTTP_ERROR' }],
  ['one without a code', {}, 'HTTP/1.1 400 Bad\r\nx-flash: 1\r\n\r\n{}', { code: 'HTTP_ERROR' }],
  [
    'somebody before it',
    {
      refusal: ({ status }: { status: number }) =>
        new AppError('ACCOUNT_REFUSED', { message: `it is ${status}` }),
    },
    'HTTP/1.1 403 Forbidden\r\n\r\n',
    { code: 'ACCOUNT_REFUSED', message: 'it is 403' },
  ],
] as const
for (const [what, more, answer, error] of refused) {
  test(`a refusal is told as that of ${what}, and the seat is free`, async () => {
    const { url } = await listen(answer)
    const release = vi.fn()
    const seat = async () => ({ url, headers: {}, release, ...more })
    await expect(createInsideConnect(() => ({ find, seat }))('site')(request)).rejects.toMatchObject(error)
    expect(release).toHaveBeenCalledTimes(1)
  })
}
