import { createHash } from 'node:crypto'
import { lstat, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isJobId } from './parse-jobs.ts'

/** The result of a job on its way to the platform. */
export interface Result {
  jobId: string
  /** The same with each attempt, also those of a later process. */
  requestId: string
  streamed: boolean
  json: string
}

/** Results that were not accepted yet, on disk. Neither reading nor writing ever rejects. */
export interface Spool {
  keep(result: Result): Promise<void>
  drop(jobId: string): Promise<void>
  /** What an earlier process left. */
  load(): Promise<Result[]>
}

/** Whoever waited for an older result has long been told that the job took too long. */
const keptMs = 7 * 24 * 3_600_000

const suffix = '.result'

/** `<temporary folder>/flash-<endpoint>-<worker>-<hash of both>`: no two workers have the same. */
export function defaultSpoolFolder(endpointId: string | undefined, workerId: string): string {
  const names = [endpointId ?? 'endpoint', workerId]
  const readable = names.map((name) => name.replace(/[^\w-]/g, '_').slice(0, 64))
  return join(tmpdir(), ['flash', ...readable, hash(JSON.stringify(names)).slice(0, 8)].join('-'))
}

/**
 * A folder with one file for each result, which only this user can read.
 *
 * - `complain`: told what could not be written or read; the result is kept in memory all the same.
 * - `now`: in milliseconds; older files than a week are removed.
 */
export function createSpool(
  folder: string,
  { complain, now }: { complain(problem: string): void; now(): number },
): Spool {
  const fileOf = (jobId: string) => join(folder, `${hash(jobId)}${suffix}`)
  const attempt = async <T>(what: string, run: () => Promise<T>): Promise<T | undefined> => {
    try {
      return await run()
    } catch (error) {
      complain(`${what}: ${(error as Error).message}`)
      return undefined
    }
  }
  return {
    async keep({ json, ...head }) {
      const text = `${JSON.stringify({ ...head, at: now() })}\n${json}`
      await attempt(`the result could not be kept in ${folder}`, async () => {
        await openFolder(folder)
        await writeWhole(fileOf(head.jobId), text)
      })
    },
    async drop(jobId) {
      await attempt(`a result could not be removed from ${folder}`, () => rm(fileOf(jobId), { force: true }))
    },
    async load() {
      const found = await attempt(`earlier results in ${folder} cannot be read`, async () => {
        const names = await listFolder(folder)
        return Promise.all(names.map((name) => attempt(name, () => readResult(join(folder, name), now()))))
      })
      return (found ?? []).filter((result) => result !== null && result !== undefined)
    },
  }
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

async function openFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await checkOwner(folder)
}

/** In a folder for everybody, somebody else could have put one of this name. */
async function checkOwner(folder: string): Promise<void> {
  const found = await lstat(folder)
  const isOurs = !process.getuid || found.uid === process.getuid()
  if (!found.isDirectory() || !isOurs) throw new Error(`${folder} is no folder of this user`)
}

async function listFolder(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!names) return []
  await checkOwner(folder)
  // What an earlier process was about to write when it ended.
  await Promise.all(names.filter(isHalf).map((name) => rm(join(folder, name), { force: true })))
  return names.filter((name) => name.endsWith(suffix))
}

const isHalf = (name: string) => /\.result\.\d+$/.test(name)

async function writeWhole(file: string, text: string): Promise<void> {
  const half = `${file}.${process.pid}`
  try {
    await writeSynced(half, text)
    await rename(half, file)
  } catch (error) {
    // A full disk is not made fuller.
    await rm(half, { force: true }).catch(() => {})
    throw error
  }
}

async function writeSynced(file: string, text: string): Promise<void> {
  const handle = await open(file, 'w', 0o600)
  try {
    await handle.writeFile(text)
    // A result that is only in the memory of a machine that goes down would be lost.
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** `null` for one that is too old or no result, which is removed. */
async function readResult(file: string, now: number): Promise<Result | null> {
  const text = await readFile(file, 'utf8')
  const end = text.indexOf('\n')
  const head = parseHead(text.slice(0, Math.max(end, 0)))
  if (head && now - head.at < keptMs) {
    const { jobId, requestId, streamed } = head
    return { jobId, requestId, streamed, json: text.slice(end + 1) }
  }
  await rm(file, { force: true })
  return null
}

type Head = Omit<Result, 'json'> & { at: number }

function parseHead(text: string): Head | null {
  try {
    const head = JSON.parse(text) as Head
    const isHead =
      isJobId(head.jobId) &&
      typeof head.requestId === 'string' &&
      typeof head.streamed === 'boolean' &&
      typeof head.at === 'number'
    return isHead ? head : null
  } catch {
    return null
  }
}
