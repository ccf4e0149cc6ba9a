/** What a page loads with its first call of a load-balanced endpoint. */
import { postTo } from '../post-to.ts'
import { createFrameSend } from './frames.ts'
import { endToEnd } from './headers.ts'
import { flashProtocol, untilOpen } from './open-socket.ts'
import { callRoute } from './route.ts'
import { connectSocket } from './socket.ts'
import type { ConnectBalanced, PageTarget, RouteOptions, SendBalanced, SocketOptions } from './types.ts'
import { connectWeb, fetchWeb } from './web.ts'

export function pageRoute(
  target: PageTarget,
  method: string,
  path: string,
  options: RouteOptions | undefined,
  site: Error,
): Promise<unknown> {
  return callRoute({ send: sendFrom(target), method, path }, options, site)
}

export function pageFetch(
  target: PageTarget,
  input: string | URL | Request,
  init: RequestInit | undefined,
  site: Error,
): Promise<Response> {
  return fetchWeb({ send: sendFrom(target) }, input, init, site)
}

export function pageConnect(
  target: PageTarget,
  path: string | URL,
  options: SocketOptions | undefined,
  site: Error,
): Promise<WebSocket> {
  return connectWeb({ send: sendFrom(target), connect: connectFrom(target) }, path, options, site)
}

export function pageSocket(
  target: PageTarget,
  path: string,
  options: Parameters<typeof connectSocket>[1],
  site: Error,
): Promise<WebSocket> {
  return connectSocket({ path, connect: connectFrom(target) }, options, site)
}

function sendFrom({ prefix, ref }: PageTarget): SendBalanced {
  return createFrameSend({ ref, post: postTo(prefix), toHeaders })
}

/** What says who somebody is stays between page and server. */
function toHeaders(headers: Headers): Headers {
  const ours = [...headers.keys()].filter((name) => name.startsWith('x-flash'))
  return endToEnd(headers, ['authorization', 'cookie', ...ours])
}

function connectFrom({ prefix, ref }: PageTarget): ConnectBalanced {
  return async ({ path, protocols, signal }) => {
    signal?.throwIfAborted()
    const url = new URL(`${prefix}/rpc/${ref}`, location.href)
    url.protocol = url.protocol.replace('http', 'ws')
    url.searchParams.set('path', path)
    return untilOpen(new WebSocket(url, [flashProtocol, ...protocols]), { signal })
  }
}
