import { randomUUID } from 'node:crypto'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '@flash/protocol'
import { isAlive } from './alive.ts'

const WAIT_MS = 30_000
const POLL_MS = 20
/** What is done under the lock takes no longer than seconds. */
const STALE_MS = 600_000

interface Owner {
  pid: number
  host: string
  token: string
}

interface Holder extends Partial<Owner> {
  ageMs: number
}

/**
 * Runs while no other process that asks for the same folder does; the lock of a process that is gone is taken over.
 *
 * - `waitMs`: for a lock that is held, 30_000 when omitted.
 * - throws `BUILD_BUSY` after that.
 */
export async function withLock<T>(
  folder: string,
  run: () => Promise<T>,
  { waitMs = WAIT_MS }: { waitMs?: number } = {},
): Promise<T> {
  await mkdir(folder, { recursive: true })
  const file = join(folder, '.lock')
  const own: Owner = { pid: process.pid, host: hostname(), token: randomUUID() }
  await take(file, own, waitMs)
  try {
    return await run()
  } finally {
    if ((await findHolder(file))?.token === own.token) await rm(file, { force: true })
  }
}

async function take(file: string, own: Owner, waitMs: number): Promise<void> {
  const until = Date.now() + waitMs
  for (;;) {
    if (await create(file, own)) return
    const holder = await findHolder(file)
    if (holder && isStale(holder) && (await takeOver(file, holder, own))) return
    if (Date.now() >= until) throw busy(file, holder)
    await sleep(POLL_MS)
  }
}

async function create(file: string, own: Owner): Promise<boolean> {
  try {
    await writeFile(file, JSON.stringify(own), { flag: 'wx' })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Only one at a time can have the claim on a stale lock, and puts it in the place of the lock. */
async function takeOver(file: string, { token = 'unknown' }: Holder, own: Owner): Promise<boolean> {
  const claim = `${file}-${token}`
  if (!(await create(claim, own))) return false
  const now = await findHolder(file)
  // Another may have taken it over, and even given it back, since we looked.
  if (now && isStale(now) && (now.token ?? 'unknown') === token) {
    await rename(claim, file)
    return true
  }
  await rm(claim, { force: true })
  return false
}

async function findHolder(file: string): Promise<Holder | null> {
  try {
    const { mtimeMs } = await stat(file)
    return { ...parseOwner(await readFile(file, 'utf8')), ageMs: Date.now() - mtimeMs }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Nothing of one that is only half written. */
function parseOwner(text: string): Partial<Owner> {
  try {
    const { pid, host, token } = JSON.parse(text) as Owner
    return /^[0-9a-f-]{36}$/.test(token) && Number.isSafeInteger(pid) ? { pid, host, token } : {}
  } catch {
    return {}
  }
}

function isStale({ pid, host, ageMs }: Holder): boolean {
  return ageMs > STALE_MS || (pid !== undefined && host === hostname() && !isAlive(pid))
}

function busy(file: string, holder: Holder | null): AppError {
  const place = holder?.host === hostname() ? '' : ` on ${holder?.host}`
  const who = holder?.pid === undefined ? 'another process' : `process ${holder.pid}${place}`
  return new AppError('BUILD_BUSY', {
    message: `${who} has been writing its build to the same folder for too long`,
    hint: `end it; if there is no such process, remove ${file}`,
  })
}
