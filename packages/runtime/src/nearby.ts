import { socketUnsupported } from './balanced/open-socket.ts'
import type { Post } from './types.ts'

/** What runs functions and is in this very process. */
export interface LocalRuntime {
  /** Whether it knows the function. */
  has(id: string): boolean
  /** Answers a request to a path below its root, such as `/rpc/<id>`. */
  fetch(request: Request): Promise<Response>
  /** Where it answers over HTTP, which WebSockets need; without it there are none. */
  open?(): LocalServer | Promise<LocalServer>
}

/** What runs functions in another process of this machine. */
export interface LocalServer {
  url: string
  token: string
}

/** What runs functions on this machine. */
export type LocalPlace = LocalRuntime | LocalServer

/** Says where something listens; throws `WEBSOCKET_UNSUPPORTED` for what does not. */
export type OpenServer = () => Promise<LocalServer>

export function openPlace(place: LocalPlace | undefined): OpenServer | undefined {
  if (!place) return undefined
  return async () => {
    if (!('fetch' in place)) return place
    const server = await place.open?.()
    if (!server) throw socketUnsupported()
    return server
  }
}

const headers = { 'content-type': 'application/x-flash; v=1', 'x-flash': '1' }

/** Runtimes announce themselves on the global object, since their code and that of a stub may be different copies. */
export function runtimesIn(name: string): Map<string, LocalRuntime> {
  const runtimes = (globalThis as { [key: symbol]: unknown })[Symbol.for(name)]
  return runtimes instanceof Map ? runtimes : new Map()
}

export function postInside(runtime: LocalRuntime): Post {
  return (route, body, how) =>
    runtime.fetch(
      new Request(`http://localhost/rpc/${route}`, {
        method: 'POST',
        headers: { ...headers, ...how?.headers },
        body,
        signal: how?.signal,
      }),
    )
}

export function postOver({ url, token }: LocalServer): Post {
  const prefix = url.replace(/\/+$/, '')
  return (route, body, how) =>
    fetch(`${prefix}/rpc/${route}`, {
      method: 'POST',
      body,
      ...how,
      headers: { ...headers, ...how?.headers, authorization: `Bearer ${token}` },
    })
}
