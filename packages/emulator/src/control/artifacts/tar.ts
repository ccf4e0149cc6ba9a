import { createReadStream } from 'node:fs'
import { posix } from 'node:path'
import { Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { refused } from '../refuse.ts'
import type { TarEntry } from './tar-header.ts'
import { createTarReader } from './tar-reader.ts'

export interface ArchiveLimits {
  /** Unpacked, all entries together; 10 GiB when omitted. */
  bytes?: number
  /** 500_000 when omitted. */
  entries?: number
}

/**
 * Whether a file is a gzipped tar that a worker can unpack without anything landing outside of its folder.
 * Nothing is unpacked for that.
 *
 * - throws `BAD_REQUEST` that names the entry.
 */
export async function checkArchive(
  path: string,
  { bytes = 10 * 2 ** 30, entries = 500_000 }: ArchiveLimits = {},
  signal?: AbortSignal,
): Promise<void> {
  const check = createEntryCheck(entries)
  const reader = createTarReader(check.see)
  let size = 0
  const read = (chunk: Buffer) => {
    size += chunk.length
    if (size > bytes) throw refused(`the archive unpacks to more than ${bytes} bytes`)
    reader.push(chunk)
  }
  await pipeline(createReadStream(path), createGunzip(), createSink(read), { signal }).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('Z_')) throw refused('the archive is damaged: it cannot be unpacked as gzip')
      throw error
    },
  )
  reader.end()
  check.end()
}

/** A generator in its place would lose what it throws on Node 20. */
function createSink(read: (chunk: Buffer) => void): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      try {
        read(chunk)
        done()
      } catch (error) {
        done(error as Error)
      }
    },
  })
}

function createEntryCheck(limit: number): { see(entry: TarEntry): void; end(): void } {
  const links = new Set<string>()
  const folders = new Set<string>()
  let count = 0
  return {
    see(entry) {
      count += 1
      if (count > limit) throw refused(`the archive has more than ${limit} entries`)
      const path = checkPath(entry.path, entry.path)
      for (let folder = posix.dirname(path); folder !== '.'; folder = posix.dirname(folder)) {
        if (folders.has(folder)) break
        folders.add(folder)
      }
      checkType(entry, path)
      if (entry.type === 'symlink') links.add(path)
    },
    end() {
      if (count === 0) throw refused('the archive is empty')
      // What lies below a link lands where the link points to.
      const through = [...links].find((link) => folders.has(link))
      if (through !== undefined) throw refused(`the archive has entries below the link "${through}"`)
    },
  }
}

function checkType(entry: TarEntry, path: string): void {
  if (entry.type === 'other')
    throw refused(`the archive has "${entry.path}", which is no file, folder or link`)
  if (entry.type === 'hardlink') checkPath(entry.target, entry.path)
  if (entry.type !== 'symlink') return
  // After a name, `..` could lead anywhere: the name may be a link itself.
  const isPlain = /^(?:\.\.?\/)*(?:(?!\.\.(?:\/|$))[^/]*(?:\/|$))*$/.test(entry.target)
  if (!isPlain || entry.target.startsWith('/')) throw leaves(entry.path)
  checkPath(posix.join(posix.dirname(path), entry.target), entry.path)
}

/** The path without detours. */
function checkPath(path: string, entry: string): string {
  const normal = posix.normalize(path).replace(/\/$/, '')
  const isOutside = path === '' || path.includes('\0') || /^[/\\]|^[a-z]:/i.test(path) || path.includes('\\')
  if (isOutside || normal === '..' || normal.startsWith('../')) throw leaves(entry)
  return normal
}

function leaves(entry: string) {
  return refused(`the archive has "${entry.slice(0, 200)}", which leaves its folder`)
}
