import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { killByHome } from './process-tree.ts'

const PREFIX = 'flash-process-'

/** What a worker process has for itself: an empty home, and a folder for its temporary files. */
export interface WorkerFolder {
  home: string
  temporary: string
  remove(): void
}

/** The folder's name says whose worker it is, so that a later emulator finds what a crashed one left. */
export function createWorkerFolder(): WorkerFolder {
  const root = mkdtempSync(join(realpathSync(tmpdir()), `${PREFIX}${process.pid}-`))
  const [home, temporary] = [join(root, 'home'), join(root, 'tmp')]
  mkdirSync(home)
  mkdirSync(temporary)
  return { home, temporary, remove: () => removeFolder(root) }
}

/** Ends the workers of emulators that are gone, and removes their folders. */
export function removeAbandoned(): void {
  const parent = realpathSync(tmpdir())
  for (const name of readdirSync(parent)) {
    const owner = Number(new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1])
    if (!owner || isAlive(owner)) continue
    killByHome(join(parent, name, 'home'))
    removeFolder(join(parent, name))
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

function removeFolder(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true, maxRetries: 3 })
  } catch {
    // A worker that is being killed may still write there; a later start removes it.
  }
}
