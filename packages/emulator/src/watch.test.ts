import { createTestClock } from '@flash/protocol'
import { afterEach, expect, test } from 'vitest'
import { startEmulator } from './testing.ts'
import { type WorkerEvent, watchWorkers } from './watch.ts'

const cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

test('the lines of each worker are told once, until nobody listens', async () => {
  const clock = createTestClock()
  const { emulator, worker } = await startEmulator({ clock })
  cleanUps.push(emulator.close)
  const events: WorkerEvent[] = []
  const stop = watchWorkers(emulator.endpoints, (event) => events.push(event), clock)
  const one = await worker()
  await one.ping()
  expect(events).toEqual([])
  clock.advance(200)
  const first = [...events]
  expect(first.length).toBeGreaterThan(0)
  for (const event of first)
    expect(event).toEqual({ endpoint: 'test', workerId: one.id, source: 'system', line: expect.any(String) })
  clock.advance(200)
  expect(events).toEqual(first)
  await one.ping('&status=unhealthy&check=memory&reason=full')
  expect(events.slice(first.length)).toEqual([
    expect.objectContaining({ line: expect.stringMatching(/memory: full/) }),
  ])
  const count = events.length
  stop()
  await (await worker()).ping()
  await one.ping()
  clock.advance(1_000)
  expect(events).toHaveLength(count)
})

test('what was told about a worker is forgotten with it', async () => {
  const clock = createTestClock()
  const { emulator, worker, call } = await startEmulator({ clock })
  cleanUps.push(emulator.close)
  const events: WorkerEvent[] = []
  watchWorkers(emulator.endpoints, (event) => events.push(event), clock)
  const one = await worker()
  await one.ping()
  for (let second = 0; second < 60; second++) clock.advance(1_000)
  await call('GET', '/health')
  expect(events.at(-1)?.line).toMatch(/gone/)
  const before = events.length
  for (let minute = 0; minute < 11; minute++) clock.advance(60_000)
  expect(events).toHaveLength(before)
  await one.ping()
  clock.advance(200)
  expect(events.slice(before).map(({ line }) => line)).toContainEqual(expect.stringMatching(/by hand/))
})
