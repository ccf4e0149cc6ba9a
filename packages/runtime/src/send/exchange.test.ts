import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestClock } from '@flash/protocol'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { createContext } from './context.ts'
import { exchange } from './exchange.ts'

let server: Server | undefined
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => (server ? server.close(resolve) : resolve(undefined)))
  server = undefined
})

async function listen(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  server = createServer(answer)
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function contextOf(url: string, clock = createTestClock()) {
  const address = { endpoint: 'ocr', url, key: 'a-long-secret-key', place: 'here' }
  return createContext(address, { fetch, clock, random: Math.random })
}

const get = { method: 'GET', path: '/status/1', timeoutMs: 1_000 } as const

describe('over a real connection', () => {
  test('an answer is whole, whatever pieces it came in', async () => {
    const url = await listen((request, response) => {
      response.writeHead(200, { 'retry-after': '3' })
      response.write(Buffer.from([0xe2, 0x82]))
      setImmediate(() => response.end(Buffer.concat([Buffer.from([0xac]), Buffer.from(request.url!)])))
    })
    expect(await exchange(contextOf(`${url}/v2/abc`), get)).toEqual({
      kind: 'answer',
      status: 200,
      text: '€/v2/abc/status/1',
      retryAfterMs: 3_000,
    })
  })

  test('a body is sent as JSON, with the key', async () => {
    const seen = vi.fn()
    const url = await listen(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk)
      seen(request.headers.authorization, request.headers['content-type'], Buffer.concat(chunks).toString())
      response.end()
    })
    const body = new TextEncoder().encode('{}')
    expect(await exchange(contextOf(url), { ...get, method: 'POST', body })).toMatchObject({ text: '' })
    expect(seen).toHaveBeenCalledWith('Bearer a-long-secret-key', 'application/json', '{}')
  })

  test('a redirect is not followed, because the input would go elsewhere', async () => {
    const elsewhere = vi.fn()
    const url = await listen((request, response) => {
      if (request.url === '/else') elsewhere()
      response.writeHead(307, { location: '/else' }).end()
    })
    expect(await exchange(contextOf(url), get)).toMatchObject({ kind: 'answer', status: 307 })
    expect(elsewhere).not.toHaveBeenCalled()
  })

  test('nobody listening: nothing was sent', async () => {
    const url = await listen(() => {})
    await new Promise((resolve) => server!.close(resolve))
    expect(await exchange(contextOf(url), get)).toMatchObject({ kind: 'unsent', reason: 'ECONNREFUSED' })
  })

  test('no such host: nothing was sent', async () => {
    const outcome = await exchange(contextOf('http://no-such-host.invalid'), get)
    expect(outcome).toMatchObject({ kind: 'unsent', reason: expect.stringMatching(/ENOTFOUND|EAI_AGAIN/) })
  })

  test('closed before an answer: lost', async () => {
    const url = await listen((request) => request.socket.destroy())
    expect(await exchange(contextOf(url), get)).toMatchObject({ kind: 'lost' })
  })

  test('closed in the middle of an answer: lost', async () => {
    const url = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': '100' })
      response.write('{"id":', () => response.socket!.destroy())
    })
    expect(await exchange(contextOf(url), get)).toMatchObject({ kind: 'lost' })
  })

  for (const [what, answer] of [
    ['never an answer', () => {}],
    [
      'half an answer, and then silence',
      (_request: unknown, response: ServerResponse) => {
        response.writeHead(200)
        response.write('{')
      },
    ],
  ] as const) {
    test(`${what}: lost when the time is over`, async () => {
      const arrived = vi.fn()
      const url = await listen((request, response) => {
        answer(request, response)
        arrived()
      })
      const clock = createTestClock()
      const outcome = exchange(contextOf(url, clock), get)
      await vi.waitUntil(() => arrived.mock.calls.length, { interval: 2 })
      clock.advance(1_000)
      expect(await outcome).toMatchObject({ kind: 'lost', reason: 'no answer within 1000 ms' })
    })
  }

  test('an answer without end is given up', async () => {
    const url = await listen((_request, response) => {
      const chunk = Buffer.alloc(1_000_000)
      const more = () => {
        while (response.write(chunk));
        response.once('drain', more)
      }
      more()
    })
    await expect(exchange(contextOf(url), get)).rejects.toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      data: { limit: 64_000_000 },
    })
  })
})

test('the reason of a failure holds no secret', async () => {
  const context = contextOf('http://127.0.0.1')
  context.fetch = () => Promise.reject(new TypeError('"Bearer a-long-secret-key" is invalid'))
  const outcome = await exchange(context, get)
  expect(outcome).toMatchObject({ kind: 'lost', reason: expect.not.stringContaining('a-long-secret-key') })
})

for (const [text, retryAfterMs] of [
  ['5', 5_000],
  ['3600', 3_600_000],
  ['0', undefined],
  ['-1', undefined],
  ['', undefined],
  ['tomorrow', undefined],
  [new Date(1_700_000_010_000).toUTCString(), 10_000],
  [new Date(1_600_000_000_000).toUTCString(), undefined],
] as const) {
  test(`Retry-After: ${JSON.stringify(text)}`, async () => {
    const context = contextOf('http://127.0.0.1')
    context.fetch = async () => new Response('', { headers: { 'retry-after': text } })
    expect(await exchange(context, get)).toMatchObject({ kind: 'answer', retryAfterMs })
  })
}
