import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  request as open,
  type ServerResponse,
} from 'node:http'
import { pipeline, Transform } from 'node:stream'
import type { Clock } from '@flash/protocol'
import type { Seat } from '../endpoints/types.ts'
import { type Answer, send } from '../http/answer.ts'
import type { takeDamage } from '../http/run.ts'
import { endToEnd, workerHeader } from './headers.ts'
import type { BalancedLimits } from './limits.ts'
import { badGateway, tooLarge, tooSlow } from './refuse.ts'

export interface Exchange {
  seat: Seat
  /** Path and query as the worker gets them. */
  path: string
  request: IncomingMessage
  response: ServerResponse
  clock: Clock
  limits: BalancedLimits
  /** What a fault makes of the answer, asked once it has come. */
  damage(): ReturnType<typeof takeDamage>
}

/** A worker may close a connection that idles at any time; a request must not meet one that is just closing. */
const agent = new Agent({ keepAlive: false })

/** Headers that are for the balancer and not for the worker: the key opens the account. */
const ours = ['authorization', 'expect', workerHeader.toLowerCase()]

/** Passes a request to a worker and its answer back, as both come; resolves when nothing of it is left. */
export function forward(exchange: Exchange): Promise<void> {
  const { seat, path, request, response, clock, limits } = exchange
  return new Promise((resolve) => {
    const upstream = open(new URL(seat.url), {
      agent,
      path,
      method: request.method,
      headers: pairs(request, seat),
    })
    const fail = (answer: Answer) => {
      upstream.destroy()
      if (response.headersSent) response.destroy()
      else send(response, { ...answer, headers: { [workerHeader]: seat.workerId } })
    }
    const disarm = clock.after(limits.processingMs, () => fail(tooSlow))
    response.once('close', () => {
      disarm()
      upstream.destroy()
      resolve()
    })
    upstream.on('error', () => fail(badGateway))
    upstream.once('response', (answer) => passBack(exchange, answer, fail))
    passOn(exchange, upstream, fail)
  })
}

function pairs(request: IncomingMessage, { url }: Seat): string[] {
  const headers = endToEnd(request.rawHeaders, ours)
  if (request.headers['transfer-encoding'] !== undefined) headers.push('Transfer-Encoding', 'chunked')
  if (request.headers.host === undefined) headers.push('Host', new URL(url).host)
  return headers
}

function passOn(
  { request, limits }: Exchange,
  upstream: ClientRequest,
  fail: (answer: Answer) => void,
): void {
  pipeline(request, limitTo(limits.bytes), upstream, (error) => {
    if (error instanceof TooLarge) {
      // The rest is read and dropped, so that the caller gets to the answer.
      request.resume()
      fail(tooLarge(limits.bytes))
    }
  })
}

function passBack(
  { seat, request, response, limits, damage }: Exchange,
  answer: IncomingMessage,
  fail: (answer: Answer) => void,
): void {
  const harm = damage()
  if (harm === 'lostResponse') return void answer.resume().once('close', () => response.destroy())
  if (Number(answer.headers['content-length'] ?? 0) > limits.bytes && request.method !== 'HEAD')
    return fail(tooLarge(limits.bytes))
  const headers = [...endToEnd(answer.rawHeaders, [workerHeader.toLowerCase()]), workerHeader, seat.workerId]
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headers)
  // What streams slowly is seen from its first byte on.
  response.flushHeaders()
  if (harm === 'truncatedBody') return truncate(answer, response)
  pipeline(answer, limitTo(limits.bytes), response, (error) => {
    if (error) response.destroy()
  })
}

function truncate(answer: IncomingMessage, response: ServerResponse): void {
  answer.once('data', (chunk: Buffer) =>
    response.write(chunk.subarray(0, chunk.length >> 1), () => response.destroy()),
  )
  answer.once('end', () => response.destroy())
}

class TooLarge extends Error {
  override name = 'TooLarge'
}

function limitTo(bytes: number): Transform {
  let size = 0
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      done(size > bytes ? new TooLarge(`more than ${bytes} bytes`) : null, chunk)
    },
  })
}
