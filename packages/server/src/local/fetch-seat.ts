import { Agent, type IncomingMessage, type OutgoingHttpHeaders, request as open } from 'node:http'
import { Readable } from 'node:stream'
import type { LocalSeat } from '@flash/emulator'
import { AppError, type Clock } from '@flash/protocol'
import type { BackendRequest } from '../backend.ts'

/** As the balancer of this machine: a request must not meet a connection that is just closing. */
const agent = new Agent({ keepAlive: false })

/** How long a worker may take for a request, its answer included. */
interface SeatTime {
  clock: Clock
  processingMs: number
}

/**
 * Sends a request to a worker of this machine, which is free again when the answer has been read, or left, or took too long.
 *
 * - throws `WORKER_CRASHED` with how it ended, `CONNECTION_LOST`, `TIMEOUT`, and the signal's reason.
 */
export async function fetchSeat(
  seat: LocalSeat,
  request: BackendRequest,
  { clock, processingMs }: SeatTime,
): Promise<Response> {
  const late = new AbortController()
  const disarm = clock.after(processingMs, () => late.abort())
  const release = () => {
    disarm()
    seat.release()
  }
  let answer: IncomingMessage | undefined
  try {
    answer = await send(seat, request, AbortSignal.any([request.signal, late.signal]))
    answer.once('close', release)
    return toResponse(answer, request)
  } catch (error) {
    answer?.destroy()
    release()
    if (request.signal.aborted) throw request.signal.reason
    if (late.signal.aborted) throw tooSlow(seat, processingMs)
    throw (await seat.lost()) ?? connectionLost(seat, error)
  }
}

function send(seat: LocalSeat, request: BackendRequest, signal: AbortSignal): Promise<IncomingMessage> {
  const { method, path, body } = request
  return new Promise((resolve, reject) => {
    // The path is not read as an address: what begins with two slashes is one, too.
    const options = { method, path, agent, signal, headers: headersFor(seat, request) }
    const upstream = open(new URL(seat.url), options)
    upstream.once('response', resolve)
    upstream.on('error', reject)
    if (!(body instanceof ReadableStream)) return void upstream.end(body ?? undefined)
    const source = Readable.fromWeb(body as never)
    source.once('error', (error) => upstream.destroy(error))
    // Whoever gives the body is told that nobody wants the rest.
    upstream.once('close', () => source.destroy())
    source.pipe(upstream)
  })
}

function headersFor({ headers: own }: LocalSeat, request: BackendRequest): OutgoingHttpHeaders {
  const { headers, body, idempotencyKey } = request
  const length = body instanceof Uint8Array ? { 'content-length': body.byteLength } : {}
  const streamed = body instanceof ReadableStream ? { 'transfer-encoding': 'chunked' } : {}
  const key = idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }
  return { ...Object.fromEntries(headers), ...length, ...streamed, ...key, ...own }
}

const withoutBody = new Set([204, 205, 304])

function toResponse(answer: IncomingMessage, { method }: BackendRequest): Response {
  const headers = new Headers()
  for (let at = 0; at + 1 < answer.rawHeaders.length; at += 2)
    headers.append(answer.rawHeaders[at]!, answer.rawHeaders[at + 1]!)
  const status = answer.statusCode!
  const init = { status, statusText: answer.statusMessage, headers }
  if (method !== 'HEAD' && !withoutBody.has(status))
    return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, init)
  answer.resume()
  return new Response(null, init)
}

function connectionLost({ workerId }: LocalSeat, cause: unknown): AppError {
  return new AppError('CONNECTION_LOST', {
    message: `the worker ${workerId} closed the connection before it had answered`,
    hint: 'look at what it printed',
    cause,
  })
}

function tooSlow({ workerId }: LocalSeat, limitMs: number): AppError {
  return new AppError('TIMEOUT', {
    message: `the worker ${workerId} took longer than ${limitMs} ms, which is all that a request may take`,
    hint: 'answer sooner; longer work belongs to a function with a queue',
  })
}
