import { systemClock } from '@flash/protocol'
import type Docker from 'dockerode'
import type { Exit } from '../local/launch.ts'
import { offlineBase } from './base-image.ts'
import { startContainer, toContainerOptions } from './docker/container.ts'
import { connectEngine } from './docker/engine.ts'
import { createImageFinder, type ImageFinder, type ImageOptions } from './docker/images.ts'
import { type Network, openNetwork } from './docker/network.ts'
import { type Keeper, removeOnExit } from './docker/on-exit.ts'
import { createOwner, type Owner, removeContainer, removeLeft } from './docker/owner.ts'
import { launch, type Started, throwIfStopped } from './launched.ts'
import type { LaunchedWorker, Launcher, WorkerOrder } from './launcher.ts'
import type { WorkerLines } from './lines.ts'
import { findFreePort } from './ports.ts'

export interface DockerLauncherOptions extends ImageOptions {
  /** `bridge` when omitted; `host` for engines whose bridge cannot be used. */
  network?: 'bridge' | 'host'
  /** Whom containers run as, `1000:1000`; the image's own user when omitted, never root in our own images. */
  user?: string
  /** Lets containers write outside of their home, `/tmp` and volumes. */
  writableRoot?: boolean
  /** Runs images as `docker run` does: with their own home, files that can be written, and the engine's usual capabilities. */
  asIs?: boolean
}

/** The engine with what is known of it, opened at the first need. */
interface Session {
  engine: Docker
  network: Network
  images: ImageFinder
  processors: number
  hasGpus: boolean
  keeper: Keeper
}

/** Workers as containers of the Docker engine, without capabilities, with a root that cannot be written. */
export function createDockerLauncher(options: DockerLauncherOptions = {}): Launcher {
  const owner = createOwner()
  const workers = new Set<LaunchedWorker>()
  let session: Promise<Session> | null = null
  const open = () => {
    session ??= openSession(options, owner).catch((error: unknown) => {
      // An engine that is started later is found then.
      session = null
      throw error
    })
    return session
  }
  return {
    name: 'docker',
    start(order) {
      const worker = launch(async (lines, signal) =>
        begin(await open(), order, { options, owner, lines, signal }),
      )
      workers.add(worker)
      void worker.exited.then(() => workers.delete(worker))
      return worker
    },
    reachable: async (url) => (await open()).network.reachable(url),
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop(0)))
      const opened = await session?.catch(() => null)
      if (!opened) return
      opened.keeper.forget()
      // From an engine that is gone nothing can be removed; the next start does.
      await removeLeft(opened.engine, owner).catch(() => {})
      await opened.network.close()
    },
  }
}

interface EngineInfo {
  NCPU: number
  CpuCfsQuota?: boolean
  Runtimes?: Record<string, unknown>
}

async function openSession(options: DockerLauncherOptions, owner: Owner): Promise<Session> {
  const engine = await connectEngine()
  const [network, { NCPU, CpuCfsQuota = true, Runtimes = {} }] = await Promise.all([
    openNetwork(engine, options.network),
    engine.info() as Promise<EngineInfo>,
    removeLeft(engine),
  ])
  return {
    engine,
    network,
    images: createImageFinder(engine, options),
    processors: CpuCfsQuota ? NCPU : 0,
    hasGpus: 'nvidia' in Runtimes,
    keeper: await removeOnExit(engine, owner),
  }
}

interface Task {
  options: DockerLauncherOptions
  owner: Owner
  lines: WorkerLines
  signal: AbortSignal
}

async function begin(session: Session, wanted: WorkerOrder, task: Task): Promise<Started> {
  const { engine, network } = session
  const { lines, signal } = task
  throwIfStopped(signal)
  if (network.note) lines.system(network.note)
  const image = await unlessStopped(session.images.find(wanted, lines), signal)
  const order = await placed(wanted, network)
  throwIfStopped(signal)
  const container = await engine.createContainer(
    toContainerOptions(order, {
      name: `flash-${order.workerId}-${task.owner.id}`,
      image,
      labels: task.owner.labels,
      network: network.mode,
      user: userOf(image, task.options),
      processors: session.processors,
      hasGpus: session.hasGpus,
      isWritable: task.options.writableRoot ?? false,
      isAsIs: task.options.asIs ?? false,
    }),
  )
  try {
    const { exited } = await startContainer(engine, container, lines)
    lines.system(`started container ${container.id.slice(0, 12)} from ${image}`)
    return running(container, exited, await addressesOf(container, order, network), lines)
  } catch (error) {
    await removeContainer(container)
    throw error
  }
}

function running(
  container: Docker.Container,
  ended: Promise<Exit>,
  addresses: Pick<Started, 'address' | 'healthAddress'>,
  lines: WorkerLines,
): Started {
  const tell = async () => {
    const exit = await ended
    lines.system(exit.signal ? `ended by ${exit.signal}` : `ended with exit code ${exit.code}`)
    if (exit.reason) lines.system(exit.reason)
    return exit
  }
  const exited = tell()
  const gone = exited.then(() => removeContainer(container))
  gone.catch(() => {})
  return {
    ...addresses,
    exited,
    async end(graceMs) {
      // One that has ended meanwhile cannot be signalled.
      const signal = (name: string) => container.kill({ signal: name }).catch(() => {})
      const withdraw = systemClock.after(graceMs, () => void signal('SIGKILL'))
      await signal(graceMs > 0 ? 'SIGTERM' : 'SIGKILL')
      await gone.catch(() => {})
      withdraw()
    },
  }
}

/** On the network of this machine, two workers cannot have the same port. */
async function placed(order: WorkerOrder, { mode }: Network): Promise<WorkerOrder> {
  if (mode === 'bridge' || order.kind === 'queue') return order
  const port = String(await findFreePort())
  return { ...order, env: { ...order.env, PORT: port, PORT_HEALTH: port } }
}

async function addressesOf(
  container: Docker.Container,
  order: WorkerOrder,
  { mode }: Network,
): Promise<Pick<Started, 'address' | 'healthAddress'>> {
  if (order.kind === 'queue') return { address: null, healthAddress: null }
  const { PORT = '80', PORT_HEALTH = PORT } = order.env
  if (mode === 'host') return { address: toAddress(PORT), healthAddress: toAddress(PORT_HEALTH) }
  const { Ports } = (await container.inspect()).NetworkSettings
  const published = (port: string) => toAddress(Ports[`${port}/tcp`]?.[0]?.HostPort)
  return { address: published(PORT), healthAddress: published(PORT_HEALTH) }
}

const toAddress = (port?: string) => (port ? `http://127.0.0.1:${port}` : null)

/** Of our own image everything can be read by everybody; files that are mounted belong to who runs the emulator. */
function userOf(image: string, { user }: DockerLauncherOptions): string | undefined {
  if (user !== undefined || !image.startsWith(`${offlineBase}:`)) return user
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0]
  return uid > 0 ? `${uid}:${gid}` : undefined
}

/** A pull goes on for whoever needs the image next. */
function unlessStopped<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    promise.then(resolve, reject)
    signal.addEventListener('abort', () => reject(new Error('the worker was stopped before it was started')))
  })
}
