import { connect, createServer } from 'node:net'
import { networkInterfaces } from 'node:os'
import type Docker from 'dockerode'
import { afterEach, expect, test } from 'vitest'
import { forward } from './forward.ts'
import { openNetwork } from './network.ts'

const cleaning: (() => unknown)[] = []
afterEach(async () => {
  for (const clean of cleaning.splice(0).reverse()) await clean()
})

const engineWith = (config: unknown) =>
  ({ getNetwork: () => ({ inspect: async () => ({ IPAM: { Config: config } }) }) }) as unknown as Docker

/** Answers in capitals when the other side has said all. */
async function listenForText(): Promise<number> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = ''
    socket.on('data', (bytes) => (text += bytes))
    socket.on('end', () => socket.end(text.toUpperCase()))
    socket.on('error', () => {})
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleaning.push(() => server.close())
  return (server.address() as { port: number }).port
}

function say(port: number, text: string, host = '127.0.0.1'): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host, allowHalfOpen: true }, () => socket.end(text))
    let answer = ''
    socket.on('data', (bytes) => (answer += bytes))
    socket.on('end', () => resolve(answer))
    socket.on('error', reject)
  })
}

test('a forwarder passes on both ways, also when one side has said all', async () => {
  const forwarder = await forward('127.0.0.1', { host: '127.0.0.1', port: await listenForText() })
  cleaning.push(() => forwarder.close())
  expect(await Promise.all(['one', 'two'.repeat(1e5)].map((text) => say(forwarder.port, text)))).toEqual([
    'ONE',
    'TWO'.repeat(1e5),
  ])
})

test('it listens on the one address, and no longer than it is wanted', async () => {
  const forwarder = await forward('127.0.0.1', { host: '127.0.0.1', port: await listenForText() })
  cleaning.push(() => forwarder.close())
  const others = Object.values(networkInterfaces())
    .flat()
    .filter((one) => one!.family === 'IPv4' && !one!.internal)
  for (const { address } of [...others, { address: '127.0.0.2' }] as { address: string }[]) {
    await expect(say(forwarder.port, 'x', address)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  }
  const open = connect(forwarder.port, '127.0.0.1')
  await new Promise((resolve) => open.once('connect', resolve))
  const closed = new Promise((resolve) => open.once('close', resolve))
  await forwarder.close()
  await closed
  await expect(say(forwarder.port, 'x')).rejects.toMatchObject({ code: 'ECONNREFUSED' })
})

test('who calls while nobody listens behind it is hung up on', async () => {
  const forwarder = await forward('127.0.0.1', { host: '127.0.0.1', port: 1 })
  cleaning.push(() => forwarder.close())
  await new Promise<void>((resolve) => {
    connect(forwarder.port, '127.0.0.1')
      .once('error', () => {})
      .once('close', () => resolve())
  })
})

for (const [what, config, mode, host] of [
  [
    'with a gateway',
    [{ Subnet: 'fd00::/64' }, { Subnet: '127.0.0.0/8', Gateway: '127.0.0.1' }],
    'bridge',
    '127.0.0.1',
  ],
  ['whose gateway is left out', [{ Subnet: '127.0.0.0/8' }], 'bridge', '127.0.0.1'],
  ['of another machine', [{ Subnet: '203.0.113.0/24' }], 'bridge', 'host.docker.internal'],
  ['with IPv6 alone', [{ Subnet: 'fd00::/64' }], 'host', '127.0.0.1'],
  ['without addresses', null, 'host', '127.0.0.1'],
] as const) {
  test(`how a bridge is used: ${what}`, async () => {
    const network = await openNetwork(engineWith(config))
    cleaning.push(() => network.close())
    expect(network.mode).toBe(mode)
    const [one, again] = await Promise.all([1, 2].map(() => network.reachable('http://127.0.0.1:9/path?x=1')))
    expect(one).toBe(again)
    expect(new URL(one!)).toMatchObject({ hostname: host, pathname: '/path', search: '?x=1' })
  })
}

test('standard ports need not be named', async () => {
  const network = await openNetwork(engineWith([{ Subnet: '203.0.113.0/24' }]))
  for (const url of ['http://127.0.0.1', 'https://127.0.0.1/'])
    expect(await network.reachable(url)).toBe(url.replace('127.0.0.1', 'host.docker.internal'))
})
