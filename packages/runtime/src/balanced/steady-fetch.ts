import { AppError, type Clock, redact, RemoteError } from '@flash/protocol'
import type { Balancer } from '../balance/balancer.ts'
import type { Breaker } from '../breaker.ts'
import { connectionLost } from '../failure.ts'
import { createGuard, type Guard } from '../guard.ts'
import { codeOf, unsentCodes } from '../send/exchange.ts'
import type { QueueAddress } from '../send/types.ts'
import { findCodingError, findCodings } from './codings.ts'
import { endToEnd } from './headers.ts'
import { mayRepeat, PassingAnswer, toPassing } from './passing.ts'
import type { BalancedRequest } from './types.ts'
import { watchBody } from './watch-body.ts'

/** What requests share with the calls of queues. */
export interface SteadyParts {
  fetch: typeof fetch
  clock: Clock
  balancer: Balancer
  /** Whether an address is spared. */
  isOpen(address: QueueAddress): boolean
  breakerOf(address: QueueAddress): Breaker | undefined
  /** Counts one request to an address, and its outcome. */
  count<T>(address: QueueAddress, work: () => Promise<T>): Promise<T>
  /** Does it again while `mayRepeat` says so. */
  persist<T>(
    work: () => Promise<T>,
    how: { endpoint: string; deadline?: number; mayRepeat(error: unknown): boolean },
  ): Promise<T>
}

/** One request, over as many tries as it takes. */
interface Sending {
  parts: SteadyParts
  request: BalancedRequest
  guard: Guard
  /** Aborted without the reason: `fetch` writes to errors that it is given as one. */
  abort: AbortController
}

/** See `Steady.fetch`. */
export async function steadyFetch(
  parts: SteadyParts,
  addresses: readonly QueueAddress[],
  request: BalancedRequest,
): Promise<Response> {
  const { clock } = parts
  const abort = new AbortController()
  const guard = createGuard(request, clock, () => abort.abort())
  const { timeoutMs } = request
  const sending = { parts, request, guard, abort }
  try {
    guard.check()
    return await guard.race(
      parts.persist(createTries(sending, addresses), {
        endpoint: addresses[0]!.endpoint,
        deadline: timeoutMs === undefined ? undefined : clock.now() + timeoutMs,
        mayRepeat: (error) => mayRepeat(request, error),
      }),
    )
  } catch (error) {
    const last = findAnswer(error)
    if (!last) throw toOwn(error)
    return last
  } finally {
    guard.end()
  }
}

/** Each try goes to an address that this request has not been at, as long as there is one. */
function createTries(sending: Sending, addresses: readonly QueueAddress[]): () => Promise<Response> {
  const { parts, guard } = sending
  let left = addresses
  let passing: Response | undefined
  return async () => {
    // Only the last one can be the answer.
    passing?.body?.cancel().catch(() => {})
    passing = undefined
    for (;;) {
      guard.check()
      if (left.length === 0) left = addresses
      const address = parts.balancer.choose(left, parts.isOpen)
      left = left.filter((other) => other !== address)
      try {
        return await tryOnce(sending, address)
      } catch (error) {
        if (error instanceof PassingAnswer) passing = error.response
        // Others may be well, and nothing was sent.
        if ((error as AppError | null)?.code !== 'CIRCUIT_OPEN' || left.length === 0) throw error
      }
    }
  }
}

async function tryOnce(sending: Sending, address: QueueAddress): Promise<Response> {
  const { parts, guard } = sending
  const init = toInit(sending, address)
  const breaker = parts.breakerOf(address)
  const once = () =>
    parts.count(address, async () => {
      const leave = parts.balancer.enter(address)
      sending.abort.signal.addEventListener('abort', leave, { once: true })
      try {
        const given = await parts
          .fetch(`${address.url}${sending.request.path}`, init)
          .catch((cause: unknown) => Promise.reject(noAnswer(sending.request, address, cause)))
        const response = toAnswer(sending, given, leave)
        const passing = toPassing(nameOf(address), response, parts.clock)
        if (passing) throw passing
        return response
      } catch (error) {
        if (!(error instanceof PassingAnswer)) leave()
        guard.check()
        throw error
      }
    })
  return breaker ? breaker.run(once) : once()
}

function toInit({ request, abort }: Sending, { headers = {}, key }: QueueAddress): RequestInit {
  const { method, body } = request
  const sent = endToEnd(request.headers)
  if (key !== undefined && sent.has('authorization')) {
    throw new AppError('BAD_REQUEST', {
      message: 'the header "authorization" is the platform\'s, which takes the key of the account there',
      hint: 'give yours another name, such as `x-api-key`',
    })
  }
  for (const [name, value] of Object.entries(headers)) sent.set(name, value)
  if (key !== undefined) sent.set('authorization', `Bearer ${key}`)
  if (request.idempotencyKey !== undefined) sent.set('idempotency-key', request.idempotencyKey)
  // A redirect could take the body, or the key, to another place.
  const init: RequestInit = { method, headers: sent, body, redirect: 'manual', signal: abort.signal }
  return body instanceof ReadableStream ? Object.assign(init, { duplex: 'half' }) : init
}

/** With a body that ends with the caller's signal, and says when it has ended. */
function toAnswer({ request: { signal }, abort }: Sending, given: Response, leave: () => void): Response {
  const { status, statusText, body } = given
  if (status > 599) {
    body?.cancel().catch(() => {})
    throw new AppError('TRANSPORT', {
      message: `the answer has the status ${status}, which HTTP does not know`,
      hint: 'look what answers at the address of the endpoint',
    })
  }
  if (!body) {
    leave()
    return new Response(null, { status, statusText, headers: toAnswerHeaders(given) })
  }
  const follow = () => abort.abort()
  signal?.addEventListener('abort', follow, { once: true })
  const watched = watchBody(body, {
    onEnd() {
      signal?.removeEventListener('abort', follow)
      leave()
    },
    toError: (cause) => (signal?.aborted ? signal.reason : (findCodingError(cause) ?? connectionLost(cause))),
  })
  return new Response(watched, { status, statusText, headers: toAnswerHeaders(given) })
}

/** Of a body that came decoded neither coding nor length is true any more. */
function toAnswerHeaders({ headers: given, body }: Response): Headers {
  const headers = endToEnd(given)
  const length = given.get('content-length')
  if (body && findCodings(given).length > 0) headers.delete('content-encoding')
  else if (length !== null) headers.set('content-length', length)
  return headers
}

function nameOf({ endpoint }: QueueAddress): string {
  return `endpoint "${endpoint}"`
}

function noAnswer({ method, path }: BalancedRequest, address: QueueAddress, cause: unknown): AppError {
  const code = codeOf(cause)
  const sent = !unsentCodes.test(code ?? '')
  const where = `${method} ${path.split('?', 1)[0]!.slice(0, 200)}`
  return new AppError('TRANSPORT', {
    message: `${nameOf(address)}: ${where} got no answer (${code ?? redact((cause as Error).message)})`,
    hint: sent
      ? 'it may have been received; send it again if that does no harm'
      : 'look whether its address can be reached from here',
    data: { sent },
    cause,
  })
}

/** What ends a call elsewhere rejects at the caller; here somebody passes it on. */
function toOwn(error: unknown): unknown {
  if (!(error instanceof RemoteError && error.code === 'TIMEOUT')) return error
  const { message, hint } = error
  return new AppError('TIMEOUT', { message, hint })
}

function findAnswer(error: unknown): Response | undefined {
  const known = error instanceof AppError ? error : undefined
  const last = known?.code === 'RETRIES_EXHAUSTED' ? known.cause : known
  return last instanceof PassingAnswer ? last.response : undefined
}
