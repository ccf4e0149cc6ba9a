import { type Clock, systemClock, workerImages } from '@flash/protocol'
import type Docker from 'dockerode'
import { type BaseImage, buildBaseImage, describeBaseImage, offlineBase } from '../base-image.ts'
import type { WorkerOrder } from '../launcher.ts'
import type { WorkerLines } from '../lines.ts'
import { readProgress } from './progress.ts'

export interface ImageOptions {
  /** What to run in place of an image of the account: another name, or `offlineBase`. */
  images?: Record<string, string> | ((image: string) => string | undefined)
  /** What to run in place of an image that is not on this machine and cannot be pulled. */
  fallback?: string
}

export interface ImageFinder {
  /** The name of an image that the engine has by then; pulled or made when it had not. Rejects with what to tell. */
  find(order: WorkerOrder, lines: WorkerLines): Promise<string>
}

/** Engines tell of large layers all the time. */
const PULL_IDLE_MS = 300_000

export function createImageFinder(
  engine: Docker,
  { images = {}, fallback }: ImageOptions,
  clock: Clock = systemClock,
): ImageFinder {
  /** Of an image that several workers wait for, one pull and one build. */
  const coming = new Map<string, Promise<unknown>>()
  const once = async (name: string, make: () => Promise<unknown>) => {
    const made = coming.get(name) ?? make().finally(() => coming.delete(name))
    coming.set(name, made)
    await made
  }
  let described: Promise<BaseImage> | null = null
  const provideBase = async (lines: WorkerLines) => {
    const base = await (described ??= describeBaseImage())
    const build = async () => {
      lines.system(`making image ${base.name} of the Node of this machine`)
      await buildBaseImage(engine, base)
    }
    if (!(await hasImage(engine, base.name))) await once(base.name, build)
    return base.name
  }
  const provide = async (name: string, order: WorkerOrder, lines: WorkerLines) => {
    const isThere = await hasImage(engine, name)
    if (!isThere && isOurs(name)) return provideBase(lines)
    if (!isThere) await once(name, () => pull(engine, name, order, { lines, clock }))
    return name
  }
  return {
    async find(order, lines) {
      const name = (typeof images === 'function' ? images(order.image) : images[order.image]) ?? order.image
      try {
        return await provide(name, order, lines)
      } catch (cause) {
        const message = `image ${name} cannot be had: ${(cause as Error).message.trim()}`
        if (fallback === undefined || fallback === name) throw new Error(message, { cause })
        lines.system(`${message}; ${fallback} stands in for it`)
        return provide(fallback, order, lines)
      }
    },
  }
}

/** Our own images have no registry; what stands in for them is made here. */
function isOurs(name: string): boolean {
  return name === offlineBase || Object.values<string>(workerImages).includes(name)
}

async function hasImage(engine: Docker, name: string): Promise<boolean> {
  try {
    await engine.getImage(name).inspect()
    return true
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false
    throw error
  }
}

async function pull(
  engine: Docker,
  name: string,
  { registryAuth }: WorkerOrder,
  { lines, clock }: { lines: WorkerLines; clock: Clock },
) {
  lines.system(`pulling image ${name}`)
  const tagged = /[:@][^/]*$/.test(name) ? name : `${name}:latest`
  const seen = new Map<string, string>()
  await unlessIdle(clock, async (abortSignal, isAlive) => {
    const stream = await engine.pull(tagged, {
      abortSignal,
      ...(registryAuth && { authconfig: registryAuth }),
    })
    await readProgress(stream, ({ id = name, status }) => {
      isAlive()
      if (!status || seen.get(id) === status) return
      seen.set(id, status)
      lines.system(`${id}: ${status}`)
    })
  })
  lines.system(`pulled image ${name}`)
}

/** Ends what does not say in time that it is alive. */
async function unlessIdle(
  clock: Clock,
  run: (signal: AbortSignal, isAlive: () => void) => Promise<void>,
): Promise<void> {
  const idle = new AbortController()
  const arm = () => clock.after(PULL_IDLE_MS, () => idle.abort())
  let disarm = arm()
  try {
    await run(idle.signal, () => {
      disarm()
      disarm = arm()
    })
  } catch (error) {
    if (!idle.signal.aborted) throw error
    throw new Error(`its pull made no progress for ${PULL_IDLE_MS / 60_000} minutes`, { cause: error })
  } finally {
    disarm()
  }
}
