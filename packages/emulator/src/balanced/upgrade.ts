import { type IncomingMessage, request as open } from 'node:http'
import { type Duplex, pipeline } from 'node:stream'
import type { Clock } from '@flash/protocol'
import type { Seat } from '../endpoints/types.ts'
import type { Answer } from '../http/answer.ts'
import type { Caller } from './caller.ts'
import { endToEnd, forBalancer, workerHeader } from './headers.ts'
import type { BalancedLimits } from './limits.ts'
import { type Refusals, runpodRefusals } from './refuse.ts'

export interface UpgradeExchange {
  seat: Seat
  path: string
  request: IncomingMessage
  caller: Caller
  clock: Clock
  limits: BalancedLimits
  /** Headers that pass neither way, in small letters. */
  without?: readonly string[]
  /** Runpod's when omitted. */
  refusals?: Refusals
}

/** Joins a caller that asked for another protocol with a worker; resolves when either of them is gone. */
export function forwardUpgrade(exchange: UpgradeExchange): Promise<void> {
  const { seat, path, request, caller, clock, limits, without = [], refusals = runpodRefusals } = exchange
  const { socket, signal } = caller
  const own = [workerHeader, seat.workerId]
  return new Promise((resolve) => {
    const asked = endToEnd(request.rawHeaders, [...forBalancer, ...without])
    const headers = [...asked, ...switching(request), ...Object.entries(seat.headers ?? {}).flat()]
    const upstream = open(new URL(seat.url), { path, method: request.method, headers, agent: false, signal })
    let isAnswered = false
    const fail = (refusal: Answer) => {
      // What was begun can only be broken off.
      if (isAnswered) socket.destroy()
      else refuseUpgrade(socket, refusal)
    }
    const disarm = clock.after(limits.processingMs, () => {
      fail(refusals.tooSlow(limits.processingMs))
      upstream.destroy()
    })
    socket.once('close', () => {
      disarm()
      resolve()
    })
    upstream.on('error', async () => fail(await refusals.badGateway(seat)))
    upstream.once('upgrade', (answer, other, first) => {
      disarm()
      isAnswered = true
      const said = caller.release()
      writeHead(socket, answer, without, [...switching(answer), ...own])
      socket.write(first)
      other.write(said)
      join(socket, other)
    })
    // The worker does not want it, and says so with an ordinary answer.
    upstream.once('response', (answer) => {
      isAnswered = true
      writeHead(socket, answer, without, ['Connection', 'close', ...own])
      // Whoever does not end its side must not keep the worker, nor wait for an answer that broke off.
      pipeline(answer, socket, () => socket.destroy())
    })
    upstream.end()
  })
}

/** Of a message that has it. */
function switching({ headers }: IncomingMessage): string[] {
  return ['Connection', 'Upgrade', 'Upgrade', headers.upgrade!]
}

function join(one: Duplex, other: Duplex): void {
  for (const [from, to] of [
    [one, other],
    [other, one],
  ] as const) {
    from.on('error', () => to.destroy())
    from.once('close', () => to.destroy())
    from.pipe(to, { end: false })
    // Nobody goes on with half of such a connection: what was said is passed on, and both are done.
    from.once('end', () => to.end(() => from.destroy()))
  }
}

function writeHead(
  socket: Duplex,
  answer: IncomingMessage,
  without: readonly string[],
  more: string[],
): void {
  const headers = [...endToEnd(answer.rawHeaders, without), ...more]
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`]
  for (let at = 0; at < headers.length; at += 2) lines.push(`${headers[at]}: ${headers[at + 1]}`)
  // As they were read: each character is a byte.
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
}

/** An answer on a bare connection, which ends with it. */
export function refuseUpgrade(socket: Duplex, { status, body = '', headers = {} }: Answer): void {
  if (socket.writableEnded) return
  const all = {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...headers,
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  socket.end(`HTTP/1.1 ${status} Refused\r\n${lines.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy())
}
