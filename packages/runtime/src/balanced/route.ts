import { RemoteError } from '@flash/protocol'
import { callSite, toCallError } from '../failure.ts'
import { createGuard, type Guard } from '../guard.ts'
import { wakingClock } from '../waking-clock.ts'
import { toBody } from './body.ts'
import { toRoutePath } from './path.ts'
import { readResult } from './result.ts'
import type { BalancedRequest, RouteOptions, RouteStub, RouteTarget } from './types.ts'

/** The callable of a route: resolves with its data, its items or its `Response`. */
export function createRoute(target: RouteTarget): RouteStub {
  return (options) => callRoute(target, options, callSite())
}

/**
 * One call of a route.
 *
 * - `site`: made where the call was.
 * - throws what the route threw as `RemoteError`, `TIMEOUT`, the reason of the signal, and what sending throws.
 */
export async function callRoute(
  target: RouteTarget,
  given: RouteOptions = {},
  site: Error,
): Promise<unknown> {
  const { timeoutMs, idempotencyKey } = given
  const options = { ...given, ...target.inherit?.({ signal: given.signal, timeoutMs, idempotencyKey }) }
  const toOwn = (error: unknown) => toCallError(error, options.signal, site)
  const abort = new AbortController()
  let guard: Guard | undefined
  try {
    guard = createGuard(options, target.clock ?? wakingClock, (reason) => abort.abort(reason))
    guard.check()
    const request = await guard.race(toRequest(target, options, abort.signal))
    const sent = target.send(request)
    const response = await guard.race(sent).catch((error) => {
      sent.then(({ body }) => body?.cancel(error)).catch(() => {})
      throw error
    })
    return await readResult(response, guard, toOwn)
  } catch (error) {
    guard?.end()
    throw toOwn(error)
  }
}

async function toRequest(
  { method, path }: RouteTarget,
  options: RouteOptions,
  signal: AbortSignal,
): Promise<BalancedRequest> {
  const { timeoutMs, idempotencyKey } = options
  const headers = new Headers(options.headers)
  const { body, type } = await toBody(options.body)
  if (body && (method === 'GET' || method === 'HEAD'))
    throw new RemoteError('BAD_REQUEST', `a ${method} request has no body`, { hint: 'use `query`' })
  if (type && !headers.has('content-type')) headers.set('content-type', type)
  if (idempotencyKey !== undefined) headers.set('idempotency-key', idempotencyKey)
  return { method, path: toRoutePath(path, options), headers, body, signal, timeoutMs, idempotencyKey }
}
