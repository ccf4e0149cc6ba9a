/**
 * Header of an answer that the program of a worker gave. Without it somebody else answers: the platform, a proxy, or a worker
 * that takes no requests.
 *
 * - `data`: what a handler returned, as JSON; `items`: server-sent events, each with one value as JSON in its `data`;
 * - `error`: what it threw, as JSON `{ code, message, hint, data }`;
 * - `response`: a `Response` of its author's, or what a web app answers.
 */
export const RESULT_HEADER = 'x-flash-result'

export type ResultKind = 'data' | 'items' | 'error' | 'response'

/** By this a worker of the dev server knows requests that came through it. */
export const TOKEN_HEADER = 'x-flash-worker-token'

/** How many calls of endpoints led to a request of a worker. */
export const HOPS_HEADER = 'x-flash-hops'

/** Until when somebody waits for its answer, in milliseconds since the epoch. */
export const DEADLINE_HEADER = 'x-flash-deadline'

/** A request to a load-balanced endpoint on its way over the rpc route: the text of a `call` message, the body in its one part. */
export interface BalancedEnvelope {
  fetch: {
    /** In capitals. */
    method: string
    /** Path and query, below the endpoint's own origin. */
    path: string
    headers: [name: string, value: string][]
    /** Whether there is a body. */
    body: boolean
  }
  timeoutMs?: number
  idempotencyKey?: string
}

/** The text of a `head` message. */
export interface BalancedHead {
  status: number
  headers: [name: string, value: string][]
}
