import { AppError, type Clock } from '@flash/protocol'
import { type Chain, fromChainHeaders, limitChain, toChainHeaders } from '@flash/runtime/server'
import type { BackendRequest, FoundFunction, RpcBackend } from '../backend.ts'
import type { RpcCaller } from '../envelope.ts'
import type { Gate } from '../gate.ts'
import { isGone } from '../incoming.ts'
import { answerFetch } from './fetch-answer.ts'
import type { FetchEnvelope } from './fetch-envelope.ts'
import { toAnsweredHeaders, toSentHeaders } from './fetch-headers.ts'
import { type FetchTarget, toFetchTarget } from './fetch-target.ts'
import { readFetch } from './read-fetch.ts'

export interface FetchContext {
  backend: Pick<RpcBackend, 'fetch'>
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
  const read = await readFetch(request, found.maxBodyBytes, async (envelope) => {
    const target = toFetchTarget(found, envelope)
    const { method, path } = target
    await gate.admit(request, { kind: 'fetch', id, endpoint: found.endpoint, method, path }, caller)
    return target
  })
  if (isGone(request))
    throw new AppError('BAD_REQUEST', { message: 'the caller left before it was answered' })
  const stop = new AbortController()
  const leave = () => stop.abort()
  request.signal.addEventListener('abort', leave, { once: true })
  const chain = caller.kind === 'server' ? fromChainHeaders(request.headers) : {}
  const { envelope, body, judged: target } = read
  const cookie = found.route?.local ? request.headers.get('cookie') : null
  const answer = send(context, id, { envelope, body, target, caller, chain, stop, cookie })
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
  body: BackendRequest['body']
  target: FetchTarget
  caller: RpcCaller
  /** Of calls that led to this one. */
  chain: Chain
  stop: AbortController
  /** What the page keeps for this server, for a route that runs in it. */
  cookie: string | null
}

async function send(context: FetchContext, id: string, sending: Sending): Promise<Response> {
  const { envelope, body, target, caller, chain, stop, cookie } = sending
  const { timeoutMs, idempotencyKey } = envelope
  const headers = toSentHeaders(envelope.headers, caller)
  const handedOn =
    chain.hops === undefined ? {} : toChainHeaders(limitChain(chain, timeoutMs, context.clock.now()))
  for (const [name, value] of Object.entries(handedOn)) headers.set(name, value)
  if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey)
  if (cookie !== null) headers.set('cookie', cookie)
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
