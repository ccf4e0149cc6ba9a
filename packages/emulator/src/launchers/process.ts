import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { bundleFolder, systemClock } from '@flash/protocol'
import { onExit } from '../exit.ts'
import type { Exit } from '../local/launch.ts'
import { launch, type Started, throwIfStopped } from './launched.ts'
import type { LaunchedWorker, Launcher, WorkerOrder } from './launcher.ts'
import type { WorkerLines } from './lines.ts'
import { findFreePort } from './ports.ts'
import { groupGone, killByHome, signalGroup } from './process-tree.ts'
import { splitWords } from './words.ts'
import { createWorkerFolder, removeAbandoned, type WorkerFolder } from './worker-folder.ts'

export interface ProcessLauncherOptions {
  /** What to run for a worker; without it, or when it says `null`, the start command or the mounted bundle. */
  program?: (order: WorkerOrder) => { command: string[]; cwd?: string } | null
  /** Where programs run that do not say where. */
  cwd?: string
}

interface Running {
  pid: number
  exited: Promise<Exit>
  /** Resolves when nothing of it is left. */
  gone: Promise<void>
}

interface Ports {
  PORT?: string
  PORT_HEALTH?: string
}

const LAST_WORDS_MS = 500

/** Workers as processes of this machine, each the head of a group of its own. Images are not looked at. */
export function createProcessLauncher(options: ProcessLauncherOptions = {}): Launcher {
  const workers = new Set<LaunchedWorker>()
  let isFirst = true
  return {
    name: 'process',
    start(order) {
      if (isFirst) removeAbandoned()
      isFirst = false
      const worker = launch((lines, signal) => begin(order, options, lines, signal))
      workers.add(worker)
      void worker.exited.then(() => workers.delete(worker))
      return worker
    },
    reachable: (url) => url,
    async close() {
      await Promise.all([...workers].map((worker) => worker.stop(0)))
    },
  }
}

async function begin(
  order: WorkerOrder,
  options: ProcessLauncherOptions,
  lines: WorkerLines,
  signal: AbortSignal,
): Promise<Started> {
  const { command, cwd } = chooseProgram(order, options)
  const ports = order.kind === 'balanced' ? await choosePorts(order.env) : {}
  throwIfStopped(signal)
  const folder = createWorkerFolder()
  try {
    const child = await spawned(command, cwd, { ...environmentOf(order, folder), ...ports })
    lines.system(`started ${command[0]} as process ${child.pid}`)
    const running = follow(child, folder, lines)
    return {
      address: toAddress(ports.PORT),
      healthAddress: toAddress(ports.PORT_HEALTH),
      exited: running.exited,
      end: (graceMs) => end(running, graceMs),
    }
  } catch (cause) {
    folder.remove()
    throw new Error(`cannot start ${command[0]} in ${cwd}: ${(cause as Error).message}`, { cause })
  }
}

function chooseProgram(order: WorkerOrder, { program, cwd = process.cwd() }: ProcessLauncherOptions) {
  const given = program?.(order)
  if (given?.command[0]) return { command: given.command, cwd: given.cwd ?? cwd }
  const words = splitWords(order.args)
  if (words[0] && !words[0].startsWith('-')) return { command: words, cwd }
  const bundle = order.mounts.find(({ target }) => target === bundleFolder)?.source
  if (bundle) return { command: [process.execPath, join(bundle, 'main.mjs'), ...words], cwd: bundle }
  throw new Error(
    `image ${order.image} has no program on this machine; give \`program\`, or use the docker launcher`,
  )
}

/** Health is asked for at a port of its own when the endpoint says so. */
async function choosePorts(env: Record<string, string>): Promise<Ports> {
  const port = String(await findFreePort())
  const isOne = !env.PORT_HEALTH || env.PORT_HEALTH === (env.PORT ?? '80')
  return { PORT: port, PORT_HEALTH: isOne ? port : String(await findFreePort()) }
}

const toAddress = (port?: string) => (port ? `http://127.0.0.1:${port}` : null)

/** A worker here is on this machine alone, and runs on the Node that is here. */
const ofThisMachine = { HOST: '127.0.0.1', FLASH_ANY_NODE: '1' }

/** Nothing of this process but where programs are; an empty home keeps the user's own account key out. */
function environmentOf({ env }: WorkerOrder, { home, temporary }: WorkerFolder) {
  return { PATH: process.env.PATH ?? '', ...ofThisMachine, ...env, HOME: home, TMPDIR: temporary }
}

function spawned(command: string[], cwd: string, env: Record<string, string>): Promise<ChildProcess> {
  return new Promise((resolve, reject) => {
    const child = spawn(command[0]!, command.slice(1), {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      windowsHide: true,
    })
    child.once('error', reject)
    child.once('spawn', () => resolve(child))
  })
}

function follow(child: ChildProcess, folder: WorkerFolder, lines: WorkerLines): Running {
  const pid = child.pid!
  const kill = () => {
    signalGroup(pid, 'SIGKILL')
    killByHome(folder.home)
  }
  const forget = onExit(() => {
    kill()
    folder.remove()
  })
  const written = Promise.all([child.stdout!, child.stderr!].map((stream) => readLines(stream, lines)))
  const ended = new Promise<Exit>((resolve) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
  })
  const bury = async () => {
    await ended
    // As in a container, nothing outlives the first process.
    kill()
    await groupGone(pid)
    folder.remove()
    forget()
  }
  const tell = async () => {
    const exit = await ended
    await Promise.race([written, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))])
    lines.system(exit.signal ? `ended by ${exit.signal}` : `ended with exit code ${exit.code}`)
    return exit
  }
  return { pid, gone: bury(), exited: tell() }
}

function readLines(stream: NodeJS.ReadableStream, lines: WorkerLines): Promise<void> {
  const splitter = lines.stream()
  return new Promise((resolve) => {
    stream.on('data', (bytes: Buffer) => splitter.write(bytes))
    stream.once('close', () => {
      splitter.end()
      resolve()
    })
  })
}

/** Processes live in real time, whatever time the emulator has. */
async function end({ pid, exited, gone }: Running, graceMs: number): Promise<void> {
  let isGone = false
  const signal = (name: NodeJS.Signals) => void (isGone || signalGroup(pid, name))
  signal(graceMs > 0 ? 'SIGTERM' : 'SIGKILL')
  const withdraw = systemClock.after(graceMs, () => signal('SIGKILL'))
  await gone
  isGone = true
  withdraw()
  await exited
}
