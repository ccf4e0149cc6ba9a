import {
  Agent,
  type ClientRequest,
  type IncomingMessage,
  type OutgoingHttpHeaders,
  request as open,
} from 'node:http'
import { Readable } from 'node:stream'
import { type BalancedLimits, headBytes, headTooLarge, type LocalSeat } from '@flash/emulator'
import { AppError, type Clock } from '@flash/protocol'
import { decodeAnswer } from '@flash/runtime/server'
import type { BackendRequest } from '../backend.ts'
import { toResponse } from './to-response.ts'

/** Workers of ours keep connections longer than that, and close them earlier only when they end. */
const agent = new Agent({ keepAlive: true, timeout: 60_000 })

interface SeatLimits {
  clock: Clock
  limits: Pick<BalancedLimits, 'bytes' | 'processingMs'>
}

/**
 * Sends a request to a worker of this machine, which is free again when the answer has been read, or left, or took too long.
 *
 * - throws `WORKER_CRASHED` with how it ended, `CONNECTION_LOST`, `TIMEOUT`, `PAYLOAD_TOO_LARGE`, and the signal's reason; reading
 *   the answer throws the same, and `TRANSPORT`.
 */
export async function fetchSeat(
  seat: LocalSeat,
  request: BackendRequest,
  { clock, limits }: SeatLimits,
): Promise<Response> {
  const limitMs = Math.min(limits.processingMs, seat.limitMs)
  const { signal } = request
  const stop = createStop()
  const leave = () => stop(signal.reason)
  const disarm = clock.after(limitMs, () => stop(seat.expire(limitMs)))
  const release = () => {
    disarm()
    signal.removeEventListener('abort', leave)
    seat.release()
  }
  signal.addEventListener('abort', leave, { once: true })
  if (signal.aborted) leave()
  try {
    const answer = await send(seat, request, stop)
    const response = decodeAnswer(toResponse(answer, request, limits.bytes))
    answer.once('close', release)
    return response
  } catch (error) {
    release()
    if (stop.why) throw stop.why.error
    if (error instanceof AppError) throw error
    if ((error as NodeJS.ErrnoException).code === 'HPE_HEADER_OVERFLOW')
      throw headTooLarge(seat.workerId, headBytes)
    throw (await seat.lost()) ?? connectionLost(seat, error)
  }
}

type Stoppable = ClientRequest | IncomingMessage

/** Ends whatever is under way, with the first reason. */
interface Stop {
  (error: unknown): void
  why?: { error: unknown }
  /** What is under way now. */
  of(stoppable: Stoppable): void
}

function createStop(): Stop {
  let current: Stoppable | undefined
  const end = ({ error }: { error: unknown }) =>
    current?.destroy(error instanceof Error ? error : new Error('the request was ended', { cause: error }))
  const stop: Stop = Object.assign(
    (error: unknown) => {
      stop.why ??= { error }
      end(stop.why)
    },
    {
      of(stoppable: Stoppable) {
        current = stoppable
        if (stop.why) end(stop.why)
      },
    },
  )
  return stop
}

function send(seat: LocalSeat, request: BackendRequest, stop: Stop): Promise<IncomingMessage> {
  const { method, path, body } = request
  return new Promise((resolve, reject) => {
    // The path is not read as an address: what begins with two slashes is one, too.
    const upstream = open(new URL(seat.url), {
      method,
      path,
      agent,
      headers: headersFor(seat, request),
      maxHeaderSize: headBytes,
    })
    stop.of(upstream)
    upstream.once('response', (answer) => {
      stop.of(answer)
      // Nobody wants the rest of what was answered before it was sent whole.
      answer.once('close', () => {
        if (!upstream.writableFinished) upstream.destroy()
      })
      resolve(answer)
    })
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

function connectionLost({ workerId }: LocalSeat, cause: unknown): AppError {
  return new AppError('CONNECTION_LOST', {
    message: `the worker ${workerId} closed the connection before it had answered`,
    hint: 'look at what it printed',
    cause,
  })
}
