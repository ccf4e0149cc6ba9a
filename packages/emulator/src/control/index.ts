import type { Clock } from '@flash/protocol'
import type { Endpoints } from '../endpoints/types.ts'
import { answerArtifact } from './artifacts/routes.ts'
import { isSameKey, parseKey } from './authorization.ts'
import { answerGraphql } from './graphql/answer.ts'
import { answerPodLogs } from './logs/hapi.ts'
import { answerLogin } from './login/routes.ts'
import { lookUp } from './look-up.ts'
import { answerVolumesV1 } from './rest-v1/volumes.ts'
import { answerRestV2 } from './rest-v2/answer.ts'
import { createRates, defaultRates, type RateLimits, type Rates } from './rest-v2/rates.ts'
import { toSnapshot } from './snapshot.ts'
import { type AccountContext, createStore } from './store.ts'
import type { Account } from './types.ts'

export interface AccountOptions {
  endpoints: Endpoints
  clock: Clock
  /** What clients must show. */
  apiKey: string
  /** Where the emulator answers, without a slash at the end: `http://127.0.0.1:8787`. */
  url(): string
  /** Where a balanced endpoint answers; `{url}/lb/{id}` when omitted. */
  balancedUrl?(endpointId: string): string
  /** Requests to REST v2 that are answered; far more than on the platform when omitted. */
  rates?: RateLimits
  /** Artifacts and volumes are put there. */
  folder: string
}

/** An account in memory: empty at first, and gone with its process. */
export function createAccount(options: AccountOptions): Account {
  const { endpoints, clock, apiKey, url, folder } = options
  const store = createStore()
  const rates = createRates(clock, options.rates ?? defaultRates)
  const closing = new AbortController()
  const working = new Set<Promise<unknown>>()
  const ctx: AccountContext = {
    clock,
    store,
    endpoints,
    apiKey,
    url,
    balancedUrl: options.balancedUrl ?? ((id) => `${url()}/lb/${id}`),
    folder,
    closing: closing.signal,
    background(work) {
      const done = work.catch(() => {}).finally(() => working.delete(done))
      working.add(done)
    },
  }
  return {
    accepts(authorization, endpointId) {
      const key = parseKey(authorization)
      const ofEndpoint = store.endpoints.get(endpointId ?? '')?.aiKey
      const opensAccount = isSameKey(key, apiKey)
      return (ofEndpoint !== undefined && isSameKey(key, ofEndpoint)) || opensAccount
    },
    lookUp: (names) => lookUp(ctx, names),
    fetch: (request) => answer(ctx, rates, request),
    snapshot: () => toSnapshot(ctx),
    async close() {
      closing.abort()
      await Promise.all(working)
    },
  }
}

/** Who answers is told by the path. */
async function answer(ctx: AccountContext, rates: Rates, request: Request): Promise<Response | null> {
  const path = new URL(request.url).pathname
  if (path === '/graphql') return answerGraphql(ctx, request)
  if (path === '/flash/login') return answerLogin(ctx, request)
  const [, podId] = /^\/v1\/pod\/([^/]+)\/logs$/.exec(path) ?? []
  if (podId !== undefined) return answerPodLogs(ctx, request, podId)
  return (
    (await answerRestV2(ctx, rates, request, path)) ??
    (await answerVolumesV1(ctx, request, path)) ??
    (await answerArtifact(ctx, request, path))
  )
}
