import { type ChildProcess, spawn } from 'node:child_process'
import inspector from 'node:inspector'
import type { Duplex } from 'node:stream'
import { Worker } from 'node:worker_threads'
import { onExit } from '../exit.ts'

export type Isolation = 'process' | 'thread' | 'none'

export interface LaunchOptions {
  /** Absolute files of the published package: the program of a worker, and its in-process form. */
  entry: { program: string; inline: string }
  root: string
  env: Record<string, string>
  /** Start the worker with a debugger listening on a free port. */
  inspect: boolean
}

export interface Exit {
  code: number | null
  signal: string | null
  /** What the runtime said about it, for a thread that ended with an error. */
  reason?: string
}

/** A running worker as the dev server holds it: bytes in, bytes out, and an end. */
export interface Launched {
  pid: number | undefined
  send(bytes: Uint8Array): void
  onData(listener: (bytes: Uint8Array) => void): void
  onOutput(listener: (stream: 'stdout' | 'stderr', text: string) => void): void
  exited: Promise<Exit>
  kill(): void
}

export type Launch = (options: LaunchOptions) => Launched

export const launchers: Record<Isolation, Launch> = {
  process: launchProcess,
  thread: launchThread,
  none: launchInline,
}

const LAST_WORDS_MS = 500

/** Children of this process that still run; killed when it exits, however it exits. */
const running = new Set<ChildProcess>()

onExit(() => {
  for (const child of running) child.kill('SIGKILL')
})

function launchProcess({ entry, root, env, inspect }: LaunchOptions): Launched {
  const flags = inspect || inspector.url() ? ['--inspect=127.0.0.1:0'] : []
  const child = spawn(process.execPath, [...flags, entry.program], {
    cwd: root,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  running.add(child)
  const pipe = child.stdio[3] as Duplex
  // A worker that dies closes the pipe under a write; its exit tells the story.
  pipe.on('error', () => {})
  const exited = new Promise<Exit>((resolve) => {
    child.once('error', (error) => resolve({ code: null, signal: null, reason: error.message }))
    // The last words have arrived when the pipes close; a process that the worker started may keep them open.
    child.once('close', (code, signal) => resolve({ code, signal }))
    child.once('exit', (code, signal) => setTimeout(resolve, LAST_WORDS_MS, { code, signal }))
  })
  void exited.then(() => running.delete(child))
  return {
    pid: child.pid,
    send: inBatches(pipe),
    onData: (listener) => void pipe.on('data', listener),
    onOutput(listener) {
      child.stdout!.setEncoding('utf8').on('data', (text: string) => listener('stdout', text))
      child.stderr!.setEncoding('utf8').on('data', (text: string) => listener('stderr', text))
    },
    exited,
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Writes what is sent in one turn of the loop at once: under load a write costs more than a call's other work. */
function inBatches(pipe: Duplex): (bytes: Uint8Array) => void {
  let corked = false
  return (bytes) => {
    if (!corked) {
      corked = true
      pipe.cork()
      setImmediate(() => {
        corked = false
        pipe.uncork()
      })
    }
    pipe.write(bytes)
  }
}

function launchThread({ entry, env }: LaunchOptions): Launched {
  const worker = new Worker(entry.program, { env, stdout: true, stderr: true, workerData: { flash: true } })
  let reason: string | undefined
  worker.on('error', (error) => {
    reason = error instanceof Error ? (error.stack ?? error.message) : String(error)
  })
  const exited = new Promise<Exit>((resolve) =>
    worker.once('exit', (code) => resolve({ code, signal: null, reason })),
  )
  return {
    pid: undefined,
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
    send: (bytes) => worker.postMessage(bytes),
    onData: (listener) => void worker.on('message', listener),
    onOutput(listener) {
      worker.stdout.setEncoding('utf8').on('data', (text: string) => listener('stdout', text))
      worker.stderr.setEncoding('utf8').on('data', (text: string) => listener('stderr', text))
    },
    exited,
    kill: () => void worker.terminate(),
  }
}

/** The worker's program as the in-process launcher uses it. */
interface InlineProgram {
  serveInline(
    channel: {
      send(bytes: Uint8Array): void
      onData(listener: (bytes: Uint8Array) => void): void
      onClose(listener: () => void): void
    },
    options: { root: string; env: Record<string, string> },
  ): void
}

function launchInline({ entry, root, env }: LaunchOptions): Launched {
  let toWorker: ((bytes: Uint8Array) => void) | null = null
  let fromWorker: ((bytes: Uint8Array) => void) | null = null
  let onClose = () => {}
  const early: Uint8Array[] = []
  let exit: (exit: Exit) => void
  const exited = new Promise<Exit>((resolve) => (exit = resolve))
  const channel = {
    send: (bytes: Uint8Array) => queueMicrotask(() => fromWorker?.(bytes)),
    onData(listener: (bytes: Uint8Array) => void) {
      toWorker = listener
      // The listener is not ready before the call that passes it has returned.
      queueMicrotask(() => {
        for (const bytes of early.splice(0)) listener(bytes)
      })
    },
    onClose: (listener: () => void) => void (onClose = listener),
  }
  import(/* @vite-ignore */ entry.inline).then(
    (program: InlineProgram) => program.serveInline(channel, { root, env }),
    (error: Error) => exit({ code: 1, signal: null, reason: error.stack }),
  )
  return {
    pid: process.pid,
    send: (bytes) => queueMicrotask(() => (toWorker ? toWorker(bytes) : early.push(bytes))),
    onData: (listener) => void (fromWorker = listener),
    onOutput: () => {},
    exited,
    kill() {
      onClose()
      exit({ code: 0, signal: null })
    },
  }
}
