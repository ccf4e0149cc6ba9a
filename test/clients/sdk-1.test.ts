import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startEmulator, type WatchedEmulator } from '../helpers/emulator.ts'
import { createPythonProject, findPrograms, fixture, type PythonProject } from '../helpers/python.ts'

const programs = findPrograms()
const kinds = ['sync', 'async', 'generator', 'aggregate', 'progress', 'error', 'concurrency', 'refresh']

describe.skipIf(!programs)('the Python package runpod 1.12', () => {
  let watched: WatchedEmulator
  let project: PythonProject
  const ids: Record<string, string> = {}

  beforeAll(async () => {
    const python = `${programs!.sdk1}/python`
    watched = await startEmulator({
      program: ({ endpoint }) => ({ command: [python, '-u', fixture('worker.py'), endpoint] }),
    })
    project = createPythonProject(fixture(), watched.emulator.env)
    for (const kind of kinds) ids[kind] = watched.emulator.addEndpoint({ name: kind, workersMax: 1 }).id
  })
  afterAll(async () => {
    await watched?.close()
    project?.remove()
  })

  const post = async (path: string, body?: unknown) => {
    const response = await fetch(`${watched.emulator.url}/v2/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${watched.emulator.env.RUNPOD_API_KEY}` },
      body: JSON.stringify(body),
    })
    return (await response.json()) as Record<string, any>
  }
  const call = (kind: string, input: unknown) => post(`${ids[kind]}/runsync?wait=30000`, { input })
  const run = async (kind: string, input: unknown): Promise<string> =>
    (await post(`${ids[kind]}/run`, { input })).id
  const status = (kind: string, id: string) => watched.get(`/v2/${ids[kind]}/status/${id}`) as Promise<any>

  const linesOf = (kind: string, workerId: string) =>
    watched.emulator.endpoints
      .get(ids[kind]!)!
      .log(workerId)!
      .lines()
      .map(({ line }) => line)

  test('its client calls, polls, streams, cancels, purges and asks for health', async () => {
    const names = ['sync', 'async', 'generator', 'error'].map((kind) => `${kind}=${ids[kind]}`)
    const seen = await project.ask(`${programs!.sdk1}/python`, ['call_endpoints.py', ...names])
    expect(seen.runSync).toMatchObject({ text: 'ONE' })
    expect(seen.run).toMatchObject({ output: { text: 'TWO', id: seen.run.id }, status: 'COMPLETED' })
    expect(seen.async).toMatchObject({ output: { text: 'THREE' }, status: 'COMPLETED', health: { jobs: {} } })
    expect(seen.stream.chunks).toEqual([{ at: 0 }, { at: 1 }, { at: 2 }])
    expect(seen.health).toMatchObject({ jobs: { inProgress: 1, inQueue: 2 }, workers: { running: 1 } })
    expect(seen.purge).toEqual({ removed: 2, status: 'completed' })
    expect(seen.cancel.answer).toMatchObject({ id: seen.cancel.id, status: 'CANCELLED' })
    expect(seen.failing).toMatchObject({ output: null, status: 'FAILED' })
    expect(seen.missing).toMatch(/404/)
    expect(seen.refused).toMatch(/401/)

    expect(await status('sync', seen.run.id)).toMatchObject({ status: 'COMPLETED', output: seen.run.output })
    expect(await status('generator', seen.stream.id)).toMatchObject({ status: 'COMPLETED' })
    expect(await status('async', seen.cancel.id)).toMatchObject({ status: 'CANCELLED' })
    const failed = await status('error', seen.failing.id)
    expect(JSON.parse(failed.error)).toMatchObject({
      error_type: "<class 'KeyError'>",
      runpod_version: '1.12.0',
    })
  })

  test('a worker answers what its function returns, and says who it is', async () => {
    const job = await call('sync', { text: 'hello' })
    expect(job).toMatchObject({ status: 'COMPLETED', output: { text: 'HELLO', id: job.id } })
    const endpoint = watched.emulator.endpoints.get(ids.sync!)!
    expect(endpoint.workers().map(({ id }) => id)).toEqual([job.workerId])
    expect(linesOf('sync', job.workerId)).toContain('answering hello')
  })

  test('its pings name the job that runs', async () => {
    const id = await run('async', { pause: 5 })
    await expect.poll(() => pingsOf(id), { timeout: 20_000 }).toBeGreaterThan(0)
    await expect.poll(() => status('async', id), { timeout: 20_000 }).toMatchObject({ status: 'COMPLETED' })
  })
  const pingsOf = (id: string) =>
    watched.requests.all().filter(({ url }) => url.includes('/ping/') && url.includes(id)).length

  test('a cancelled job ends in the worker, which takes the next', async () => {
    const id = await run('async', { pause: 600 })
    await expect.poll(() => status('async', id), { timeout: 20_000 }).toMatchObject({ status: 'IN_PROGRESS' })
    const { workerId } = await status('async', id)
    await expect.poll(() => linesOf('async', workerId), { timeout: 20_000 }).toContain('waiting 600')
    await post(`${ids.async}/cancel/${id}`)
    const next = await call('async', { pause: 0 })
    expect(next).toMatchObject({ status: 'COMPLETED', output: 'waited 0', workerId })
  })

  test('values of a generator come one by one, and together when the worker says so', async () => {
    const apart = await call('generator', { to: 2 })
    expect(apart).toMatchObject({ status: 'COMPLETED', output: [] })
    const id = await run('aggregate', { to: 4 })
    const chunks: unknown[] = []
    for (let done = false; !done; ) {
      const { status, stream } = (await watched.get(`/v2/${ids.aggregate}/stream/${id}`)) as any
      chunks.push(...stream.map(({ output }: { output: unknown }) => output))
      done = status === 'COMPLETED'
    }
    expect(chunks).toEqual([0, 1, 2, 3])
    expect(await status('aggregate', id)).toMatchObject({ status: 'COMPLETED', output: [0, 1, 2, 3] })
  })

  test('a generator that fails makes the job fail', async () => {
    const job = await call('aggregate', { to: 4, fail_at: 1 })
    expect(job).toMatchObject({ status: 'FAILED', error: expect.stringContaining('handler: failed at 1') })
  })

  test('progress shows while the job runs', async () => {
    const id = await run('progress', { pause: 1.5 })
    await expect
      .poll(() => status('progress', id), { timeout: 20_000 })
      .toMatchObject({ status: 'IN_PROGRESS', output: { step: 1 } })
    await expect
      .poll(() => status('progress', id), { timeout: 20_000 })
      .toMatchObject({ status: 'IN_PROGRESS', output: { step: 2 } })
    await expect
      .poll(() => status('progress', id), { timeout: 20_000 })
      .toMatchObject({ status: 'COMPLETED', output: 'reported' })
  })

  test('an error that is thrown and one that is returned make the job fail', async () => {
    const thrown = await call('error', { key: 'colour' })
    expect(thrown.status).toBe('FAILED')
    expect(JSON.parse(thrown.error)).toMatchObject({ error_message: "'colour'", worker_id: thrown.workerId })
    expect(await call('error', { returns: true })).toMatchObject({
      status: 'FAILED',
      error: 'no such model',
      output: { tried: 3 },
    })
  })

  test('a worker that can takes several jobs at a time', async () => {
    const jobs = await Promise.all([3, 3, 3].map((together) => call('concurrency', { together })))
    expect(jobs.map(({ status }) => status)).toEqual(['COMPLETED', 'COMPLETED', 'COMPLETED'])
    expect(new Set(jobs.map(({ workerId }) => workerId)).size).toBe(1)
    const batches = watched.requests.all().filter(({ url }) => url.includes('/job-take-batch/'))
    expect(batches.length).toBeGreaterThan(0)
  })

  test('a worker that asks for it is replaced', async () => {
    const first = await call('refresh', {})
    expect(first).toMatchObject({ status: 'COMPLETED', output: { pid: expect.any(Number) } })
    const second = await call('refresh', {})
    expect(second.workerId).not.toBe(first.workerId)
    expect(second.output.pid).not.toBe(first.output.pid)
  })
})
