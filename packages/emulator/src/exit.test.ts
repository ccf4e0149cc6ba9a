import { afterEach, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.restoreAllMocks()
  vi.resetModules()
})

type Listener = (...args: unknown[]) => void

/** The module anew, and what it listens to: the process of the tests must not end. */
async function load() {
  const listeners = new Map<string, Listener>()
  vi.spyOn(process, 'on').mockImplementation(((event: string, listener: Listener) => {
    listeners.set(event, listener)
    return process
  }) as never)
  const { onExit } = await import('./exit.ts')
  return { onExit, listeners }
}

test('nothing is listened to before somebody wants to clean up', async () => {
  const { onExit, listeners } = await load()
  expect([...listeners.keys()]).toEqual([])
  onExit(() => {})
  expect([...listeners.keys()]).toEqual(['exit', 'SIGINT', 'SIGHUP', 'SIGTERM'])
})

test('every cleanup runs once at the end, but for those that were withdrawn', async () => {
  const { onExit, listeners } = await load()
  const ran: string[] = []
  onExit(() => ran.push('first'))
  const withdraw = onExit(() => ran.push('second'))
  onExit(() => ran.push('third'))
  withdraw()
  listeners.get('exit')!()
  listeners.get('exit')!()
  expect(ran).toEqual(['first', 'third'])
})

test('a signal cleans up and then ends the process as it would have', async () => {
  const { onExit, listeners } = await load()
  const cleanup = vi.fn()
  onExit(cleanup)
  vi.spyOn(process, 'listenerCount').mockReturnValue(1)
  const off = vi.spyOn(process, 'off').mockReturnValue(process)
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  listeners.get('SIGHUP')!('SIGHUP')
  expect(cleanup).toHaveBeenCalledTimes(1)
  expect(off).toHaveBeenCalledWith('SIGHUP', listeners.get('SIGHUP'))
  expect(kill).toHaveBeenCalledWith(process.pid, 'SIGHUP')
})

test('where others listen to a signal, they decide', async () => {
  const { onExit, listeners } = await load()
  const cleanup = vi.fn()
  onExit(cleanup)
  vi.spyOn(process, 'listenerCount').mockReturnValue(2)
  const kill = vi.spyOn(process, 'kill').mockReturnValue(true)
  listeners.get('SIGINT')!('SIGINT')
  expect(cleanup).not.toHaveBeenCalled()
  expect(kill).not.toHaveBeenCalled()
})
