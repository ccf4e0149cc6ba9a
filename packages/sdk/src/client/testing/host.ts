import type { Clock } from '@flash/protocol'
import { type ClientParts, createClient } from '../client.ts'

/** One request as the host saw it. */
export interface SeenRequest {
  method: string
  url: string
  headers: Record<string, string>
  /** Parsed when it is JSON. */
  body: unknown
}

type Reply = Response | Error
type Answer = Reply | ((request: SeenRequest) => Reply | Promise<Reply>)

export const json = (value: unknown, status = 200, headers: Record<string, string> = {}) =>
  Response.json(value, { status, headers })

/** What a worker of a load-balanced endpoint answers. */
export const byWorker = (body: BodyInit | null, init: ResponseInit = {}) =>
  new Response(body, { ...init, headers: { 'x-runpod-worker-id': 'w1', ...(init.headers as object) } })

/** What Node's `fetch` rejects with. */
export const networkError = (code: string) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(`socket: ${code}`), { code }) })

export const key = 'rpa_0123456789ABCDEFGHIJ'
export const env = { RUNPOD_API_KEY: key }

/** A client of a host that answers as told, in turn; the last reply stays. */
export function openClient(config: unknown, answers: Answer[], parts: ClientParts = {}) {
  const requests: SeenRequest[] = []
  const fetch = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request: SeenRequest = {
      method: init.method ?? 'GET',
      url: String(input),
      headers: Object.fromEntries(new Headers(init.headers)),
      body: await readBody(init.body),
    }
    requests.push(request)
    const next = answers[Math.min(requests.length, answers.length) - 1]!
    const reply = typeof next === 'function' ? await heeding(init.signal, next(request)) : next
    if (reply instanceof Error) throw reply
    return reply.clone()
  }
  const clock = createEagerClock()
  const client = createClient(config, {
    env,
    fetch: fetch as typeof globalThis.fetch,
    clock,
    random: () => 0.5,
    ...parts,
  })
  return { client, requests, clock, lines: () => requests.map(({ method, url }) => `${method} ${url}`) }
}

function heeding<T>(signal: AbortSignal | null | undefined, work: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    Promise.resolve(work).then(resolve, reject)
    signal?.addEventListener('abort', () => reject(new DOMException('aborted', 'AbortError')))
  })
}

async function readBody(body: RequestInit['body']): Promise<unknown> {
  if (body === undefined || body === null) return undefined
  if (body instanceof FormData) return Object.fromEntries(body)
  const text = await new Response(body).text()
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Limits of whole calls, which are to be reached on another clock. */
const neverMs = 400_000

/** A clock on which every wait is over at once, in order. */
function createEagerClock(): Clock & { waits: number[] } {
  let now = 1_700_000_000_000
  const waits: number[] = []
  return {
    waits,
    now: () => now,
    after(ms, run) {
      if (ms > neverMs) return () => {}
      // Later than anything that is settled already, so that limits of requests are withdrawn before.
      const handle = setTimeout(() => {
        now += ms
        waits.push(ms)
        run()
      }, 5)
      return () => clearTimeout(handle)
    },
  }
}
