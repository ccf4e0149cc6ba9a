import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Env } from '../environment.ts'
import { until } from './until.ts'

type Operation = 'job-take' | 'job-take-batch' | 'job-stop' | 'job-done' | 'job-stream' | 'ping'

/** A request as it came. */
export interface Seen {
  operation: Operation
  method: string
  url: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  /** From the path. */
  worker: string
  job: string | undefined
  text: string
  /** The body, when it is JSON. */
  body: any
}

interface Exchange {
  seen: Seen
  request: IncomingMessage
  response: ServerResponse
  /** What the plane does when nothing is scripted. */
  pass(): void
}

/** What happens to one request instead. */
export type Act = (exchange: Exchange) => void

/** The platform's side of the worker plane, by hand: a real server that does whatever a test tells it to. */
export interface Plane {
  url: string
  env(more?: Env): Env
  seen: Seen[]
  /** Of one operation. */
  all(operation: Operation): Seen[]
  /** Resolves with the request of this number, from 1, also one that came before. */
  nth(operation: Operation, number: number): Promise<Seen>
  /** Lets the next requests of an operation meet these acts, one each. */
  script(operation: Operation, ...acts: Act[]): void
  /** Jobs for the takes that are held, or come later. */
  give(...jobs: unknown[]): void
  /** Jobs to be stopped, told to whoever asks. */
  stop(...ids: string[]): void
  /** The result of a job that was accepted. */
  result(job: string): Promise<any>
  /** Requests that are held now. */
  held(operation: Operation): number
  close(): Promise<void>
}

interface State {
  seen: Seen[]
  scripts: Map<Operation, Act[]>
  jobs: unknown[]
  stops: string[]
  takes: Set<() => void>
  asks: Set<() => void>
  results: Map<string, Seen>
}

export async function createPlane(): Promise<Plane> {
  const state: State = {
    seen: [],
    scripts: new Map(),
    jobs: [],
    stops: [],
    takes: new Set(),
    asks: new Set(),
    results: new Map(),
  }
  const server = createServer({ keepAliveTimeout: 60_000, maxHeaderSize: 200_000 }, (request, response) => {
    // A request that is broken off has nobody to tell.
    request.on('error', () => {})
    response.on('error', () => {})
    void answer(state, request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v2/ep`
  const all = (operation: Operation) => state.seen.filter((one) => one.operation === operation)
  return {
    url,
    env: (more = {}) => ({
      RUNPOD_WEBHOOK_GET_JOB: `${url}/job-take/$RUNPOD_POD_ID?gpu=none`,
      RUNPOD_WEBHOOK_POST_OUTPUT: `${url}/job-done/$RUNPOD_POD_ID/$ID?gpu=none`,
      RUNPOD_WEBHOOK_POST_STREAM: `${url}/job-stream/$RUNPOD_POD_ID/$ID?gpu=none`,
      RUNPOD_AI_API_KEY: 'raw-worker-key',
      RUNPOD_POD_ID: 'w1',
      ...more,
    }),
    seen: state.seen,
    all,
    nth: (operation, number) => until(() => all(operation)[number - 1], `${operation} ${number}`),
    script: (operation, ...acts) =>
      void state.scripts.set(operation, [...(state.scripts.get(operation) ?? []), ...acts]),
    give(...jobs) {
      state.jobs.push(...jobs)
      for (const wake of Array.from(state.takes)) wake()
    },
    stop(...ids) {
      state.stops.push(...ids)
      for (const wake of Array.from(state.asks)) wake()
    },
    result: async (job) => (await until(() => state.results.get(job), job)).body,
    held: (operation) => (operation === 'job-stop' ? state.asks : state.takes).size,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function answer(state: State, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const seen = toSeen(request, String(Buffer.concat(chunks)))
  state.seen.push(seen)
  const pass = () => actions[seen.operation](state, seen, response)
  const act = state.scripts.get(seen.operation)?.shift()
  if (act) act({ seen, request, response, pass })
  else pass()
}

function toSeen(request: IncomingMessage, text: string): Seen {
  const url = new URL(request.url!, 'http://plane')
  const [, , , operation, worker, job] = request.url!.split('?')[0]!.split('/') as string[]
  return {
    operation: operation as Operation,
    method: request.method!,
    url: request.url!,
    query: url.searchParams,
    headers: request.headers,
    worker: worker!,
    job: job === undefined ? undefined : decodeURIComponent(job),
    text,
    body: parse(text),
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const actions: Record<Operation, (state: State, seen: Seen, response: ServerResponse) => void> = {
  'job-take': (state, _seen, response) => holdTake(state, response, () => state.jobs.shift()),
  'job-take-batch': (state, { query }, response) =>
    holdTake(state, response, () => state.jobs.splice(0, Number(query.get('batch_size')))),
  'job-stop'(state, _seen, response) {
    hold(state.asks, response, () => {
      if (state.stops.length === 0) return false
      json(response, { jobsToStop: state.stops.splice(0) })
      return true
    })
  },
  'job-done'(state, seen, response) {
    if (seen.body?.status !== 'IN_PROGRESS') state.results.set(seen.job!, seen)
    response.end()
  },
  'job-stream': (_state, _seen, response) => void response.end(),
  ping: (_state, _seen, response) => void response.end(),
}

function holdTake(state: State, response: ServerResponse, next: () => unknown): void {
  hold(state.takes, response, () => {
    if (state.jobs.length === 0) return false
    json(response, next())
    return true
  })
}

/** Tries now, and whenever something comes, until the other side goes away. */
function hold(held: Set<() => void>, response: ServerResponse, attempt: () => boolean): void {
  if (attempt()) return
  const wake = () => {
    if (attempt()) held.delete(wake)
  }
  held.add(wake)
  response.on('close', () => held.delete(wake))
}

function json(response: ServerResponse, value: unknown): void {
  response.setHeader('content-type', 'application/json')
  response.end(JSON.stringify(value))
}

export const status =
  (code: number, headers: Record<string, string> = {}): Act =>
  ({ response }) =>
    void response.writeHead(code, headers).end()

/** Any bytes as an answer. */
export const bytes =
  (body: string | Uint8Array, type = 'application/json'): Act =>
  ({ response }) =>
    void response.writeHead(200, { 'content-type': type }).end(body)

/** The connection breaks, and nothing was done. */
export const reset: Act = ({ request }) => request.socket.resetAndDestroy()

/** The work is done, then the connection breaks. */
export const lost: Act = ({ request, response, pass }) => {
  response.end = () => {
    request.socket.resetAndDestroy()
    return response
  }
  pass()
}

/** The answer breaks off in its middle. */
export const torn: Act = ({ request, response }) => {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' })
  response.write('{"id":"torn",', () => request.socket.resetAndDestroy())
}

/** Nothing ever comes. */
export const silent: Act = () => {}
