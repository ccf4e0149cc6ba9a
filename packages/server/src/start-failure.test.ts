import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { FACTS_FILE, sealFacts } from './facts.ts'
import { startServer } from './start.ts'
import { createFakeBackend, facts, key } from './testing/production.ts'

vi.mock('./static-files.ts', () => ({
  createStaticFiles: () => () => Promise.reject(new Error('canary')),
}))

test('a failure that nobody thought of is an answer, and not the end of the server', async () => {
  const dist = mkdtempSync(join(tmpdir(), 'flash-start-'))
  writeFileSync(
    join(dist, FACTS_FILE),
    sealFacts({ ...facts, appType: 'spa', maxBodyBytes: 10_000_000 }, key),
  )
  const print = vi.spyOn(console, 'error').mockImplementation(() => {})
  const stop = new AbortController()
  const { url, stopped } = await startServer({
    root: dist,
    dist: '.',
    port: 0,
    host: '127.0.0.1',
    env: { FLASH_KEY: Buffer.from(key).toString('base64url') },
    handler: {},
    signal: stop.signal,
    createBackend: () => createFakeBackend().backend,
  })
  for (let n = 0; n < 2; n++) {
    const answer = await fetch(url)
    expect([answer.status, await answer.text()]).toEqual([500, 'something failed on the server\n'])
  }
  expect(print.mock.calls[0]![1]).toMatchObject({ message: 'canary' })
  print.mockRestore()
  stop.abort()
  await stopped
  rmSync(dist, { recursive: true })
})
