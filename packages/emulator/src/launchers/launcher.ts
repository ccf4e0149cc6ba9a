import type { Exit } from '../local/launch.ts'

/** What a launcher is asked to start: one worker of one endpoint. */
export interface WorkerOrder {
  endpointId: string
  /** The endpoint's name, for messages and for finding its program. */
  endpoint: string
  workerId: string
  kind: 'queue' | 'balanced'
  image: string
  /** The start command of the template, as a shell reads it; empty for the image's own. */
  args: string
  /** All variables of the worker, the platform's included. */
  env: Record<string, string>
  /** Files and folders of this machine that the worker sees, read-only unless `writable`. */
  mounts: { source: string; target: string; writable?: boolean }[]
  limits: { memoryBytes?: number; cpus?: number }
  /** How many GPUs the endpoint has; 0 when omitted. */
  gpuCount?: number
  registryAuth?: { username: string; password: string }
}

/** One line that a worker, or the platform about it, wrote. */
export interface WorkerLine {
  source: 'container' | 'system'
  text: string
}

/** A worker that was started, as the emulator holds it. */
export interface LaunchedWorker {
  /** Where the HTTP port of a balanced worker is reached, `http://127.0.0.1:41234`; `null` for one on a queue. Rejects when it never starts. */
  address: Promise<string | null>
  /** Where its health is asked for, when that is another port. */
  healthAddress?: Promise<string | null>
  onLine(listener: (line: WorkerLine) => void): void
  exited: Promise<Exit>
  /** SIGTERM, then after `graceMs` SIGKILL, for the whole tree; resolves when nothing of it is left. */
  stop(graceMs: number): Promise<void>
}

/** Starts workers one way: as processes, as containers, or by waiting for one that somebody starts by hand. */
export interface Launcher {
  readonly name: 'process' | 'docker' | 'external'
  /** Never throws: what goes wrong is told in lines, and in `exited`. */
  start(order: WorkerOrder): LaunchedWorker
  /** How workers of this launcher reach a server that listens on the given loopback URL. */
  reachable(url: string): string | Promise<string>
  /** Ends everything that is left, also of an emulator that crashed before. */
  close(): Promise<void>
}
