import { createToken } from '../ids.ts'
import type { AuthRequestRecord } from '../records.ts'
import { notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'

const GOOD_MS = 600_000

/** Nobody needs a key to make one, so the oldest are forgotten. */
const KEPT = 1_000

/** A program asks for the key of the account. */
export function createAuthRequest({ store, clock }: AccountContext): AuthRequestRecord {
  const request: AuthRequestRecord = {
    id: createToken(),
    state: 'PENDING',
    expiresAt: clock.now() + GOOD_MS,
    formToken: createToken(),
  }
  store.authRequests.set(request.id, request)
  for (const id of store.authRequests.keys()) {
    if (store.authRequests.size <= KEPT) break
    store.authRequests.delete(id)
  }
  return request
}

export function getAuthRequest({ store, clock }: AccountContext, id: string): AuthRequestRecord {
  const request = store.authRequests.get(id)
  if (!request) throw notFound('auth request', id)
  const isOpen = request.state === 'PENDING' || request.state === 'APPROVED'
  if (isOpen && request.expiresAt <= clock.now()) request.state = 'EXPIRED'
  return request
}

/** The state as its asker sees it; with the first `APPROVED` comes the key, afterwards the request is consumed. */
export function pollAuthRequest(
  ctx: AccountContext,
  id: string,
): { request: AuthRequestRecord; apiKey: string | null } {
  const request = getAuthRequest(ctx, id)
  const seen = { ...request }
  if (request.state !== 'APPROVED') return { request: seen, apiKey: null }
  request.state = 'CONSUMED'
  return { request: seen, apiKey: ctx.apiKey }
}

/**
 * The answer of the person in front of the browser.
 *
 * - throws `BAD_REQUEST` when it was answered before or has expired.
 */
export function decideAuthRequest(ctx: AccountContext, id: string, isApproved: boolean): void {
  const request = getAuthRequest(ctx, id)
  if (request.state !== 'PENDING')
    throw refused(`this request is ${request.state.toLowerCase()}`, 'start the login again')
  request.state = isApproved ? 'APPROVED' : 'DENIED'
}
