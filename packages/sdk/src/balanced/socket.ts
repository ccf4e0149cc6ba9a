import type { Global } from '../kind.ts'
import type { RequestOptions } from '../client/types.ts'
import type { ParamName } from './path.ts'

type Later<T> = T | Promise<T>

/** What a WebSocket of this project's libraries is; their least common part where they have none. */
export type Socket = [Global<'WebSocket'>] extends [never] ? BareSocket : Global<'WebSocket'>

interface BareSocket extends EventTarget {
  readonly url: string
  readonly protocol: string
  readonly readyState: number
  readonly bufferedAmount: number
  binaryType: string
  send(data: string | ArrayBuffer | ArrayBufferView | Blob): void
  close(code?: number, reason?: string): void
}

/** What belongs to one WebSocket: the parameters of its path, what `upgrade` returned as `context`, and what you put there. */
type SocketContext<Params> = Record<string, unknown> & { readonly params: Params }

/** The other end of a WebSocket, on the worker: a crossws `Peer`. */
export interface SocketPeer<Context = Record<string, unknown>> {
  readonly id: string
  /** The one that was upgraded; path and query are in its `url`. */
  readonly request: Request
  readonly remoteAddress: string | undefined
  readonly context: Context
  readonly topics: ReadonlySet<string>
  readonly bufferedAmount: number
  /** Text and bytes as they are, everything else as JSON. */
  send(data: unknown, options?: { compress?: boolean }): number | void | undefined
  subscribe(topic: string): void
  unsubscribe(topic: string): void
  /** To the subscribers of a topic on this worker, except this peer. */
  publish(topic: string, data: unknown, options?: { compress?: boolean }): void
  close(code?: number, reason?: string): void
  terminate(): void
  waitForDrain(options?: { threshold?: number; pollInterval?: number; signal?: AbortSignal }): Promise<void>
}

/** A crossws `Message`. */
export interface SocketMessage {
  readonly id: string
  readonly rawData: unknown
  text(): string
  json<T = unknown>(): T
  uint8Array(): Uint8Array
  arrayBuffer(): ArrayBuffer | SharedArrayBuffer
  blob(): Blob
}

/** What a worker does with WebSockets: the hooks of crossws, whose own types fit too. */
export interface SocketHooks<Context = Record<string, unknown>> {
  /** A `Response` that is returned, or thrown, refuses the socket. */
  upgrade?(request: Request & { readonly context?: Context }): Later<
    | {
        headers?: RequestInit['headers']
        protocol?: string
        namespace?: string
        context?: Record<string, unknown>
      }
    | Response
    | void
  >
  open?(peer: SocketPeer<Context>): Later<void>
  message?(peer: SocketPeer<Context>, message: SocketMessage): Later<void>
  close?(peer: SocketPeer<Context>, details: { code?: number; reason?: string }): Later<void>
  error?(peer: SocketPeer<Context>, error: Error): Later<void>
  drain?(peer: SocketPeer<Context>): Later<void>
  ping?(peer: SocketPeer<Context>, data: Uint8Array): Later<void>
  pong?(peer: SocketPeer<Context>, data: Uint8Array): Later<void>
}

export interface ConnectOptions {
  readonly protocols?: string | readonly string[] | undefined
  /** Gives up while the socket opens, and closes it later. */
  readonly signal?: AbortSignal | undefined
}

interface RouteConnectOptions extends ConnectOptions {
  readonly query?: RequestOptions['query']
}

/** A WebSocket route as its callers see it. */
export interface SocketRoute<Path extends string = string> {
  /** Resolves once the socket is open, within 60 s; on servers to crossws's client class where Node has none. */
  connect(
    ...args: [ParamName<Path>] extends [never]
      ? [options?: RouteConnectOptions]
      : string extends ParamName<Path>
        ? [options?: RouteConnectOptions & { readonly params?: Readonly<Record<string, string | number>> }]
        : [
            options: RouteConnectOptions & {
              readonly params: { readonly [Name in ParamName<Path>]: string | number }
            },
          ]
  ): Promise<Socket>
}

/** Adds a WebSocket to an endpoint. */
export interface DefineSocket {
  <Path extends `/${string}`>(
    path: Path,
    hooks: SocketHooks<SocketContext<{ [Name in ParamName<Path>]: string }>>,
  ): SocketRoute<Path>
  /** With hooks that do not know the path. */
  <Path extends `/${string}`>(path: Path, hooks: SocketHooks): SocketRoute<Path>
}
