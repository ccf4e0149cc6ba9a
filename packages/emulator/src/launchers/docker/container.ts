import { constants } from 'node:os'
import { Writable } from 'node:stream'
import type Docker from 'dockerode'
import type { Exit } from '../../local/launch.ts'
import type { WorkerOrder } from '../launcher.ts'
import type { LineSplitter, WorkerLines } from '../lines.ts'
import { splitWords } from '../words.ts'

export interface ContainerPlace {
  name: string
  image: string
  labels: Record<string, string>
  network: 'bridge' | 'host'
  /** `1000:1000`; the image's own when omitted. */
  user?: string
  /** Processors of the engine; asking for more is refused. 0 where it cannot limit their use. */
  processors: number
  /** Containers can have the GPUs of the machine. */
  hasGpus: boolean
  /** The root of its files can be written. */
  isWritable: boolean
  /** As `docker run` does it. */
  isAsIs: boolean
}

const HOME = '/flash/home'
const TMPFS = 'rw,exec,nosuid,nodev,mode=1777'
const PROCESSES_LIMIT = 2_048
const LAST_WORDS_MS = 2_000
const SIGNAL_BASE = 128

export function toContainerOptions(order: WorkerOrder, place: ContainerPlace): Docker.ContainerCreateOptions {
  const words = splitWords(order.args)
  const ports = place.network === 'bridge' ? portsOf(order) : []
  return {
    name: place.name,
    Image: place.image,
    Cmd: words.length > 0 ? words : undefined,
    Env: Object.entries({ ...(!place.isAsIs && { HOME }), ...order.env }).map(
      ([name, value]) => `${name}=${value}`,
    ),
    User: place.user,
    Labels: place.labels,
    ExposedPorts: Object.fromEntries(ports.map((port) => [port, {}])),
    HostConfig: {
      Init: true,
      SecurityOpt: ['no-new-privileges'],
      ...(!place.isAsIs && confined(place)),
      NetworkMode: place.network,
      PortBindings: Object.fromEntries(ports.map((port) => [port, [{ HostIp: '127.0.0.1', HostPort: '' }]])),
      Mounts: order.mounts.map(({ source, target, writable = false }) => ({
        Type: 'bind',
        Source: source,
        Target: target,
        ReadOnly: !writable,
      })),
      LogConfig: { Type: 'local', Config: { 'max-size': '10m', 'max-file': '2' } },
      ...limitsOf(order, place),
    },
  }
}

function confined({ isWritable }: ContainerPlace) {
  return { ReadonlyRootfs: !isWritable, CapDrop: ['ALL'], Tmpfs: { '/tmp': TMPFS, [HOME]: TMPFS } }
}

function portsOf({ kind, env: { PORT = '80', PORT_HEALTH = PORT } }: WorkerOrder): string[] {
  return kind === 'queue' ? [] : [...new Set([`${PORT}/tcp`, `${PORT_HEALTH}/tcp`])]
}

function limitsOf(
  { limits: { memoryBytes, cpus }, gpuCount = 0 }: WorkerOrder,
  { processors, hasGpus }: ContainerPlace,
) {
  return {
    PidsLimit: PROCESSES_LIMIT,
    // The same number for both: no swap.
    ...(memoryBytes && { Memory: memoryBytes, MemorySwap: memoryBytes }),
    ...(cpus && processors > 0 && { NanoCpus: Math.round(Math.min(cpus, processors) * 1e9) }),
    // All that this machine has: it may have fewer than the endpoint asks for.
    ...(gpuCount > 0 && hasGpus && { DeviceRequests: [{ Count: -1, Capabilities: [['gpu']] }] }),
  }
}

/** Starts a container, its output being listened to from the first byte on; what has to be awaited is its end. */
export async function startContainer(
  engine: Docker,
  container: Docker.Container,
  lines: WorkerLines,
): Promise<{ exited: Promise<Exit> }> {
  const stream = await container.attach({ stream: true, stdout: true, stderr: true })
  const splitters = [lines.stream(), lines.stream()] as const
  const written = new Promise<unknown>((resolve) => {
    for (const end of ['end', 'close', 'error']) stream.once(end, resolve)
  })
  engine.modem.demuxStream(stream, toWritable(splitters[0]), toWritable(splitters[1]))
  await container.start()
  const follow = async (): Promise<Exit> => {
    const exit = await exitOf(container)
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))])
    for (const splitter of splitters) splitter.end()
    return exit
  }
  return { exited: follow() }
}

function toWritable(splitter: LineSplitter): Writable {
  return new Writable({
    write(bytes: Buffer, _encoding, done) {
      splitter.write(bytes)
      done()
    },
  })
}

async function exitOf(container: Docker.Container): Promise<Exit> {
  try {
    const { StatusCode: code } = await container.wait()
    const { State } = await container.inspect()
    const reason = State.OOMKilled ? 'it used more memory than its limit' : State.Error || undefined
    return { ...toExit(code), ...(reason && { reason }) }
  } catch (error) {
    return { code: null, signal: null, reason: `the Docker engine lost it: ${(error as Error).message}` }
  }
}

/** The first process of a container tells the end of ours by its exit code, as shells do. */
function toExit(code: number): Exit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === code - SIGNAL_BASE)?.[0]
  return signal ? { code: null, signal } : { code, signal: null }
}
