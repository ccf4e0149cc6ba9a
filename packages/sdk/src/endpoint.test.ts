import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createTestClock } from '@flash/protocol'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { createClient } from './client/client.ts'
import { endpoint } from './index.ts'

afterEach(() => void vi.unstubAllEnvs())

/** A host of this machine, which the variables of the process lead to. */
async function startHost(answer: RequestListener): Promise<void> {
  const server = createServer(answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  vi.stubEnv('RUNPOD_ENDPOINT_BASE_URL', `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2`)
  vi.stubEnv('RUNPOD_API_KEY', 'key')
}

test('a client finds its endpoint by the variables of the process', async () => {
  await startHost(({ method, url, headers }, response) => {
    response.setHeader('content-type', 'application/json')
    if (url === '/v2/abc/run') response.end('{"id":"j1","status":"IN_QUEUE"}')
    else if (url?.startsWith('/v2/abc/')) response.end('{"id":"j1","status":"COMPLETED","output":"done"}')
    else response.end(JSON.stringify({ method, url, key: headers.authorization }))
  })
  const client = endpoint<object, string>({ id: 'abc' })
  expect(await client.runSync({ text: 'x' })).toBe('done')
  expect(await client.delete('/items/1')).toEqual({
    method: 'DELETE',
    url: '/lb/abc/items/1',
    key: 'Bearer key',
  })
})

test('routes and web apps need the plugin', () => {
  const config = { name: 'site' }
  const missing = { name: 'AppError', code: 'PLUGIN_MISSING' }
  expect(() => endpoint(config)).toThrow(expect.objectContaining(missing))
  expect(() => endpoint(config, { fetch: () => new Response() })).toThrow(expect.objectContaining(missing))
  expect(() => endpoint(config, () => ({ fetch: () => new Response() }))).toThrow(
    /endpoint\(\) with a web app/,
  )
})

test('an endpoint with an image is a client with all members', () => {
  const client = endpoint({ image: 'owner/image:1', name: 'with-image' })
  expect(Object.keys(client).sort()).toEqual(Object.keys(endpoint({ id: 'abc' })).sort())
})

test('an answer that breaks off is an error', async () => {
  await startHost((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': '100' })
    response.write('begins', () => response.destroy())
  })
  await expect(endpoint({ id: 'abc' }).get('/x')).rejects.toMatchObject({
    name: 'RemoteError',
    code: 'TRANSPORT',
  })
})

test('an answer that never ends is given up, and its body can be read on while it comes', async () => {
  const asked: (string | undefined)[] = []
  await startHost(({ url }, response) => {
    asked.push(url)
    response.writeHead(200, { 'content-type': url === '/lb/abc/text' ? 'text/plain' : 'text/event-stream' })
    response.write('data: 1\n\n')
  })
  const clock = createTestClock()
  const client = createClient({ id: 'abc' }, { clock })
  const stop = new AbortController()
  const { body } = await client.get<Response>('/events', { signal: stop.signal, timeoutMs: 200 })
  const reader = body!.getReader()
  expect(new TextDecoder().decode((await reader.read()).value)).toBe('data: 1\n\n')
  const text = client.get('/text', { timeoutMs: 200 }).catch((error: unknown) => error)
  await vi.waitFor(() => expect(asked).toContain('/lb/abc/text'))
  clock.advance(200)
  expect(await text).toMatchObject({ code: 'TIMEOUT' })
  const next = reader.read()
  stop.abort()
  await expect(next).rejects.toThrow()
})
