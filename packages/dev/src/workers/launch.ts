import inspector from 'node:inspector'
import { Worker } from 'node:worker_threads'
import { type Exit, type Launched, launchProcess } from '@flash/emulator'

export type Isolation = 'process' | 'thread' | 'none'

export interface LaunchOptions {
  /** Absolute files of the published package: the program of a worker, and its in-process form. */
  entry: { program: string; inline: string }
  root: string
  env: Record<string, string>
  /** Start the worker with a debugger listening on a free port. */
  inspect: boolean
}

type Launch = (options: LaunchOptions) => Launched

export const launchers: Record<Isolation, Launch> = {
  process: launchChild,
  thread: launchThread,
  none: launchInline,
}

function launchChild({ entry, root, env, inspect }: LaunchOptions): Launched {
  const flags = inspect || inspector.url() ? ['--inspect=127.0.0.1:0'] : []
  return launchProcess({ program: entry.program, flags, cwd: root, env })
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
    hold: (isNeeded) => (isNeeded ? worker.ref() : worker.unref()),
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
    hold() {},
    kill() {
      onClose()
      exit({ code: 0, signal: null })
    },
  }
}
