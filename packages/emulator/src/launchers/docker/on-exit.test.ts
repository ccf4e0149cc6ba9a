import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Docker from 'dockerode'
import { afterEach, expect, test, vi } from 'vitest'
import { removeOnExit } from './on-exit.ts'

const { cleanups, children } = vi.hoisted(() => ({
  cleanups: new Set<() => void>(),
  children: [] as ChildProcess[],
}))
vi.mock('../../exit.ts', () => ({
  onExit(cleanup: () => void) {
    cleanups.add(cleanup)
    return () => cleanups.delete(cleanup)
  },
}))
vi.mock('node:child_process', async (load) => {
  const real = await load<{ spawn: typeof spawn }>()
  return {
    ...real,
    spawn(...args: Parameters<typeof spawn>) {
      const child = real.spawn(...args)
      children.push(child)
      return child
    },
  }
})

const folder = mkdtempSync(join(tmpdir(), 'flash-on-exit-'))
const closing: Server[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await new Promise((resolve) => server.close(resolve))
  cleanups.clear()
  children.length = 0
  rmSync(join(folder, 'engine.sock'), { force: true })
})

const owner = { id: 'abc', labels: { 'flash.emulator': 'abc', 'flash.pid': '1' } }

/** An engine with two containers; gives what it is asked. */
async function openEngine(place: object) {
  const lines: string[] = []
  const server = createServer(({ method, url }, response) => {
    lines.push(`${method} ${decodeURIComponent(url!)}`)
    response.end(method === 'GET' ? '[{ "Id": "c1" }, { "Id": "c2" }]' : '')
  })
  await new Promise<void>((resolve) => server.listen(place, resolve))
  closing.push(server)
  return { lines, port: (server.address() as AddressInfo).port }
}

async function endProcess() {
  for (const cleanup of cleanups) cleanup()
  for (const child of children) await once(child, 'exit')
}

const asked = [
  'GET /containers/json?all=1&filters={"label":["flash.emulator=abc"]}',
  'DELETE /containers/c1?force=1&v=1',
  'DELETE /containers/c2?force=1&v=1',
]

test('the end of the process removes the containers of its owner, by a socket', async () => {
  const socketPath = join(folder, 'engine.sock')
  const { lines } = await openEngine({ path: socketPath })
  await removeOnExit(new Docker({ socketPath }), owner)
  await endProcess()
  expect(lines.sort()).toEqual(asked.toSorted())
})

test('or by a port', async () => {
  const { lines, port } = await openEngine({ port: 0, host: '127.0.0.1' })
  await removeOnExit(new Docker({ protocol: 'http', host: '127.0.0.1', port }), owner)
  await endProcess()
  expect(lines.sort()).toEqual(asked.toSorted())
})

test('an engine that is gone is none of its business, nor is one that takes a certificate', async () => {
  await removeOnExit(new Docker({ socketPath: join(folder, 'nothing.sock') }), owner)
  await removeOnExit(new Docker({ protocol: 'https', host: '127.0.0.1', port: 1 }), owner)
  for (const cleanup of cleanups) cleanup()
  expect(children).toHaveLength(1)
  expect(await once(children[0]!, 'exit')).toEqual([0, null])
})

test('what has removed them itself leaves nothing to do', async () => {
  const keeper = await removeOnExit(new Docker({ socketPath: '/nowhere' }), owner)
  keeper.forget()
  await endProcess()
  expect(children).toEqual([])
})
