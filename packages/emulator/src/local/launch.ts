import { type ChildProcess, spawn } from 'node:child_process'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { onExit } from '../exit.ts'

export interface ProcessOptions {
  /** Absolute file of the program; it finds the channel at file descriptor 3. */
  program: string
  /** For Node, before the program. */
  flags?: string[]
  cwd: string
  env: Record<string, string>
}

export interface Exit {
  /** `null` when the process could not be started, or was ended by a signal. */
  code: number | null
  signal: string | null
  /** What the runtime said about it, where no output does. */
  reason?: string
}

/** A running worker as its host holds it: bytes in, bytes out, and an end. */
export interface Launched {
  pid: number | undefined
  send(bytes: Uint8Array): void
  onData(listener: (bytes: Uint8Array) => void): void
  onOutput(listener: (stream: 'stdout' | 'stderr', text: string) => void): void
  exited: Promise<Exit>
  /** Whether this process waits for the worker: an idle one keeps nobody from ending. */
  hold(isNeeded: boolean): void
  kill(): void
}

const LAST_WORDS_MS = 500

/** Children of this process that still run; killed when it exits, however it exits. */
const running = new Set<ChildProcess>()
let forget: (() => void) | null = null

/** Starts a worker as a process of its own. */
export function launchProcess({ program, flags = [], cwd, env }: ProcessOptions): Launched {
  const child = spawn(process.execPath, [...flags, program], {
    cwd,
    env,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    windowsHide: true,
  })
  keep(child)
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
    hold: (isNeeded) => holdChild(child, isNeeded),
    kill: () => void child.kill('SIGKILL'),
  }
}

/** Pipes of a child are sockets, and hold the process like the child itself. */
function holdChild(child: ChildProcess, isNeeded: boolean): void {
  const how = isNeeded ? 'ref' : 'unref'
  child[how]()
  for (const pipe of [child.stdout, child.stderr, child.stdio[3]]) (pipe as Socket | null)?.[how]()
}

function keep(child: ChildProcess): void {
  running.add(child)
  forget ??= onExit(() => {
    for (const one of running) one.kill('SIGKILL')
  })
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
