import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectEngine } from '@flash/emulator/launchers'

const START_MS = 60_000
const LOOK_MS = 200
const LOG_LINES = 5

export interface DockerEngine {
  /** Ends the engine when it was started here, with all that it has. */
  close(): Promise<void>
}

/**
 * A Docker engine that answers, named by `DOCKER_HOST` while it is open: the one of this machine, or one that is started.
 *
 * - returns why there is none, in one line; throws that where nothing may be left out.
 */
export async function openDocker(): Promise<DockerEngine | string> {
  if (await answers()) return { close: async () => {} }
  const started = await startEngine()
  if (typeof started !== 'string') return started
  const problem = `Containers are not tested: ${started}`
  if (process.env.FLASH_TESTS === 'all') throw new Error(problem)
  return problem
}

async function answers(): Promise<boolean> {
  return connectEngine().then(
    () => true,
    () => false,
  )
}

async function startEngine(): Promise<DockerEngine | string> {
  if (process.getuid?.() !== 0) return 'no Docker engine answers, and only root may start one'
  if (spawnSync('dockerd', ['--version']).status !== 0)
    return 'no Docker engine answers, and dockerd is not installed'
  const folder = mkdtempSync(join(tmpdir(), 'flash-docker-'))
  const before = process.env.DOCKER_HOST
  process.env.DOCKER_HOST = `unix://${join(folder, 'docker.sock')}`
  for (const storage of [[], ['--storage-driver=vfs']]) {
    const engine = startDaemon(folder, storage)
    if (await engine.isUp()) {
      return {
        async close() {
          await engine.end()
          restore(before)
          removeFolder(folder)
        },
      }
    }
    await engine.end()
  }
  restore(before)
  const log = readFileSync(join(folder, 'log'), 'utf8').trim().split('\n').slice(-LOG_LINES).join(' | ')
  removeFolder(folder)
  return `dockerd does not start: ${log}`
}

function startDaemon(folder: string, more: string[]) {
  const log = openSync(join(folder, 'log'), 'a')
  const options = {
    'data-root': join(folder, 'data'),
    'exec-root': join(folder, 'exec'),
    pidfile: join(folder, 'pid'),
    host: process.env.DOCKER_HOST!,
  }
  const args = Object.entries(options).map(([name, value]) => `--${name}=${value}`)
  // Without address translation containers still reach this machine, and it them.
  if (spawnSync('iptables', ['-t', 'nat', '-L']).status !== 0)
    args.push('--iptables=false', '--ip-masq=false')
  const child = spawn('dockerd', [...args, ...more], { stdio: ['ignore', log, log] })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  return { isUp: () => isUp(child), end: () => end(child, ended) }
}

async function isUp(child: ChildProcess): Promise<boolean> {
  const until = Date.now() + START_MS
  while (child.exitCode === null && child.signalCode === null && Date.now() < until) {
    if (await answers()) return true
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
  }
  return false
}

async function end(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  child.kill()
  await ended
}

/** An engine that ends leaves namespaces of the network mounted. */
function removeFolder(folder: string): void {
  const mounted = readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
  for (const path of mounted) if (path.startsWith(`${folder}/`)) spawnSync('umount', ['--lazy', path])
  rmSync(folder, { recursive: true, force: true })
}

function restore(host: string | undefined): void {
  if (host === undefined) delete process.env.DOCKER_HOST
  else process.env.DOCKER_HOST = host
}
