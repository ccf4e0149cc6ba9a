import { AppError, FrameType, type Message, RemoteError } from '@flash/protocol'
import type { Post } from '@flash/runtime/server'
import { describe, expect, test, vi } from 'vitest'
import type { BackendRequest, RpcBackend, RpcJob } from '../backend.ts'
import { createCapability } from '../capability.ts'
import { createRpcHandler } from '../rpc.ts'
import { hear, lastOf } from '../testing/jobs.ts'
import { createRelay } from './relay.ts'

const text = (type: number, value?: unknown): Message => ({
  type,
  rich: false,
  text: value === undefined ? '' : JSON.stringify(value),
  parts: [],
})

/** The route of another server, with one job whose words the test says. */
function setUp(more: Partial<RpcBackend> = {}) {
  const said: Message[] = []
  const listeners = new Set<(message: Message) => void>()
  const cancelled: string[] = []
  const job: RpcJob = {
    id: 'job-1',
    endpoint: 'ocr',
    deadline: 9e15,
    listen(from, say) {
      let items = 0
      for (const message of said) if (message.type !== FrameType.item || items++ >= from) say(message)
      listeners.add(say)
      return () => listeners.delete(say)
    },
    status: () => ({ id: 'job-1', status: 'IN_PROGRESS', workerId: 'w' }),
    cancel: (reason) => void cancelled.push(reason),
  }
  const say = (...messages: Message[]) => {
    for (const message of messages) {
      said.push(message)
      for (const listener of listeners) listener(message)
    }
  }
  const backend: RpcBackend = {
    find: async () => ({ endpoint: 'ocr', maxBodyBytes: 1e6 }),
    submit: vi.fn(async () => job),
    warm: vi.fn(async () => {}),
    fetch: async () => new Response('fetched'),
    job: (_endpoint, id) => (id === 'job-1' ? job : null),
    jobById: (id) => (id === 'job-1' ? job : null),
    ...more,
  }
  const rpc = createRpcHandler({ backend, capability: createCapability(new Uint8Array(32)), graceMs: 1 })
  const headers = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }
  const routes: string[] = []
  const post: Post = (route, body, how) => {
    routes.push(route)
    const request = new Request(`http://x/rpc/${route}`, {
      method: 'POST',
      headers: { ...headers, ...how?.headers },
      body,
      signal: how?.signal,
    })
    return rpc(request, route, { kind: 'server', subject: null })
  }
  const openServer = more.seat && (async () => ({ url: 'http://127.0.0.1:9/_flash/', token: 't' }))
  return { relay: createRelay(post, 'ocr', openServer), backend, say, cancelled, listeners, routes }
}

describe('a server that speaks the browser wire is a backend', () => {
  test('that is told which calls led to one', async () => {
    const fetch = vi.fn(async (_id: string, _request: BackendRequest) => new Response('fetched'))
    const find = async () => ({ endpoint: 'ocr', maxBodyBytes: 1e6 })
    const { relay, backend } = setUp({ fetch, find })
    const deadline = Date.now() + 60_000
    await relay.submit('read', { args: [], hops: 3, deadline })
    expect(backend.submit).toHaveBeenCalledWith('read', expect.objectContaining({ hops: 3, deadline }))
    const balanced = setUp({ fetch, find: async () => ({ ...(await find()), kind: 'web' as const }) })
    await balanced.relay.fetch('site', {
      method: 'GET',
      path: '/',
      headers: new Headers({ 'x-flash-hops': '3', 'x-flash-deadline': String(deadline) }),
      body: null,
      signal: new AbortController().signal,
    })
    expect([...fetch.mock.calls[0]![1].headers]).toEqual([
      ['x-flash-deadline', String(deadline)],
      ['x-flash-hops', '3'],
    ])
  })

  test('that takes calls with all they have', async () => {
    const { relay, backend, say } = setUp()
    const options = { idempotencyKey: 'k', executionTimeoutMs: 5_000, ttlMs: 20_000, lowPriority: true }
    const bytes = new Uint8Array([1, 2])
    const job = await relay.submit('read', { args: [bytes], fn: 'load', new: [1], timeoutMs: 5, ...options })
    expect(backend.submit).toHaveBeenCalledWith('read', {
      args: [bytes],
      fn: 'load',
      new: [1],
      run: true,
      scope: expect.any(String),
      ...options,
    })
    expect(job).toMatchObject({ id: 'job-1', endpoint: 'ocr', deadline: 9e15 })
    say(text(FrameType.progress, 1), text(FrameType.value, 'done'))
    expect(await hear(job)).toEqual([
      ['progress', 1],
      ['value', 'done'],
    ])
  })

  test('whose streams go on from any item, in any process', async () => {
    const { relay, say } = setUp()
    say(text(FrameType.item, 'a'), text(FrameType.item, 'b'), text(FrameType.log, { text: 'x' }))
    say(text(FrameType.end))
    const job = (await relay.job('ocr', 'job-1'))!
    expect((await hear(job, 1)).map(([name]) => name)).toEqual(['item', 'log', 'end'])
  })

  test('whose errors are passed on', async () => {
    const { relay, say } = setUp()
    const wire = { name: 'RemoteError', message: 'too dark', code: 'DARK', data: 1 }
    say(text(FrameType.error, wire))
    expect(await lastOf((await relay.job('ocr', 'job-1'))!)).toEqual(['error', expect.objectContaining(wire)])
  })

  test('that passes requests on, and opens WebSockets where it listens', async () => {
    const found = { endpoint: 'site', maxBodyBytes: 250, kind: 'web' as const }
    const fetch = vi.fn(async (_id: string, { headers }: BackendRequest) =>
      Response.json([...headers], { status: 201 }),
    )
    const { relay, routes } = setUp({ find: async () => found, fetch, seat: () => Promise.reject() })
    const { signal } = new AbortController()
    const headers = new Headers({ cookie: 'a=1', 'x-own': 'b' })
    const request = { method: 'POST', path: '/a?b', headers, body: new Uint8Array([1, 2]), signal }
    const response = await relay.fetch('site', { ...request, timeoutMs: 5_000 })
    expect([response.status, await response.json()]).toEqual([
      201,
      [
        ['cookie', 'a=1'],
        ['x-own', 'b'],
      ],
    ])
    expect(fetch).toHaveBeenCalledWith(
      'site',
      expect.objectContaining({ method: 'POST', path: '/a?b', body: request.body, timeoutMs: 5_000 }),
    )
    await expect(relay.fetch('site', { ...request, body: new Uint8Array(300) })).rejects.toMatchObject({
      name: 'AppError',
      code: 'PAYLOAD_TOO_LARGE',
    })
    expect(routes).toEqual(['site', 'site'])
    const seat = await relay.seat!('site', signal)
    seat.release()
    expect(seat).toMatchObject({
      url: 'http://127.0.0.1:9/_flash/rpc/site',
      isRelay: true,
      headers: { authorization: 'Bearer t' },
    })
    await expect(setUp().relay.seat!('site', signal)).rejects.toMatchObject({
      code: 'WEBSOCKET_UNSUPPORTED',
    })
  })

  test('that is asked for a state, and told that nobody wants a job', async () => {
    const { relay, cancelled } = setUp()
    const job = (await relay.jobById('job-1'))!
    expect(await job.status()).toEqual({ id: 'job-1', status: 'IN_PROGRESS', workerId: 'w' })
    await job.cancel('')
    expect(cancelled).toHaveLength(1)
    expect(await relay.jobById('nobody')).toBeNull()
  })

  test('that runs setup only', async () => {
    const { relay, backend } = setUp()
    await relay.warm('read', { args: [], warm: true })
    expect(backend.warm).toHaveBeenCalledOnce()
  })

  test('that is left alone when the listener leaves: the job goes on', async () => {
    const { relay, listeners, cancelled, routes } = setUp()
    const job = (await relay.job('ocr', 'job-1'))!
    const heard = vi.fn()
    const leave = job.listen(0, heard)
    await vi.waitUntil(() => listeners.size, { interval: 1 })
    leave()
    await vi.waitUntil(() => listeners.size === 0, { interval: 1 })
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect([heard.mock.calls.length, cancelled, routes]).toEqual([0, [], ['resume']])
  })

  test('that refuses with its own code', async () => {
    const refusal = new AppError('MODULE_FAILED', { message: 'no such file', hint: 'write it', data: 5 })
    const { relay } = setUp({ submit: () => Promise.reject(refusal), warm: () => Promise.reject(refusal) })
    for (const work of [relay.submit('read', { args: [] }), relay.warm('read', { args: [] })]) {
      await expect(work).rejects.toMatchObject({
        name: 'AppError',
        code: 'MODULE_FAILED',
        message: 'no such file',
        hint: 'write it',
        data: 5,
      })
    }
  })

  test('that may fail in words which are not ours', async () => {
    const relay = createRelay(() => Promise.reject(new RemoteError('THEIRS', 'what')), 'ocr')
    await expect(relay.submit('read', { args: [] })).rejects.toMatchObject({
      name: 'RemoteError',
      code: 'THEIRS',
    })
  })
})
