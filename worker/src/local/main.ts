import { writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { isMainThread, parentPort } from 'node:worker_threads'
import type { Channel } from './channel.ts'
import { createRunnerLoader } from './runner.ts'
import { serveChannel } from './serve.ts'
import { watchParent } from './watchdog.ts'

/** The end of the pipe that the dev server holds by its other end. */
const PIPE = 3

if (isMainThread) serveProcess()
else serveThread()

function serveProcess(): void {
  const socket = new Socket({ fd: PIPE, readable: true, writable: true })
  // An error on the pipe is always followed by its close.
  socket.on('error', () => {})
  // Ctrl+C reaches every process of the terminal; the dev server decides what becomes of its workers.
  process.on('SIGINT', () => {})
  process.on('uncaughtException', (error) => {
    writeSync(2, `${inspect(error)}\n`)
    process.exit(1)
  })
  watchParent()
  serveChannel(
    {
      send: (bytes) => void socket.write(bytes),
      onData: (listener) => void socket.on('data', listener),
      onClose: (listener) => void socket.on('close', listener),
      waiting: () => socket.writableLength,
    },
    createRunnerLoader,
  )
  // Nobody is left to work for, and whatever a function still does must not outlive the dev server.
  socket.on('end', () => process.exit(0))
  socket.on('close', () => process.exit(0))
}

function serveThread(): void {
  const port = parentPort!
  const channel: Channel = {
    send: (bytes) => port.postMessage(bytes, [bytes.buffer]),
    onData: (listener) => void port.on('message', listener),
    onClose: (listener) => void port.on('close', listener),
  }
  serveChannel(channel, createRunnerLoader)
}
