import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { AppError } from '@flash/protocol'
import { toArchive, toTar } from '../testing/archive.ts'
import { checkArchive } from './tar.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tar-'))
  return () => rm(folder, { recursive: true, force: true })
})

async function write(bytes: Buffer) {
  const path = join(folder, 'a.tar.gz')
  await writeFile(path, bytes)
  return path
}

test('an archive that unpacks to more than the limit is given up in its middle', async () => {
  const path = await write(gzipSync(toTar([{ path: 'zeros', content: '0'.repeat(3_000_000) }])))
  await expect(checkArchive(path, { bytes: 1_000_000 })).rejects.toThrow('unpacks to more than 1000000 bytes')
})

test('an archive with more entries than the limit is refused', async () => {
  const path = await write(toArchive([{ path: 'a' }, { path: 'b' }, { path: 'c' }]))
  await expect(checkArchive(path, { entries: 2 })).rejects.toThrow('more than 2 entries')
})

test('a check that is broken off ends', async () => {
  const stop = new AbortController()
  onTestFinished(() => stop.abort())
  const path = await write(gzipSync(toTar([{ path: 'zeros', content: '0'.repeat(30_000_000) }])))
  const checked = checkArchive(path, {}, stop.signal)
  stop.abort()
  await expect(checked).rejects.toThrow(/abort/i)
})

test('any bytes are taken or refused, and never anything else', async () => {
  const tar = toTar([
    { path: 'a/b', content: 'x'.repeat(600) },
    { path: 'c', type: '2', target: 'a' },
  ])
  const changes = fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { maxLength: 6 })
  await fc.assert(
    fc.asyncProperty(changes, fc.nat(tar.length), async (bytes, end) => {
      const changed = Buffer.from(tar.subarray(0, end))
      for (const [at, byte] of bytes) if (at < changed.length) changed[at] = byte
      const error = await checkArchive(await write(gzipSync(changed))).catch((reason: unknown) => reason)
      expect(error === undefined || error instanceof AppError).toBe(true)
    }),
    { numRuns: 200 },
  )
})
