import { serve } from 'srvx/node'
import { describe, expect, onTestFinished, test } from 'vitest'
import { documents, devInput } from '../testing/documents.ts'
import { createWorld, KEY, type World } from '../testing/world.ts'

/** An endpoint with a worker that has written some lines, a second apart. */
async function openWorker(count = 4) {
  const world = await createWorld()
  const { saveEndpoint } = await world.graphql(documents.saveEndpoint, { input: devInput })
  const id = saveEndpoint.id as string
  world.endpoints.place(id, { id: 'w1', state: 'IDLE', version: 1, isStale: false, image: 'i', startedAt: 0 })
  for (let index = 0; index < count; index++) {
    world.endpoints.print(id, 'w1', `line ${index}`, index % 2 ? 'system' : 'container')
    world.clock.advance(1_000)
  }
  return { ...world, id, path: `/v2/serverless/${id}/workers/w1/logs` }
}

/** Reads events as they come. */
async function follow(world: Pick<World, 'account'>, path: string, headers: Record<string, string> = {}) {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const request = new Request(`http://127.0.0.1:4711${path}`, {
    headers: { authorization: KEY, ...headers },
    signal: stop.signal,
  })
  const response = (await world.account.fetch(request))!
  const reader = response.body!.getReader()
  let text = ''
  const take = async () => {
    const { value, done } = await reader.read()
    text += value ? new TextDecoder().decode(value) : ''
    return !done
  }
  return {
    response,
    stop,
    cancel: () => reader.cancel(),
    raw: () => text,
    lines: () => [...text.matchAll(/^data: (.*)$/gm)].map(([, data]) => JSON.parse(data!).line as string),
    /** Until that many pieces have come. */
    async until(pieces: number) {
      while (text.split('\n\n').length - 1 < pieces) if (!(await take())) break
    },
    async toEnd() {
      while (await take());
    },
  }
}

describe('events', () => {
  for (const [what, query, headers, lines] of [
    ['all that are kept', '', {}, ['line 0', 'line 1', 'line 2', 'line 3']],
    ['the last ones', '?tail=2', {}, ['line 2', 'line 3']],
    ['none of the past', '?tail=0', {}, []],
    ['one source', '?source=container', {}, ['line 0', 'line 2']],
    ['the last of one source', '?source=system&tail=1', {}, ['line 3']],
    [
      'since a time, whatever the tail',
      '?tail=1&since=2026-11-20T12:00:01.000Z',
      {},
      ['line 1', 'line 2', 'line 3'],
    ],
    [
      'since a time as Python writes it',
      '?since=2026-11-20T12:00:02.000000%2B00:00',
      {},
      ['line 2', 'line 3'],
    ],
    ['since a time with a bare plus', '?since=2026-11-20T12:00:02+00:00', {}, ['line 2', 'line 3']],
    [
      'after an event',
      '?tail=0&since=2026-11-20T12:00:00Z',
      { 'last-event-id': '2026-11-20T12:00:02.000Z/000000000002' },
      ['line 3'],
    ],
    ['after a time', '', { 'last-event-id': '2026-11-20T12:00:01.000Z' }, ['line 2', 'line 3']],
  ] as [string, string, Record<string, string>, string[]][])
    test(what, async () => {
      const world = await openWorker()
      const events = await follow(world, world.path + query, headers)
      await events.until(1 + lines.length)
      expect(events.lines()).toEqual(lines)
    })

  test('the form of an event, and the headers', async () => {
    const world = await openWorker(1)
    const events = await follow(world, world.path)
    await events.until(2)
    expect(events.raw()).toBe(
      ': open\n\nid: 2026-11-20T12:00:00.000Z/000000000000\ndata: {"ts":"2026-11-20T12:00:00.000Z","source":"container","line":"line 0"}\n\n',
    )
    expect(events.response.headers.get('content-type')).toBe('text/event-stream')
    expect(events.response.headers.get('cache-control')).toBe('no-cache')
    expect(events.response.headers.get('ratelimit')).toContain('"minute"')
  })

  test('new lines come as they are written, and silence is broken now and then', async () => {
    const world = await openWorker(0)
    const events = await follow(world, `${world.path}?source=container`)
    world.endpoints.print(world.id, 'w1', 'now')
    world.endpoints.print(world.id, 'w1', 'not this', 'system')
    await events.until(2)
    expect(events.lines()).toEqual(['now'])
    world.clock.advance(30_000)
    await events.until(4)
    expect(events.raw().match(/: keep-alive/g)).toHaveLength(2)
  })

  for (const [what, leave] of [
    ['the reader leaves', (_world, events) => events.cancel()],
    ['the request is broken off', async (_world, { stop }) => stop.abort()],
    ['the account is closed', (world) => world.account.close()],
    [
      'the log is forgotten',
      async (world) => {
        world.endpoints.forget('w1')
        world.clock.advance(15_000)
      },
    ],
  ] as [string, (world: World, events: Awaited<ReturnType<typeof follow>>) => Promise<unknown>][])
    test(`end when ${what}`, async () => {
      const world = await openWorker(1)
      const log = world.endpoints.get(world.id)!.log('w1')!
      const events = await follow(world, world.path)
      expect(world.endpoints.readers('w1')).toBe(1)
      await leave(world, events)
      await events.toEnd()
      // Nobody listens any more, so a line more is no error.
      world.endpoints.print(world.id, 'w1', 'late')
      expect(events.lines()).toEqual(what === 'the reader leaves' ? [] : ['line 0'])
      expect((log as unknown as { listeners: Set<unknown> }).listeners.size).toBe(0)
    })

  test('a reader over a real socket that goes away is let go', async () => {
    const world = await openWorker(1)
    const server = serve({
      fetch: async (request) => (await world.account.fetch(request)) ?? new Response(null, { status: 404 }),
      hostname: '127.0.0.1',
      port: 0,
      silent: true,
    })
    onTestFinished(() => server.close(true))
    await server.ready()
    const stop = new AbortController()
    const url = new URL(world.path, server.url)
    const response = await fetch(url, { headers: { authorization: KEY }, signal: stop.signal })
    const reader = response.body!.getReader()
    await reader.read()
    expect(world.endpoints.readers('w1')).toBe(1)
    stop.abort()
    await expect.poll(() => world.endpoints.readers('w1')).toBe(0)
  })

  test('a reader that is far behind is let go, and what waits for it stays', async () => {
    const world = await openWorker(0)
    const events = await follow(world, world.path)
    for (let index = 0; index < 10; index++) world.endpoints.print(world.id, 'w1', 'x'.repeat(1_000_000))
    expect(world.endpoints.readers('w1')).toBe(0)
    await events.toEnd()
    expect(events.lines().length).toBeGreaterThan(3)
    expect(events.lines().length).toBeLessThan(7)
  })

  for (const query of ['source=all', 'tail=-1', 'tail=5001', 'tail=x', 'tail=', 'since=yesterday'])
    test(`refused: ${query}`, async () => {
      const { rest, path, endpoints } = await openWorker(0)
      const { status } = await rest('GET', `${path}?${query}`)
      expect([status, endpoints.readers('w1')]).toEqual([422, 0])
    })

  test('refused: a cursor that is none, an unknown worker, an unknown endpoint', async () => {
    const { send, path, id } = await openWorker(0)
    for (const cursor of ['x', '2026-11-20T12:00:02.000Z/x'])
      expect((await send(path, { headers: { 'last-event-id': cursor } })).status).toBe(422)
    expect((await send(`/v2/serverless/${id}/workers/w2/logs`)).status).toBe(404)
    expect((await send('/v2/serverless/none/workers/w1/logs')).status).toBe(404)
  })
})

describe('snapshots', () => {
  test('all lines with their times, or those of one source', async () => {
    const { rest } = await openWorker(2)
    const container = ['2026-11-20T12:00:00.000Z line 0']
    const system = ['2026-11-20T12:00:01.000Z line 1']
    expect((await rest('GET', '/v1/pod/w1/logs')).body).toEqual({ container, system })
    expect((await rest('GET', '/v1/pod/w1/logs?type=all')).body).toEqual({ container, system })
    expect((await rest('GET', '/v1/pod/w1/logs?type=container')).body).toEqual({ container, system: [] })
    expect((await rest('GET', '/v1/pod/w1/logs?type=system')).body).toEqual({ container: [], system })
  })

  test('as events, of one source or both', async () => {
    const world = await openWorker(4)
    const all = await follow(world, '/v1/pod/w1/logs?stream=true&type=all&tail=3')
    await all.until(4)
    expect(all.lines()).toEqual(['line 1', 'line 2', 'line 3'])
    const one = await follow(world, '/v1/pod/w1/logs?stream=true&type=system')
    await one.until(3)
    expect(one.lines()).toEqual(['line 1', 'line 3'])
  })

  test('refused', async () => {
    const { rest, send } = await openWorker(0)
    expect((await rest('GET', '/v1/pod/none/logs')).status).toBe(404)
    expect((await rest('POST', '/v1/pod/w1/logs')).status).toBe(405)
    expect((await rest('GET', '/v1/pod/w1/logs?stream=true&tail=x')).status).toBe(422)
    expect((await send('/v1/pod/w1/logs', { headers: { authorization: 'no' } })).status).toBe(401)
  })

  test('of a pod there are none, and its events stay silent', async () => {
    const world = await createWorld()
    const input = { name: 'p', image: 'i', cpu: { id: 'cpu3c', vcpuCount: 2 } }
    const { body } = await world.rest('POST', '/v2/pods', input)
    const events = await follow(world, `/v2/pods/${body.id}/logs?tail=10&source=container`)
    await events.until(1)
    expect(events.raw()).toBe(': open\n\n')
    const combined = await follow(world, `/v1/pod/${body.id}/logs?tail=10&stream=true&type=all`)
    world.clock.advance(15_000)
    await combined.until(2)
    expect(combined.raw()).toBe(': open\n\n: keep-alive\n\n')
  })
})
