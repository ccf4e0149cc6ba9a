import { type IncomingMessage, request as openPlain } from 'node:http'
import { request as openSecured } from 'node:https'
import type { Duplex } from 'node:stream'
import { AppError, type Clock } from '@flash/protocol'
import type { BackendSeat, FoundFunction, RefusedUpgrade } from '../backend.ts'
import type { Waiting } from './attend.ts'
import type { FetchTarget } from './fetch-target.ts'
import { toRpcRefusal } from './socket-refusal.ts'
import { PROTOCOL, toSocketUrl } from './socket-url.ts'

/** A platform waits two minutes for a worker to be there. */
const openMs = 150_000

/** How much of a refusal is read. */
const refusalCharacters = 65_536

export interface JoinOptions {
  incoming: IncomingMessage
  socket: Duplex
  waiting: Waiting
  seat: BackendSeat
  target: FetchTarget
  /** Of what answers. */
  kind: FoundFunction['kind']
  /** What the endpoint is offered. */
  protocols: string[]
  clock: Clock
}

/**
 * Opens a WebSocket at an endpoint and joins it with the caller's; resolves when both are closed.
 *
 * - throws `HTTP_ERROR`, of which a `ProgramRefusal` is meant for the caller, `TRANSPORT`, `TIMEOUT`, what the platform says, as long
 *   as nothing was said to the caller.
 */
export async function joinWebSocket(options: JoinOptions): Promise<void> {
  const { socket, waiting } = options
  const { answer, other, first } = await open(options)
  const closed = new Promise<void>((resolve) => {
    socket.once('close', resolve)
    if (socket.destroyed) resolve()
  })
  const said = waiting.release()
  writeHead(socket, answer)
  if (first.length > 0) socket.write(first)
  if (said.length > 0) other.write(said)
  join(socket, other)
  await closed
}

interface Opened {
  answer: IncomingMessage
  other: Duplex
  first: Buffer
}

function open({ incoming, waiting, seat, target, kind, protocols, clock }: JoinOptions): Promise<Opened> {
  const url = new URL(toSocketUrl(seat, target))
  const offered = seat.isRelay ? [PROTOCOL, ...protocols] : protocols
  const headers = { ...handshake(incoming, offered), ...seat.headers }
  const send = url.protocol === 'https:' ? openSecured : openPlain
  return new Promise((resolve, reject) => {
    const { signal } = waiting
    const upstream = send(url, { method: 'GET', headers, agent: false, signal })
    const withdraw = clock.after(openMs, () => {
      reject(tooSlow())
      upstream.destroy()
    })
    upstream.on('error', (cause) => {
      withdraw()
      reject(notReached(cause))
    })
    upstream.once('response', (answer) => {
      void readRefusal(answer).then((refused) => {
        withdraw()
        reject(toRpcRefusal(seat, refused, kind))
        upstream.destroy()
      })
    })
    upstream.once('upgrade', (answer, other, first) => {
      withdraw()
      if (choosesAny(answer, protocols)) return resolve({ answer, other, first })
      reject(noneChosen(protocols))
      other.destroy()
    })
    upstream.end()
  })
}

async function readRefusal(answer: IncomingMessage): Promise<RefusedUpgrade> {
  const headers = new Headers()
  for (const [name, value] of Object.entries(answer.headers)) headers.set(name, String(value))
  const decoder = new TextDecoder()
  let text = ''
  try {
    for await (const chunk of answer) {
      text += decoder.decode(chunk, { stream: true })
      if (text.length > refusalCharacters) break
    }
  } catch {
    // The status says enough.
  }
  return { status: answer.statusCode!, headers, text }
}

/** As browsers have it: whoever asks for some gets one of them. */
function choosesAny({ headers }: IncomingMessage, protocols: string[]): boolean {
  return protocols.length === 0 || protocols.includes(headers['sec-websocket-protocol'] ?? '')
}

/** The caller's own handshake, since what follows it is passed on as it comes. Nothing else of its headers travels. */
function handshake({ headers }: IncomingMessage, protocols: string[]): Record<string, string> {
  const names = ['sec-websocket-key', 'sec-websocket-version', 'sec-websocket-extensions'] as const
  const own = names.map((name) => [name, headers[name]]).filter(([, value]) => typeof value === 'string')
  return {
    connection: 'Upgrade',
    upgrade: 'websocket',
    ...Object.fromEntries(own),
    ...(protocols.length > 0 && { 'sec-websocket-protocol': protocols.join(', ') }),
  }
}

function writeHead(socket: Duplex, { headers }: IncomingMessage): void {
  const lines = ['HTTP/1.1 101 Switching Protocols', 'connection: Upgrade', 'upgrade: websocket']
  for (const name of ['sec-websocket-accept', 'sec-websocket-extensions'] as const)
    if (headers[name] !== undefined) lines.push(`${name}: ${headers[name]}`)
  lines.push(`sec-websocket-protocol: ${headers['sec-websocket-protocol'] ?? PROTOCOL}`)
  // As they were read: each character is a byte.
  socket.write(`${lines.join('\r\n')}\r\n\r\n`, 'latin1')
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
    if (from.destroyed) to.destroy()
  }
}

function noneChosen(protocols: string[]): AppError {
  return new AppError('TRANSPORT', {
    message: `the endpoint speaks none of the subprotocols that were asked for: ${protocols.join(', ')}`,
    hint: 'let `upgrade` of its hooks answer with the header `sec-websocket-protocol`, or ask for none',
  })
}

function notReached(cause: Error): AppError {
  return new AppError('TRANSPORT', {
    message: 'the endpoint could not be reached for a WebSocket',
    hint: 'look whether its address can be reached from here',
    cause,
  })
}

function tooSlow(): AppError {
  return new AppError('TIMEOUT', {
    message: `the endpoint did not open the WebSocket within ${openMs} ms`,
    hint: 'try again, or give the endpoint a minimum of workers',
  })
}
