import { createTestClock } from '@flash/protocol'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { createLines } from '../lines.ts'
import { createScriptedEngine, type ScriptedEngine } from '../testing/engine.ts'
import { createPrograms } from '../testing/programs.ts'
import { connectEngine } from './engine.ts'
import { createImageFinder } from './images.ts'

let engine: ScriptedEngine
const programs = createPrograms()
beforeAll(async () => {
  engine = await createScriptedEngine()
  process.env.DOCKER_HOST = engine.host
})
afterAll(async () => {
  await engine.close()
  programs.remove()
  delete process.env.DOCKER_HOST
})

test('a pull that makes no progress for minutes fails, and the next one tries again', async () => {
  const image = 'ghcr.io/me/stalled:1'
  const clock = createTestClock()
  const after = vi.fn(clock.after)
  const finder = createImageFinder(await connectEngine(), {}, { ...clock, after })
  const find = () => finder.find(programs.order('', { image }), createLines())
  engine.stalled.set(image, () => {})
  const failed = expect(find()).rejects.toThrow(
    `image ${image} cannot be had: its pull made no progress for 5 minutes`,
  )
  // Each line of the engine counts anew.
  await vi.waitFor(() => expect(after).toHaveBeenCalledTimes(2))
  clock.advance(299_000)
  engine.stalled.get(image)!()
  await vi.waitFor(() => expect(after).toHaveBeenCalledTimes(3))
  clock.advance(299_000)
  engine.stalled.get(image)!()
  await vi.waitFor(() => expect(after).toHaveBeenCalledTimes(4))
  clock.advance(300_000)
  await failed

  engine.stalled.delete(image)
  engine.registry.set(image, null)
  expect(await find()).toBe(image)
})
