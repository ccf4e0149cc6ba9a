import { expect, test } from 'vitest'
import { createExternalLauncher } from './external.ts'
import { createPrograms, listen } from './testing/programs.ts'

const programs = createPrograms()
const order = programs.order('console.log(1)')
programs.remove()

test('nothing is started, and a line says how to start one', async () => {
  const launcher = createExternalLauncher()
  const worker = launcher.start(order)
  const { texts } = listen(worker)
  expect(texts('system')).toEqual([
    'endpoint "tested" waits for a worker that is started by hand; its variables: flash emulator --env --endpoint abcdefghijklmn',
  ])
  expect(texts('container')).toEqual([])
  expect(await worker.address).toBeNull()
  expect(launcher.reachable('http://127.0.0.1:1')).toBe('http://127.0.0.1:1')
  await worker.stop(0)
  expect(await worker.exited).toEqual({ code: 0, signal: null })
})

test('who waits for the address of one that nobody starts is told when it is stopped', async () => {
  const launcher = createExternalLauncher()
  const worker = launcher.start({ ...order, kind: 'balanced' })
  await launcher.close()
  expect(await worker.exited).toEqual({ code: 0, signal: null })
  await expect(worker.address).rejects.toThrow('stopped before somebody started and announced it')
})
