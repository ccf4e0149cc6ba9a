import { isMainThread, parentPort } from 'node:worker_threads'
import type { Channel } from './channel.ts'
import { crash, PIPE, servePipe } from './pipe.ts'
import { createRunnerLoader } from './runner.ts'
import { serveChannel } from './serve.ts'

if (isMainThread) serveProcess()
else serveThread()

function serveProcess(): void {
  process.on('uncaughtException', crash)
  servePipe(PIPE, createRunnerLoader)
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
