import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as open,
  type ServerResponse,
} from 'node:http'
import type { Clock } from '@flash/protocol'
import type { Seat } from '../endpoints/types.ts'
import { type Answer, send } from '../http/answer.ts'
import type { takeDamage } from '../http/run.ts'
import { endToEnd, forBalancer, workerHeader } from './headers.ts'
import { type BalancedLimits, headBytes } from './limits.ts'
import { pass } from './pass.ts'
import { type Refusals, runpodRefusals } from './refuse.ts'

export interface Exchange {
  seat: Seat
  /** Path and query as the worker gets them. */
  path: string
  request: IncomingMessage
  response: ServerResponse
  clock: Clock
  limits: BalancedLimits
  /** The worker is one of ours, which closes no connection that idles: the next request may have it. */
  keepsConnections?: boolean
  /** Headers that pass neither way, in small letters. */
  without?: readonly string[]
  /** Headers of the answer where the worker's has none of that name, in small letters. */
  defaults?: Record<string, string>
  /** Runpod's when omitted. */
  refusals?: Refusals
  /** What a fault makes of the answer, asked once it has come. */
  damage?(): ReturnType<typeof takeDamage>
}

type Fail = (answer: Answer | Promise<Answer>) => void

/** A worker may close a connection that idles at any time; a request must not meet one that is just closing. */
const once = new Agent({ keepAlive: false })

/** Less than workers of ours keep connections, which close them earlier only when they end. */
const idleMs = 60_000

const kept = new Agent({ keepAlive: true, timeout: idleMs })

/** Passes a request to a worker and its answer back, as both come; resolves when nothing of it is left. */
export function forward(exchange: Exchange): Promise<void> {
  const { seat, path, request, response, clock, limits, refusals = runpodRefusals } = exchange
  return new Promise((resolve) => {
    const { method } = request
    const agent = exchange.keepsConnections ? kept : once
    const upstream = open(new URL(seat.url), {
      agent,
      path,
      method,
      headers: pairs(exchange),
      maxHeaderSize: headBytes,
    })
    const fail = createFail(exchange, upstream)
    const disarm = clock.after(limits.processingMs, () => fail(refusals.tooSlow(limits.processingMs)))
    response.once('close', () => {
      disarm()
      upstream.destroy()
      resolve()
    })
    upstream.on('error', ({ code }: NodeJS.ErrnoException) =>
      fail(
        code === 'HPE_HEADER_OVERFLOW' ? refusals.headTooLarge(seat, headBytes) : refusals.badGateway(seat),
      ),
    )
    upstream.once('response', (answer) => passBack(exchange, answer, fail))
    passOn(exchange, upstream, fail)
  })
}

/** What first went wrong is what is told. */
function createFail({ seat, response }: Exchange, upstream: ClientRequest): Fail {
  let hasFailed = false
  return (answer) => {
    if (hasFailed) return
    hasFailed = true
    upstream.destroy()
    void Promise.resolve(answer).then(({ headers, ...said }) => {
      if (response.headersSent) response.destroy()
      else send(response, { ...said, headers: { ...headers, [workerHeader]: seat.workerId } })
    })
  }
}

function pairs({ request, seat, without = [] }: Exchange): string[] {
  const headers = endToEnd(request.rawHeaders, [...forBalancer, ...without])
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked')
  if (request.headers.host === undefined) headers.push('Host', authorityOf(request) ?? new URL(seat.url).host)
  for (const [name, value] of Object.entries(seat.headers ?? {})) headers.push(name, value)
  return headers
}

function authorityOf({ headers }: IncomingMessage): string | undefined {
  return headers[':authority'] as string | undefined
}

function passOn(
  { request, limits, refusals = runpodRefusals }: Exchange,
  upstream: ClientRequest,
  fail: Fail,
): void {
  if (hasNoBody(request)) return void upstream.end()
  // The rest of what is too large is read and dropped, so that the caller gets to the answer.
  pass(request, upstream, {
    limitBytes: limits.bytes,
    onTooLarge: (size) => fail(refusals.tooLarge(limits.bytes, size)),
  })
}

/** In HTTP/2 only its end tells. */
function hasNoBody({ headers, httpVersionMajor }: IncomingMessage): boolean {
  const isEmpty = headers['content-length'] === undefined || headers['content-length'] === '0'
  return isEmpty && headers['transfer-encoding'] === undefined && httpVersionMajor < 2
}

function passBack(exchange: Exchange, answer: IncomingMessage, fail: Fail): void {
  const { request, response, limits, damage, refusals = runpodRefusals } = exchange
  const harm = damage?.()
  if (harm === 'lostResponse') return void answer.resume().once('close', () => response.destroy())
  const size = Number(answer.headers['content-length'] ?? 0)
  if (size > limits.bytes && request.method !== 'HEAD') return fail(refusals.tooLarge(limits.bytes, size))
  writeHead(exchange, answer)
  if (harm === 'truncatedBody') return truncate(answer, response)
  const breakOff = () => {
    if (!response.writableEnded) response.destroy()
  }
  pass(answer, response, { limitBytes: limits.bytes, onTooLarge: breakOff })
  answer.once('close', breakOff)
}

function writeHead(
  { seat, request, response, without = [], defaults = {} }: Exchange,
  answer: IncomingMessage,
): void {
  const headers = endToEnd(answer.rawHeaders, [workerHeader.toLowerCase(), ...without])
  for (const [name, value] of Object.entries(defaults))
    if (answer.headers[name] === undefined) headers.push(name, value)
  headers.push(workerHeader, seat.workerId)
  const status = answer.statusCode ?? 502
  // HTTP/2 has no such text.
  if (request.httpVersionMajor >= 2) response.writeHead(status, headers)
  else response.writeHead(status, answer.statusMessage, headers)
  // What streams slowly is seen from its first byte on; what is here already goes with it.
  setImmediate(() => {
    if (!response.writableEnded) response.flushHeaders()
  })
}

function truncate(answer: IncomingMessage, response: ServerResponse): void {
  answer.once('data', (chunk: Buffer) =>
    response.write(chunk.subarray(0, chunk.length >> 1), () => response.destroy()),
  )
  answer.once('end', () => response.destroy())
}
