import { callSite, toCallError } from '../failure.ts'
import { endToEnd } from './headers.ts'
import { inheritSignal } from './inherit.ts'
import { socketUnsupported, toList } from './open-socket.ts'
import { withoutMark } from './own.ts'
import { toRequestPath } from './path.ts'
import type { BalancedRequest, BalancedTarget, ConnectBalanced, SocketOptions, WebStub } from './types.ts'
import { toWeb } from './to-web.ts'

export interface WebTarget extends BalancedTarget {
  /** There are no WebSockets without it. */
  connect?: ConnectBalanced
}

/** What a web app is to code that calls it. */
export function createWeb(target: WebTarget): WebStub {
  return toWeb(
    (input, init) => fetchWeb(target, input, init, callSite()),
    (path, options) => connectWeb(target, path, options, callSite()),
  )
}

export async function fetchWeb(
  { send, inherit }: WebTarget,
  input: string | URL | Request,
  init: RequestInit = {},
  site: Error,
): Promise<Response> {
  const given = init.signal ?? (input instanceof Request ? input.signal : undefined)
  const signal = inheritSignal(inherit, given)
  try {
    signal?.throwIfAborted()
    return withoutMark(await send({ ...(await toRequest(input, init)), signal }))
  } catch (error) {
    throw toCallError(error, signal, site)
  }
}

async function toRequest(input: string | URL | Request, init: RequestInit): Promise<BalancedRequest> {
  const path = toRequestPath(input)
  // The signal may be of another realm, which `Request` does not take.
  const { signal: _, method, ...rest } = init
  const how: RequestInit & { duplex?: 'half' } = rest
  if (method) how.method = method.toUpperCase()
  if (how.body instanceof ReadableStream) how.duplex = 'half'
  const request = new Request(input instanceof Request ? input : 'http://localhost', how)
  return { method: request.method, path, headers: endToEnd(request.headers), body: await bodyOf(request) }
}

/** Not every browser shows it as a stream. */
async function bodyOf(request: Request): Promise<BalancedRequest['body']> {
  if (request.body !== undefined) return request.body
  const blob = await request.blob()
  return blob.size > 0 ? blob : null
}

export async function connectWeb(
  { connect, inherit }: WebTarget,
  path: string | URL,
  options: SocketOptions = {},
  site: Error,
): Promise<WebSocket> {
  const signal = inheritSignal(inherit, options.signal)
  try {
    const request = { path: toRequestPath(path), protocols: toList(options.protocols), signal }
    if (!connect) throw socketUnsupported()
    return await connect(request)
  } catch (error) {
    throw toCallError(error, signal, site)
  }
}
