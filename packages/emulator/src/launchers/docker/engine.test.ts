import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createTestClock } from '@flash/protocol'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { connectEngine } from './engine.ts'

const folder = mkdtempSync(join(tmpdir(), 'flash-engine-'))
let count = 0
const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
  delete process.env.DOCKER_HOST
  vi.doUnmock('dockerode')
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('an engine that does not let this user in says what to do about that', async () => {
  class Closed {
    ping = async () => {
      throw Object.assign(new Error('connect EACCES /var/run/docker.sock'), { code: 'EACCES' })
    }
  }
  vi.doMock('dockerode', () => ({ default: Closed }))
  await expect(connectEngine()).rejects.toMatchObject({
    code: 'NEEDS_DOCKER',
    message: 'no Docker engine answers at /var/run/docker.sock: connect EACCES /var/run/docker.sock',
    hint: expect.stringContaining('group docker'),
  })
})

test('what answers and is no engine is told', async () => {
  await listen((_, response) => response.writeHead(500).end('{"message":"starting"}'))
  await expect(connectEngine()).rejects.toMatchObject({
    code: 'NEEDS_DOCKER',
    message: expect.stringContaining('starting'),
    hint: expect.stringContaining('start Docker'),
  })
})

test('an engine that hangs is not waited for', async () => {
  const clock = createTestClock()
  await listen(() => clock.advance(10_000))
  await expect(connectEngine(clock)).rejects.toMatchObject({
    code: 'NEEDS_DOCKER',
    message: expect.stringContaining('no answer within 10 s'),
  })
})

async function listen(answer: RequestListener): Promise<void> {
  const server = createServer(answer)
  const path = join(folder, `socket${++count}`)
  await new Promise<void>((resolve) => server.listen(path, resolve))
  process.env.DOCKER_HOST = `unix://${path}`
  closing.push(() => {
    server.closeAllConnections()
    server.close()
  })
}
