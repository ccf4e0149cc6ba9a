import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { serveChannel, type ServeOptions } from './serve.ts'
import type { CreateLoader } from './session.ts'
import { watchParent } from './watchdog.ts'

/** Where a worker that is a process finds the pipe that its host holds by the other end. */
export const PIPE = 3

/** Serves calls over a pipe. The process ends with it. */
export function servePipe(descriptor: number, createLoader: CreateLoader, options: ServeOptions = {}): void {
  const socket = new Socket({ fd: descriptor, readable: true, writable: true })
  // An error on the pipe is always followed by its close.
  socket.on('error', () => {})
  // Ctrl+C reaches every process of the terminal; the host decides what becomes of its workers.
  process.on('SIGINT', () => {})
  watchParent()
  serveChannel(
    {
      send: (bytes) => void socket.write(bytes),
      onData: (listener) => void socket.on('data', listener),
      onClose: (listener) => void socket.on('close', listener),
      waiting: () => socket.writableLength,
    },
    createLoader,
    options,
  )
  // Nobody is left to work for, and whatever a function still does must not outlive the host.
  socket.on('end', () => process.exit(0))
  socket.on('close', () => process.exit(0))
}

/** Ends a worker by an error that nobody caught; the host passes on what it says. */
export function crash(error: unknown): never {
  writeSync(2, `${inspect(error)}\n`)
  process.exit(1)
}
