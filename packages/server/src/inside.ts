import { AppError, isBalanced } from '@flash/protocol'
import {
  type BalancedRequest,
  type ConnectBalanced,
  openRemoteSocket,
  type SendBalanced,
} from '@flash/runtime/server'
import type { BackendRequest, FoundFunction, RpcBackend } from './backend.ts'
import type { RpcCaller } from './envelope.ts'
import { toAnsweredHeaders, toSentHeaders } from './rpc/fetch-headers.ts'
import { toFetchTarget } from './rpc/fetch-target.ts'
import { PROTOCOL, toSocketUrl } from './rpc/socket-url.ts'
import { unknownFunction } from './target.ts'
import { noWebSockets } from './upgrade.ts'

/** The way of server code to load-balanced endpoints. */
export interface Inside {
  /** - `id`: of a route or a web app. */
  send(id: string): SendBalanced
  connect(id: string): ConnectBalanced
}

const server: RpcCaller = { kind: 'server', subject: null }

/**
 * Requests of this process to a backend, checked as those of pages are. They go as they come and need no message around
 * them, so that bodies stream both ways.
 */
export function createInside(open: () => RpcBackend): Inside {
  return {
    send: (id) => (request) => send(open(), id, request),
    connect: (id) => (request) => connect(open(), id, request),
  }
}

async function send(backend: RpcBackend, id: string, request: BalancedRequest): Promise<Response> {
  const found = await findBalanced(backend, id)
  const { method, path, query } = toFetchTarget(found, request)
  const body = await toBody(request.body, found.maxBodyBytes)
  const sent = backend.fetch(id, {
    method,
    path: `${path}${query}`,
    headers: toSentHeaders(request.headers, server),
    body: body.sent,
    signal: request.signal ?? new AbortController().signal,
    timeoutMs: request.timeoutMs,
    idempotencyKey: request.idempotencyKey,
  })
  // Whoever sends it can only tell that the body broke.
  const answer = await sent.catch((error) => Promise.reject(body.failure() ?? error))
  const { status, statusText } = answer
  return new Response(answer.body, { status, statusText, headers: toAnsweredHeaders(answer.headers, server) })
}

async function connect(
  backend: RpcBackend,
  id: string,
  { path: asked, protocols, signal }: Parameters<ConnectBalanced>[0],
): Promise<WebSocket> {
  const found = await findBalanced(backend, id)
  const target = toFetchTarget(found, { method: 'WS', path: asked })
  if (!backend.seat) throw noWebSockets()
  const seat = await backend.seat(id, signal ?? new AbortController().signal)
  try {
    const { headers } = seat
    const socket = await openRemoteSocket(toSocketUrl(seat, target), {
      protocols: seat.isRelay ? [PROTOCOL, ...protocols] : protocols,
      headers,
      signal,
    })
    socket.addEventListener('close', seat.release, { once: true })
    return socket
  } catch (error) {
    seat.release()
    throw error
  }
}

async function findBalanced(backend: RpcBackend, id: string): Promise<FoundFunction> {
  const found = await backend.find(id)
  if (!found) throw unknownFunction(id)
  if (found.kind && isBalanced({ kind: found.kind })) return found
  throw new AppError('BAD_REQUEST', {
    message: 'a function with a queue takes no requests',
    hint: 'call it as the function that it is',
  })
}

/** A body on its way out, and why it went no further. */
interface SentBody {
  sent: BackendRequest['body']
  failure(): AppError | undefined
}

/** What is whole is measured before it is sent, and a stream while it is. */
async function toBody(body: BalancedRequest['body'], limit: number): Promise<SentBody> {
  let failure: AppError | undefined
  if (body instanceof ReadableStream) {
    let size = 0
    const counter = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        size += chunk.byteLength
        if (size <= limit) return controller.enqueue(chunk)
        failure = tooLarge(`${size} bytes or more`, limit)
        controller.error(failure)
      },
    })
    return { sent: body.pipeThrough(counter), failure: () => failure }
  }
  const size = body instanceof Blob ? body.size : (body?.byteLength ?? 0)
  if (size > limit) throw tooLarge(`${size} bytes`, limit)
  return {
    sent: body instanceof Blob ? new Uint8Array(await body.arrayBuffer()) : body,
    failure: () => undefined,
  }
}

function tooLarge(size: string, limit: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body has ${size}, ${limit} are allowed`,
    hint: 'send less at a time, or put large data in a volume and send where it is',
  })
}
