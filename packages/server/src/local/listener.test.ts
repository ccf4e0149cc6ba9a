import { connect } from 'node:net'
import { afterEach, describe, expect, test, vi } from 'vitest'
import type { RpcUpgrade } from '../rpc/upgrade.ts'
import { type Listener, openListener } from './listener.ts'

let listener: Listener
afterEach(() => listener.close())

const rpc = vi.fn(async () => new Response('answered'))

const upgrade = vi.fn<RpcUpgrade>(async (_request, _path, _caller, { socket }) => {
  socket.write('HTTP/1.1 101 Yes\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
})

async function open() {
  listener = await openListener({ rpc, upgrade, token: 'secret', tokenPlace: '.flash/dev.json' })
}

async function ask(path: string, authorization = 'Bearer secret') {
  await open()
  return fetch(`${listener.url}${path}`, { method: 'POST', headers: { authorization } })
}

test('calls with the token are those of a server', async () => {
  const response = await ask('/rpc/abc')
  expect(await response.text()).toBe('answered')
  expect(rpc).toHaveBeenCalledWith(expect.anything(), 'abc', { kind: 'server', subject: null })
  expect(new URL(listener.url).hostname).toBe('127.0.0.1')
})

for (const [what, path, authorization, status, problem] of [
  ['without the token', '/rpc/abc', '', 401, { code: 'UNAUTHORIZED', hint: 'it is in .flash/dev.json' }],
  ['elsewhere', '/', 'Bearer secret', 404, { code: 'NOT_FOUND', message: 'nothing answers at /' }],
  ['below a function', '/rpc/abc/d', 'Bearer secret', 404, { code: 'NOT_FOUND' }],
] as const) {
  test(`a request ${what} is refused`, async () => {
    rpc.mockClear()
    const response = await ask(path, authorization)
    expect(response.status).toBe(status)
    expect(response.headers.get('x-flash')).toBe('1')
    expect(await response.json()).toMatchObject(problem)
    expect(rpc).not.toHaveBeenCalled()
  })
}

test('closing ends it with its connections', async () => {
  await ask('/rpc/abc')
  await listener.close()
  await expect(fetch(listener.url)).rejects.toThrow()
})

describe('a WebSocket', () => {
  async function connectTo(path: string, headers: string[]) {
    await open()
    upgrade.mockClear()
    const { port } = new URL(listener.url)
    const socket = connect(Number(port), '127.0.0.1')
    const lines = [`GET ${path} HTTP/1.1`, 'Connection: Upgrade', 'Upgrade: websocket', ...headers]
    socket.write(`${lines.join('\r\n')}\r\n\r\n`)
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk) => (text += chunk))
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
    return { closed, until: (pattern: RegExp) => vi.waitFor(() => expect(text).toMatch(pattern)) }
  }

  test('with the token is one of a server, and closing ends it', async () => {
    const { until, closed } = await connectTo('/rpc/abc?path=/live', [
      'Host: x',
      'Authorization: Bearer secret',
    ])
    await until(/^HTTP\/1\.1 101/)
    const [request, path, caller] = upgrade.mock.lastCall!
    expect([request.url, path, caller]).toEqual([
      'http://x/rpc/abc?path=/live',
      'abc',
      { kind: 'server', subject: null },
    ])
    await listener.close()
    await closed
  })

  for (const [what, path, headers, status] of [
    ['without the token', '/rpc/abc', ['Host: x'], 401],
    ['elsewhere', '/live', ['Host: x', 'Authorization: Bearer secret'], 404],
    ['without a host', '/rpc/abc', ['Host: ', 'Authorization: Bearer secret'], 400],
  ] as const)
    test(`${what} is refused`, async () => {
      const { until, closed } = await connectTo(path, [...headers])
      await until(new RegExp(`^HTTP/1.1 ${status} `))
      await closed
      expect(upgrade).not.toHaveBeenCalled()
    })
})
