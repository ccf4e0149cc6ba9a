import type { Clock } from '@flash/protocol'
import type { CallOptions, Target } from '../types.ts'

/** One HTTP request to a load-balanced endpoint, wherever that answers. */
export interface BalancedRequest {
  /** In capitals. */
  method: string
  /** Path and query below the endpoint's own origin, as `parseRequestPath` has them. */
  path: string
  headers: Headers
  /** A stream is sent once; what is whole may be sent again. */
  body: Uint8Array<ArrayBuffer> | Blob | ReadableStream<Uint8Array> | null
  /** Ends the request, and later its answer's body. */
  signal?: AbortSignal
  /** Until the head of the answer is there. */
  timeoutMs?: number
  idempotencyKey?: string
}

/**
 * Sends a request; resolves with the head of the answer, whatever its status.
 *
 * Rejects with the reason of the signal, and its answer's body fails with that too.
 */
export type SendBalanced = (request: BalancedRequest) => Promise<Response>

/** One WebSocket of a load-balanced endpoint, to be opened. */
export interface SocketRequest {
  /** Path and query below the endpoint's own origin. */
  path: string
  protocols: string[]
  signal?: AbortSignal
}

/** Opens a WebSocket; resolves when it is open. */
export type ConnectBalanced = (request: SocketRequest) => Promise<WebSocket>

export interface RouteOptions extends Pick<CallOptions, 'signal' | 'timeoutMs' | 'idempotencyKey'> {
  params?: Record<string, unknown>
  /** A list repeats its name; `undefined` and `null` are left out. */
  query?: Record<string, unknown> | URLSearchParams
  /** Text, bytes, blobs, forms and streams as they are, everything else as JSON. */
  body?: unknown
  headers?: HeadersInit
}

/** What routes and web apps are reached by. */
export interface BalancedTarget {
  send: SendBalanced
  inherit?: Target['inherit']
  /** The system's when omitted. */
  clock?: Clock
}

export interface RouteTarget extends BalancedTarget {
  method: string
  /** As its author wrote it. */
  path: string
}

/** What a stub of a page stands for. */
export interface PageTarget {
  /** The path of the routes, or their URL on another origin. */
  prefix: string
  /** `<id>.<tag>` */
  ref: string
}

/** A route as code sees it; its own type is laid over it. */
export type RouteStub = (options?: RouteOptions) => Promise<any>

export interface SocketOptions {
  protocols?: string | string[]
  signal?: AbortSignal
}

/** A web app as code sees it. No member needs its object. */
export interface WebStub {
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>
  connect(path: string | URL, options?: SocketOptions): Promise<WebSocket>
  get(path: string, init?: RequestInit): Promise<Response>
  post(path: string, init?: RequestInit): Promise<Response>
  put(path: string, init?: RequestInit): Promise<Response>
  patch(path: string, init?: RequestInit): Promise<Response>
  delete(path: string, init?: RequestInit): Promise<Response>
  head(path: string, init?: RequestInit): Promise<Response>
  options(path: string, init?: RequestInit): Promise<Response>
}

export interface SocketStub {
  connect(options?: SocketOptions & Pick<RouteOptions, 'params' | 'query'>): Promise<WebSocket>
}
