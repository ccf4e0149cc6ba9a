import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import connect from 'runpod-sdk'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'

const worker = fileURLToPath(new URL('node/worker.mjs', import.meta.url))

describe('the package runpod-sdk', () => {
  let watched: WatchedEmulator
  let [answer, count]: ReturnType<typeof toEndpoint>[] = []
  let idOf: Record<string, string>

  const toEndpoint = (id: string, key = watched.emulator.env.RUNPOD_API_KEY!) =>
    connect(key, { baseUrl: watched.emulator.env.RUNPOD_ENDPOINT_BASE_URL! }).endpoint(id)!
  const received = (path: RegExp) => watched.requests.all().filter(({ url }) => path.test(url))

  beforeAll(async () => {
    watched = await startEmulator({
      program: ({ endpoint }) => ({ command: [process.execPath, worker, endpoint] }),
    })
    const make = (name: string) => watched.emulator.addEndpoint({ name, workersMax: 1 })
    idOf = { answer: make('answer').id, count: make('count').id }
    answer = toEndpoint(idOf.answer!)
    count = toEndpoint(idOf.count!)
  })
  afterAll(() => watched?.close())

  test('runSync gives the result', async () => {
    const job = await answer!.runSync({ input: { text: 'hi' } })
    expect(job).toMatchObject({
      status: 'COMPLETED',
      output: { text: 'hi' },
      completed: true,
      succeeded: true,
    })
    expect(await watched.get(`/v2/${idOf.answer}/status/${job.id}`)).toMatchObject({ output: { text: 'hi' } })
    expect(received(/\/runsync\?wait=90000$/)).toHaveLength(1)
  })

  test('runSync goes on asking when the job takes longer than one wait', async () => {
    const job = await answer!.runSync({ input: { text: 'late', pauseMs: 1_500 } }, 1_000)
    expect(job).toMatchObject({ status: 'COMPLETED', output: { text: 'late' } })
    expect(received(/\/status-sync\/[^/]+\?wait=/).length).toBeGreaterThan(0)
  })

  test('run, status and statusSync follow a job', async () => {
    const { id, status } = await answer!.run({ input: { text: 'later', pauseMs: 300 } })
    expect(status).toBe('IN_QUEUE')
    expect(['IN_QUEUE', 'IN_PROGRESS']).toContain((await answer!.status(id)).status)
    const done = await answer!.statusSync(id)
    expect(done).toMatchObject({ id, status: 'COMPLETED', output: { text: 'later' }, succeeded: true })
    expect(done).toMatchObject({ delayTime: expect.any(Number), executionTime: expect.any(Number) })
    expect(await answer!.status(id)).toMatchObject({ status: 'COMPLETED', completed: true })
  })

  test('a job that fails says why', async () => {
    const job = (await answer!.runSync({ input: { fail: 'no such model' } })) as {
      error?: string
      status: string
    }
    expect(job).toMatchObject({ status: 'FAILED', completed: true, succeeded: false })
    expect(JSON.parse(job.error!)).toMatchObject({ error_type: 'TypeError', error_message: 'no such model' })
  })

  test('stream gives each value once', async () => {
    const { id } = await count!.run({ input: { to: 5 } })
    const values: unknown[] = []
    for await (const { output } of count!.stream(id)) values.push(output)
    expect(values).toEqual([1, 2, 3, 4, 5])
    expect(await count!.status(id)).toMatchObject({ status: 'COMPLETED' })
  })

  test('cancel, health and purgeQueue', async () => {
    const running = await answer!.run({ input: { pauseMs: 60_000 } })
    await expect.poll(() => answer!.status(running.id)).toMatchObject({ status: 'IN_PROGRESS' })
    const queued = [await answer!.run({ input: {} }), await answer!.run({ input: {} })]
    expect(await answer!.health()).toMatchObject({
      jobs: { inProgress: 1, inQueue: 2, completed: expect.any(Number), failed: 1, retried: 0 },
      workers: { running: 1, idle: 0, throttled: 0 },
    })
    expect(await answer!.purgeQueue()).toEqual({ removed: 2, status: 'completed' })
    for (const { id } of queued) expect((await answer!.status(id)).status).not.toBe('IN_QUEUE')
    expect(await answer!.cancel(running.id)).toMatchObject({ id: running.id, status: 'CANCELLED' })
    expect(await answer!.statusSync(running.id)).toMatchObject({ status: 'CANCELLED', succeeded: false })
    expect(await answer!.runSync({ input: { text: 'next' } })).toMatchObject({ output: { text: 'next' } })
  })

  test('a policy and a webhook go with a job', async () => {
    const told: unknown[] = []
    const server = createServer(async (request, response) => {
      let body = ''
      for await (const chunk of request) body += chunk
      told.push(JSON.parse(body))
      response.end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const webhook = `http://127.0.0.1:${(server.address() as AddressInfo).port}/done`
    const policy = { executionTimeout: 5_000, ttl: 20_000, lowPriority: true }
    const { id } = await answer!.run({ input: { text: 'told' }, policy, webhook })
    await expect.poll(() => told, { timeout: 5_000 }).toMatchObject([{ id, status: 'COMPLETED' }])
    expect(told).toMatchObject([{ output: { text: 'told' } }])
    const late = await answer!.runSync({ input: { pauseMs: 60_000 }, policy: { executionTimeout: 5_000 } })
    expect(late).toMatchObject({ status: 'TIMED_OUT', succeeded: false })
  })

  test('a wrong key and an unknown endpoint are refused', async () => {
    await expect(toEndpoint(idOf.answer!, 'wrong').health()).rejects.toThrow(/401/)
    await expect(toEndpoint('nothing').run({ input: {} })).rejects.toThrow(/404/)
  })
})
