import { gzipSync } from 'node:zlib'
import { expect, test, vi } from 'vitest'
import type { BackendRequest, RpcBackend } from '../backend.ts'
import { withServerRoutes } from './backend.ts'

const request = (more: Partial<BackendRequest> = {}): BackendRequest => ({
  method: 'POST',
  path: '/me?x=1',
  headers: new Headers({ 'x-own': 'yes' }),
  body: new TextEncoder().encode('sent'),
  signal: new AbortController().signal,
  ...more,
})

const behind = { fetch: async () => new Response('from a worker') } as Partial<RpcBackend> as RpcBackend

const around = (answer: (id: string, request: Request) => Promise<Response>) =>
  withServerRoutes(behind, { has: (id) => id === 'me', answer })

test('what this process has it is asked for, all else goes on', async () => {
  const backend = around(
    async (id, { method, url, headers }) => new Response([id, method, url, headers.get('x-own')].join(' ')),
  )
  const answer = await backend.fetch('me', request())
  expect(await answer.text()).toBe('me POST http://localhost/me?x=1 yes')
  expect(await (await backend.fetch('other', request())).text()).toBe('from a worker')
})

test('bodies arrive, whole or as they come', async () => {
  const backend = around(async (_, request) => new Response(await request.text()))
  expect(await (await backend.fetch('me', request())).text()).toBe('sent')
  const stream = new Blob(['streamed']).stream()
  expect(await (await backend.fetch('me', request({ body: stream }))).text()).toBe('streamed')
  expect(await (await backend.fetch('me', request({ method: 'GET', body: null }))).text()).toBe('')
})

test('answers come decoded, as from everywhere', async () => {
  const headers = { 'content-encoding': 'gzip' }
  const backend = around(async () => new Response(new Uint8Array(gzipSync('hello gzip')), { headers }))
  expect(await (await backend.fetch('me', request())).text()).toBe('hello gzip')
})

test('what loading it throws is thrown', async () => {
  const backend = around(() => Promise.reject(new Error('does not load')))
  await expect(backend.fetch('me', request())).rejects.toThrow('does not load')
})

test('a caller that leaves waits for no handler, and what that gives later is dropped', async () => {
  let answerLate: (response: Response) => void
  const late = new Promise<Response>((resolve) => (answerLate = resolve))
  const cancel = vi.fn()
  const stop = new AbortController()
  const seen: AbortSignal[] = []
  const backend = around((_, { signal }) => {
    seen.push(signal)
    return late
  })
  const answer = backend.fetch('me', request({ signal: stop.signal }))
  stop.abort(new Error('left'))
  await expect(answer).rejects.toThrow('left')
  expect(seen[0]!.aborted).toBe(true)
  answerLate!(new Response(new ReadableStream({ cancel })))
  await vi.waitFor(() => expect(cancel).toHaveBeenCalled())
  await expect(backend.fetch('me', request({ signal: stop.signal }))).rejects.toThrow('left')
})
