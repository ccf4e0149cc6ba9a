import { AppError } from '@flash/protocol'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { toPosix } from '../locate.ts'
import { parseBunLock } from './bun-lock.ts'
import { type LockText, refuseLock } from './lock-problem.ts'
import { foldersAbove, readManifest, stampOf } from './manifest.ts'
import { parseNpmLock } from './npm-lock.ts'
import { parsePnpmLock } from './pnpm-lock.ts'
import type { Lockfile, Manager } from './types.ts'
import { parseYarnLock } from './yarn-lock.ts'

/** Where a lockfile is, and whose. */
export interface FoundLockfile {
  file: string
  folder: string
  manager: Manager
  /** Others beside it, of which it is not known that they are old. */
  rivals: string[]
}

/** Lockfiles in the order in which they are believed: npm's is what others leave behind. */
const names: [name: string, manager: Manager][] = [
  ['pnpm-lock.yaml', 'pnpm'],
  ['bun.lock', 'bun'],
  ['bun.lockb', 'bun'],
  ['yarn.lock', 'yarn'],
  ['npm-shrinkwrap.json', 'npm'],
  ['package-lock.json', 'npm'],
]

/**
 * The lockfile that says what is installed for a folder; `null` without one.
 *
 * The nearest above it, unless one further up has the folder as a package of its workspace: the nearer one is then a leftover.
 */
export async function findLockfile(folder: string, root: string): Promise<FoundLockfile | null> {
  const [nearest, ...others] = foldersAbove(folder).flatMap((above) => lockfileIn(above) ?? [])
  if (!nearest) return null
  for (const other of others) {
    const lockfile = await readLockfile(other, root).catch(() => null)
    if (lockfile?.isMember(nearest.folder)) return other
  }
  return nearest
}

function lockfileIn(folder: string): FoundLockfile | null {
  const found = names.filter(([name]) => existsSync(join(folder, name)))
  if (found.length === 0) return null
  const chosen = readManifest(folder)?.packageManager?.split('@', 1)[0]
  const own = found.find(([, manager]) => manager === chosen)
  const [name, manager] = own ?? found[0]!
  const rivals = own ? [] : found.filter((other) => other[1] !== manager).map(([rival]) => rival)
  return { file: join(folder, name), folder, manager, rivals }
}

const kept = new Map<string, { stamp: string | null; lockfile: Promise<Lockfile> }>()

/**
 * Reads a lockfile, once until it changes.
 *
 * - throws `LOCKFILE_INVALID` with its place, called as it is from `root`.
 */
export function readLockfile(found: FoundLockfile, root: string): Promise<Lockfile> {
  const key = `${found.file}\0${root}`
  const stamp = stampOf(found.file)
  const before = kept.get(key)
  if (before?.stamp === stamp) return before.lockfile
  const lockfile = read(found, toPosix(relative(root, found.file)))
  // Whoever asks gets the failure; nobody may have asked yet.
  lockfile.catch(() => {})
  kept.set(key, { stamp, lockfile })
  return lockfile
}

async function read({ file, folder, manager }: FoundLockfile, shown: string): Promise<Lockfile> {
  if (file.endsWith('.lockb')) throw binaryLock(shown)
  const lock: LockText = { text: '', shown, manager }
  lock.text = await readFile(file, 'utf8').catch((error: Error) =>
    refuseLock(lock, `cannot be read: ${error.message}`),
  )
  if (manager === 'npm') return parseNpmLock(lock, folder)
  if (manager === 'pnpm') return parsePnpmLock(lock, folder)
  return manager === 'yarn' ? parseYarnLock(lock, folder) : parseBunLock(lock, folder)
}

function binaryLock(shown: string): AppError {
  return new AppError('LOCKFILE_INVALID', {
    message: `${shown} is the binary lockfile of old versions of Bun, which only Bun reads`,
    hint: 'run `bun install --save-text-lockfile` and delete it',
    at: { file: shown, line: 1, column: 1 },
  })
}
