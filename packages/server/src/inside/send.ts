import { AppError } from '@flash/protocol'
import type { BalancedRequest, SendBalanced } from '@flash/runtime/server'
import type { BackendRequest, RpcBackend } from '../backend.ts'
import { toAnsweredHeaders, toSentHeaders } from '../rpc/fetch-headers.ts'
import { toFetchTarget } from '../rpc/fetch-target.ts'
import { findBalanced, insideCaller } from './find.ts'

type RequestBackend = Pick<RpcBackend, 'find' | 'fetch'>

/**
 * The way of code in this process to load-balanced endpoints; `id`: of a route or a web app.
 *
 * Requests are checked as those of pages are. They go as they come and need no message around them, so that bodies stream
 * both ways.
 */
export function createInsideSend(open: () => RequestBackend): (id: string) => SendBalanced {
  return (id) => (request) => send(open(), id, request)
}

async function send(backend: RequestBackend, id: string, request: BalancedRequest): Promise<Response> {
  const found = await findBalanced(backend, id)
  const { method, path, query } = toFetchTarget(found, request)
  const body = await toBody(request.body, found.maxBodyBytes)
  const sent = backend.fetch(id, {
    method,
    path: `${path}${query}`,
    headers: toSentHeaders(request.headers, insideCaller),
    body: body.sent,
    signal: request.signal ?? new AbortController().signal,
    timeoutMs: request.timeoutMs,
    idempotencyKey: request.idempotencyKey,
  })
  // Whoever sends it can only tell that the body broke.
  const answer = await sent.catch((error) => Promise.reject(body.failure() ?? error))
  const { status, statusText } = answer
  return new Response(answer.body, {
    status,
    statusText,
    headers: toAnsweredHeaders(answer.headers, insideCaller),
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
