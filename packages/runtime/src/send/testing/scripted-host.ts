import type { Clock } from '@flash/protocol'

/** One request as a scripted host saw it. */
export interface SeenRequest {
  method: string
  /** Path and query below the address. */
  path: string
  headers: Record<string, string>
  body: any
}

/** JSON with status 200, an answer as it is, or what `fetch` rejects with. */
export type Reply = Response | Error | { json: unknown; status?: number; headers?: Record<string, string> }

export const json = (value: unknown, status = 200, headers: Record<string, string> = {}): Reply => ({
  json: value,
  status,
  headers,
})

export const page = (text: string, status = 200): Reply => new Response(text, { status })

/** What Node's `fetch` rejects with. */
export const networkError = (code: string): Error =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(`socket: ${code}`), { code }) })

export const address = {
  endpoint: 'ocr',
  url: 'https://api.test/v2/abc',
  key: 'rpa_0123456789ABCDEFGHIJ',
  place: 'the account',
}

/** A `fetch` that answers as told, in turn; the last reply stays. A function decides by the request. */
export function scriptHost(...replies: (Reply | ((request: SeenRequest) => Reply))[]) {
  const requests: SeenRequest[] = []
  const fetch = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    const path = String(url).replace(address.url, '')
    const body = init.body ? JSON.parse(new TextDecoder().decode(init.body as Uint8Array)) : undefined
    const request = {
      method: init.method ?? 'GET',
      path,
      headers: init.headers as Record<string, string>,
      body,
    }
    requests.push(request)
    const next = replies[Math.min(requests.length, replies.length) - 1]!
    return toResponse(typeof next === 'function' ? next(request) : next)
  }
  return { fetch: fetch as typeof globalThis.fetch, requests, paths: () => requests.map(({ path }) => path) }
}

function toResponse(reply: Reply): Response {
  if (reply instanceof Error) throw reply
  if (reply instanceof Response) return reply.clone()
  return new Response(JSON.stringify(reply.json), { status: reply.status, headers: reply.headers })
}

/** A clock on which every wait is over at once, in order; `waits` has how long they were. */
export function createEagerClock(): Clock & { waits: number[]; pass(ms: number): void } {
  let now = 1_700_000_000_000
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    pass: (ms) => void (now += ms),
    after(ms, run) {
      // Later than anything that is settled already, so that limits of requests are withdrawn before.
      const handle = setImmediate(() => {
        now += ms
        waits.push(ms)
        run()
      })
      return () => clearImmediate(handle)
    },
  }
}
