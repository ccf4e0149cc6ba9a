import { AppError, type Clock } from '@flash/protocol'
import type { FoundFunction, RpcBackend } from '../backend.ts'
import type { RpcCaller } from '../envelope.ts'
import type { Gate } from '../gate.ts'
import { isGone } from '../incoming.ts'
import { readMessage } from '../read-message.ts'
import { answerFetch } from './fetch-answer.ts'
import { type FetchEnvelope, parseFetch } from './fetch-envelope.ts'
import { toAnsweredHeaders, toSentHeaders } from './fetch-headers.ts'
import { type FetchTarget, toFetchTarget } from './fetch-target.ts'

export interface FetchContext {
  backend: RpcBackend
  gate: Gate
  clock: Clock
  keepAliveMs: number
  Response: typeof Response
  /** Makes an error for the caller of what the backend threw. */
  toError(error: unknown): AppError
}

/**
 * Passes a request of a stub on to a load-balanced endpoint, and its answer back as it comes. Nothing is kept: when the
 * caller leaves, the endpoint's request ends.
 *
 * - `id`: of a route or a web app, which the caller may reach.
 */
export async function fetchBalanced(
  context: FetchContext,
  request: Request,
  { id, found, caller }: { id: string; found: FoundFunction; caller: RpcCaller },
): Promise<Response> {
  const { gate, clock, keepAliveMs } = context
  const envelope = parseFetch(await readMessage(request, found.maxBodyBytes))
  const target = toFetchTarget(found, envelope)
  const { method, path } = target
  await gate.admit(request, { kind: 'fetch', id, endpoint: found.endpoint, method, path }, caller)
  if (isGone(request))
    throw new AppError('BAD_REQUEST', { message: 'the caller left before it was answered' })
  const stop = new AbortController()
  const leave = () => stop.abort()
  request.signal.addEventListener('abort', leave, { once: true })
  const answer = send(context, id, { envelope, target, caller, stop })
  return answerFetch(answer, {
    clock,
    keepAliveMs,
    Response: context.Response,
    toError: context.toError,
    signal: stop.signal,
    onLeave: leave,
    onEnd: () => request.signal.removeEventListener('abort', leave),
  })
}

interface Sending {
  envelope: FetchEnvelope
  target: FetchTarget
  caller: RpcCaller
  stop: AbortController
}

async function send(context: FetchContext, id: string, sending: Sending): Promise<Response> {
  const { envelope, target, caller, stop } = sending
  const { body, timeoutMs, idempotencyKey } = envelope
  const headers = toSentHeaders(envelope.headers, caller)
  if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey)
  const { method, path, query } = target
  const { signal } = stop
  const work = context.backend.fetch(id, {
    method,
    path: `${path}${query}`,
    headers,
    body,
    signal,
    timeoutMs,
    idempotencyKey,
  })
  const response = await limitTime(work, timeoutMs, context.clock, stop)
  const { status, statusText } = response
  return new Response(response.body, {
    status,
    statusText,
    headers: toAnsweredHeaders(response.headers, caller),
  })
}

/** Until the head of the answer is there; how long its body takes is up to whoever reads it. */
async function limitTime<T>(
  work: Promise<T>,
  ms: number | undefined,
  clock: Clock,
  stop: AbortController,
): Promise<T> {
  if (ms === undefined) return work
  let withdraw = () => {}
  const late = new Promise<never>((_, reject) => {
    withdraw = clock.after(ms, () => {
      reject(
        new AppError('TIMEOUT', {
          message: `the endpoint did not answer within ${ms} ms, and the request was cancelled`,
          hint: 'raise timeoutMs, or make the endpoint faster',
        }),
      )
      stop.abort()
    })
  })
  try {
    return await Promise.race([work, late])
  } finally {
    withdraw()
  }
}
