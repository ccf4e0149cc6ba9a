import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'
import { problemBody, problemHeaders, toProblem } from './problem.ts'

/** Whether a request wants a WebSocket, where the host passes that on as any other request. */
export function isWebSocket({ headers }: Request): boolean {
  return /(?:^|,)\s*websocket\s*(?:,|$)/i.test(headers.get('upgrade') ?? '')
}

export function noWebSockets(): AppError {
  return new AppError('WEBSOCKET_UNSUPPORTED', {
    message: 'this server opens no WebSockets',
    hint: 'call the function through its stub',
  })
}

/** Says that nothing upgrades here, and closes: what nobody answers would stay open. */
export function refuseUpgrade(socket: Duplex): void {
  const problem = toProblem(noWebSockets())
  const body = problemBody(problem)
  const headers = { ...problemHeaders, 'content-length': Buffer.byteLength(body), connection: 'close' }
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  // Whoever asked may be gone already.
  socket.on('error', () => socket.destroy())
  socket.end(`HTTP/1.1 426 Upgrade Required\r\n${lines.join('')}\r\n${body}`)
}
