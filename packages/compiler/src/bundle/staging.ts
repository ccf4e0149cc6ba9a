import { randomUUID } from 'node:crypto'
import { readdir, rm } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { isAlive } from './alive.ts'
import { sha256 } from './files.ts'

const HOST = sha256(hostname()).slice(0, 8)
const namePattern = /^\.tmp-(\d+)-([0-9a-f]{8})-[0-9a-f-]{36}$/

/** Name of a folder that nobody else writes to; it says which process of which machine does. */
export function createStagingName(): string {
  return `.tmp-${process.pid}-${HOST}-${randomUUID()}`
}

/** Takes away what processes of this machine left that ended while they wrote. */
export async function removeAbandoned(outDir: string): Promise<void> {
  for (const name of await readdir(outDir)) {
    const [, pid, host] = namePattern.exec(name) ?? []
    if (host === HOST && !isAlive(Number(pid))) await rm(join(outDir, name), { recursive: true, force: true })
  }
}
