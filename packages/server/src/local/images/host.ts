import { randomBytes } from 'node:crypto'
import type { Emulator, Launcher, WorkerOrder } from '@flash/emulator/runpod'
import type { Clock } from '@flash/protocol'
import { type ContainerWatch, watchLauncher } from './launcher.ts'

export interface ImageHostOptions {
  clock: Clock
  /** How containers are started; by Docker when omitted. */
  launcher?: () => Promise<Launcher>
  /** How long a container that runs may take until it is ready. */
  startMs: number
  onOutput(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
  onError(error: unknown): void
}

/** What containers with images belong to. */
export interface ImageHost extends Pick<ImageHostOptions, 'clock' | 'startMs' | 'onOutput' | 'onError'> {
  /** The platform that they see, made at the first need. Throws `NEEDS_DOCKER`. */
  open(): Promise<Emulator>
  /** Tells what becomes of the containers of an endpoint of it. */
  watch(endpointId: string, watch: (order: WorkerOrder) => ContainerWatch): void
  unwatch(endpointId: string): void
  /** Ends all containers. */
  close(): Promise<void>
}

interface Opened {
  emulator: Emulator
  launcher: Launcher
}

export function createImageHost({
  launcher: create = createLauncher,
  ...shared
}: ImageHostOptions): ImageHost {
  const watches = new Map<string, (order: WorkerOrder) => ContainerWatch>()
  let opening: Promise<Opened> | null = null
  const begin = async (): Promise<Opened> => {
    const launcher = watchLauncher(await create(), (order) => watches.get(order.endpointId)!(order))
    // It is a large part of the program, and most projects have no images.
    const { createEmulator } = await import('@flash/emulator/runpod')
    const apiKey = randomBytes(24).toString('base64url')
    return { launcher, emulator: await createEmulator({ launcher, apiKey, onError: shared.onError }) }
  }
  return {
    ...shared,
    async open() {
      opening ??= begin().catch((error: unknown) => {
        opening = null
        throw error
      })
      const { emulator, launcher } = await opening
      await launcher.reachable(emulator.url)
      return emulator
    },
    watch: (id, watch) => void watches.set(id, watch),
    unwatch: (id) => void watches.delete(id),
    async close() {
      const opened = await opening?.catch(() => null)
      await opened?.emulator.close()
    },
  }
}

async function createLauncher(): Promise<Launcher> {
  const { createDockerLauncher } = await import('@flash/emulator/launchers')
  return createDockerLauncher({ asIs: true })
}
