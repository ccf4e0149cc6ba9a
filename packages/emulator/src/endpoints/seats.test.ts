import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test, vi } from 'vitest'
import type { Seat } from './types.ts'
import { createFakeLauncher, type FakeLauncher, setUp as setUpAny, turn } from './testing.ts'

/** What the health check of each worker answers, by its address. */
function createHealth() {
  const answers = new Map<string, number | 'refused' | 'silent'>()
  const asked: string[] = []
  const ask = (async (url: string, { signal }: { signal: AbortSignal }) => {
    asked.push(url)
    const answer = answers.get(new URL(url).origin) ?? 'refused'
    if (typeof answer === 'number') return new Response(answer === 204 ? null : 'x', { status: answer })
    if (answer === 'refused') throw new TypeError('fetch failed')
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
  }) as unknown as typeof fetch
  return { answers, asked, ask }
}

async function setUp(
  spec: Parameters<typeof setUpAny>[0] = {},
  options: Parameters<typeof setUpAny>[1] = {},
) {
  const health = createHealth()
  const all = await setUpAny(
    { kind: 'balanced', scaling: { by: 'requestCount', requests: 2 }, ...spec },
    { fetch: health.ask, ...options },
  )
  /** The next worker that was ordered answers its health check. */
  const open = async (at: number, status: number | 'refused' | 'silent' = 200) => {
    const url = `http://127.0.0.1:${41_000 + at}`
    health.answers.set(url, status)
    await (all.launcher as FakeLauncher).started[at]!.listen(url)
    await all.pass(1)
    return { url, id: all.launcher.started[at]!.id }
  }
  const seat = (affinity?: string, signal = new AbortController().signal): Promise<Seat> => {
    const promise = all.endpoint.seat({ affinity, signal })
    promise.catch(() => {})
    return promise
  }
  return { ...all, ...health, open, seat }
}

test('a request starts a worker and gets it when it is healthy', async () => {
  const { seat, open, states, launcher, asked } = await setUp()
  const waiting = seat()
  await turn()
  expect([launcher.started.length, states()]).toEqual([1, ['INITIALIZING']])
  const { url, id } = await open(0)
  const taken = await waiting
  expect(taken).toMatchObject({ workerId: id, url })
  expect(asked).toEqual([`${url}/ping`])
  expect(states()).toEqual(['RUNNING'])
  taken.release()
  taken.release()
  expect(states()).toEqual(['IDLE'])
})

test('the number of workers follows concurrent requests, and they share them evenly', async () => {
  const { seat, open, launcher, pass, states } = await setUp()
  const waiting = [seat(), seat(), seat()]
  await turn()
  expect(launcher.started).toHaveLength(2)
  const { id: a } = await open(0)
  const { id: b } = await open(1)
  const first = await Promise.all(waiting)
  expect(first.map((one) => one.workerId)).toEqual([a, a, a])
  expect([(await seat()).workerId, (await seat()).workerId]).toEqual([b, b])
  for (const one of first) one.release()
  expect((await seat()).workerId).toBe(a)
  await pass(20)
  expect(states()).toEqual(['RUNNING', 'RUNNING'])
})

test('an idle balanced worker leaves after the idle timeout', async () => {
  const { seat, open, pass, states } = await setUp()
  const waiting = seat()
  await turn()
  await open(0)
  const taken = await waiting
  await pass(9)
  taken.release()
  await pass(4)
  expect(states()).toEqual(['IDLE'])
  await pass(1)
  expect(states()).toEqual([])
})

test('a request waits two minutes at most', async () => {
  const { seat, clock, endpoint } = await setUp({ workersMax: 0 })
  const waiting = seat()
  clock.advance(119_999)
  await turn()
  clock.advance(1)
  await expect(waiting).rejects.toMatchObject({ code: 'NO_WORKERS', message: 'no workers available' })
  expect(endpoint.counts()).toMatchObject({ initializing: 0, throttled: 0 })
})

test('a request that is given up ends with the reason of its caller', async () => {
  const { seat } = await setUp()
  const gone = new AbortController()
  const waiting = seat(undefined, gone.signal)
  gone.abort(new Error('client closed'))
  await expect(waiting).rejects.toThrow('client closed')
  await expect(seat(undefined, gone.signal)).rejects.toThrow('client closed')
})

test('by queue delay, requests that wait too long start more workers', async () => {
  const { seat, launcher, pass } = await setUp({ scaling: { by: 'queueDelay', seconds: 4 } })
  for (let count = 0; count < 3; count++) void seat()
  await pass(4)
  expect(launcher.started).toHaveLength(1)
  await pass(1)
  expect(launcher.started).toHaveLength(3)
})

for (const [status, state] of [
  [200, 'IDLE'],
  [204, 'INITIALIZING'],
  ['refused', 'INITIALIZING'],
  ['silent', 'INITIALIZING'],
  [404, 'UNHEALTHY'],
  [500, 'UNHEALTHY'],
  [302, 'UNHEALTHY'],
] as const) {
  test(`a starting worker whose health check says ${status} is ${state}`, async () => {
    const { open, states, pass } = await setUp({ workersMin: 1, workersMax: 1 })
    await open(0, status)
    await pass(3)
    expect(states()).toEqual([state])
  })
}

for (const [status, state] of [
  [204, 'INITIALIZING'],
  ['refused', 'UNHEALTHY'],
  ['silent', 'UNHEALTHY'],
  [503, 'UNHEALTHY'],
] as const) {
  test(`a healthy worker whose health check says ${status} gets no requests until it is well again`, async () => {
    const { open, states, pass, answers, seat } = await setUp({ workersMin: 1, workersMax: 1 })
    const { url, id } = await open(0)
    answers.set(url, status)
    await pass(8)
    expect(states()).toEqual([state])
    const waiting = seat()
    answers.set(url, 200)
    await pass(4)
    expect((await waiting).workerId).toBe(id)
  })
}

test('health is asked for every second at the start and every five seconds later', async () => {
  const { open, pass, asked, answers } = await setUp({ workersMin: 1 })
  const { url } = await open(0, 204)
  await pass(4)
  expect(asked).toHaveLength(5)
  answers.set(url, 200)
  await pass(1)
  asked.length = 0
  await pass(20)
  expect(asked).toHaveLength(4)
})

test('a clock that was moved by hand makes nobody unhealthy', async () => {
  let skipped = 0
  const { open, clock, states, answers } = await setUp({ workersMin: 1 }, { skippedMs: () => skipped })
  const { url } = await open(0)
  answers.set(url, 'silent')
  clock.advance(5_000)
  skipped = 600_000
  clock.advance(600_000)
  await turn()
  expect(states()).toEqual(['IDLE'])
})

test('health has a path and a port of its own where the endpoint says so', async () => {
  const { launcher, pass, asked } = await setUp({ workersMin: 1, env: { HEALTH_CHECK_PATH: 'health/live' } })
  await launcher.started[0]!.listen('http://127.0.0.1:41000', 'http://127.0.0.1:41500')
  await pass(1)
  expect(asked).toEqual(['http://127.0.0.1:41500/health/live'])
})

test('a worker that falls ill is replaced where there is room, and gives way after a minute', async () => {
  const { open, answers, pass, launcher, states } = await setUp({
    workersMin: 1,
    workersMax: 2,
    idleTimeoutSeconds: 600,
  })
  const { url } = await open(0)
  answers.set(url, 500)
  await pass(6)
  expect(states()).toEqual(['UNHEALTHY', 'INITIALIZING'])
  await open(1)
  await pass(60)
  expect(states()).toEqual(['IDLE'])
  expect(launcher.started[0]!.stopped).toEqual([10_000])
})

test('of idle workers the one that is unwell leaves first', async () => {
  const { open, answers, pass, states, save } = await setUp({ workersMin: 2, idleTimeoutSeconds: 20 })
  await open(0)
  const { url } = await open(1)
  answers.set(url, 500)
  await save({ workersMin: 1, idleTimeoutSeconds: 20 })
  await pass(30)
  expect(states()).toEqual(['IDLE'])
})

test('a worker that gets no address is started again', async () => {
  const { launcher, pass, story } = await setUp({ workersMin: 1 })
  const [worker] = launcher.started
  await worker!.cannotListen('no port is published')
  await pass(1)
  expect(story(worker!.id)).toContain('worker has no address: no port is published')
  expect(launcher.started).toHaveLength(2)
})

test('an address that comes after the end of its worker is not used', async () => {
  const { launcher, endpoints, asked, pass } = await setUp({ workersMin: 1 })
  await endpoints.remove('ep1')
  await launcher.started[0]!.listen('http://127.0.0.1:41000')
  await pass(2)
  expect(asked).toEqual([])
})

test('a new version lets busy workers end their requests', async () => {
  const { seat, open, save, launcher, endpoint } = await setUp()
  const waiting = seat()
  await turn()
  await open(0)
  const taken = await waiting
  await save({ version: 2 })
  expect(endpoint.workers()).toMatchObject([{ isStale: true, state: 'RUNNING' }])
  const next = seat()
  await turn()
  const { id } = await open(1)
  expect((await next).workerId).toBe(id)
  taken.release()
  await turn()
  expect(launcher.started[0]!.stopped).toEqual([10_000])
})

test('a request that waits gets a worker as soon as one is announced', async () => {
  const { endpoint, answers, seat } = await setUp({}, { launcher: createFakeLauncher({ name: 'external' }) })
  const waiting = seat()
  answers.set('http://127.0.0.1:5000', 200)
  endpoint.announce('mine', 'http://127.0.0.1:5000')
  expect(await waiting).toMatchObject({ workerId: 'mine' })
})

test('a worker that was announced gets requests, and a balanced worker cannot announce itself by a ping', async () => {
  const { endpoint, answers, pass, seat, save } = await setUp({ workersMax: 1 })
  endpoint.heard('mine')
  expect(endpoint.workers()).toEqual([])
  answers.set('http://127.0.0.1:5000', 200)
  endpoint.announce('mine', 'http://127.0.0.1:5000/')
  await turn()
  await pass(1)
  expect(await seat()).toMatchObject({ workerId: 'mine', url: 'http://127.0.0.1:5000' })
  await save({ version: 2 })
  expect(endpoint.workers()).toMatchObject([{ id: 'mine', isStale: false }])
  await pass(30)
  expect(endpoint.workers()).toHaveLength(1)
})

async function setUpTwo() {
  const all = await setUp({ workersMin: 2, workersMax: 2 })
  const a = await all.open(0)
  const b = await all.open(1)
  return { ...all, a, b }
}

test('soft affinity prefers a worker and falls back silently', async () => {
  const { seat, a, b, answers, pass } = await setUpTwo()
  await seat(b.id)
  expect((await seat(b.id)).workerId).toBe(b.id)
  expect((await seat('unknown')).workerId).toBe(a.id)
  answers.set(b.url, 500)
  await pass(6)
  expect((await seat(b.id)).workerId).toBe(a.id)
})

test('strict affinity takes that worker however busy it is', async () => {
  const { seat, b } = await setUpTwo()
  for (let count = 0; count < 5; count++) expect((await seat(`strict ${b.id}`)).workerId).toBe(b.id)
})

test('strict affinity waits for a worker that is unwell, and not longer than five minutes', async () => {
  const { seat, b, answers, pass, endpoint } = await setUpTwo()
  await seat(`strict ${b.id}`)
  answers.set(b.url, 500)
  await pass(6)
  const first = seat(`strict ${b.id}`)
  answers.set(b.url, 200)
  await pass(2)
  expect((await first).workerId).toBe(b.id)
  answers.set(b.url, 500)
  await pass(6)
  const second = seat(`strict ${b.id}`)
  await pass(300)
  await expect(second).rejects.toMatchObject({
    code: 'WORKER_TIMEOUT',
    message: 'timed out waiting for worker',
  })
  expect(endpoint.workers()).toHaveLength(2)
})

test('strict affinity fails for a worker that is not there, or goes while it is waited for', async () => {
  const { seat, b, answers, pass, launcher } = await setUpTwo()
  for (const wish of ['strict nobody', 'strict-resume nobody'])
    await expect(seat(wish)).rejects.toMatchObject({ code: 'WORKER_GONE', message: 'affinity_worker_gone' })
  answers.set(b.url, 500)
  await pass(20)
  const waiting = seat(`strict ${b.id}`)
  await launcher.started[1]!.end({ code: 1 })
  await expect(waiting).rejects.toMatchObject({ code: 'WORKER_GONE' })
})

test('strict-resume brings back a worker that was scaled down, under its id', async () => {
  const { seat, open, pass, states, launcher, save, story } = await setUp()
  const waiting = seat()
  await turn()
  const { id } = await open(0)
  ;(await waiting).release()
  await pass(5)
  expect(states()).toEqual([])
  await expect(seat(`strict ${id}`)).rejects.toMatchObject({ code: 'WORKER_GONE' })
  const again = seat(`strict-resume ${id}`)
  await turn()
  expect(launcher.started[1]!.id).toBe(id)
  await open(1)
  const taken = await again
  expect(taken.workerId).toBe(id)
  expect(story(id).filter((line) => line === 'worker is ready')).toHaveLength(2)
  taken.release()
  await pass(5)
  await save({ version: 2 })
  await expect(seat(`strict-resume ${id}`)).rejects.toMatchObject({ code: 'WORKER_GONE' })
})

test('a removed endpoint refuses the requests that wait, and later ones', async () => {
  const { seat, endpoints } = await setUp({ workersMax: 0 })
  const waiting = seat()
  await endpoints.close()
  await expect(waiting).rejects.toMatchObject({ code: 'NO_WORKERS' })
  await expect(seat()).rejects.toMatchObject({ code: 'NO_WORKERS' })
})

test('health is asked for over HTTP', async () => {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(`${request.method} ${request.url}`)
    response.end('x'.repeat(100_000))
  }).listen(0, '127.0.0.1')
  try {
    await new Promise((resolve) => server.once('listening', resolve))
    const { launcher, pass, states } = await setUpAny({ kind: 'balanced', workersMin: 1 })
    await launcher.started[0]!.listen(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
    await pass(1)
    await vi.waitFor(() => expect(states()).toEqual(['IDLE']))
    expect(asked).toEqual(['GET /ping'])
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
