import { callSite, toCallError } from '../failure.ts'
import { inheritSignal } from './inherit.ts'
import { toList } from './open-socket.ts'
import { toRoutePath } from './path.ts'
import type { ConnectBalanced, RouteTarget, SocketStub } from './types.ts'

export interface SocketTarget extends Pick<RouteTarget, 'path' | 'inherit'> {
  connect: ConnectBalanced
}

/** What a route with WebSockets is to code that calls it. */
export function createSocket(target: SocketTarget): SocketStub {
  return { connect: (options) => connectSocket(target, options, callSite()) }
}

export async function connectSocket(
  { path, connect, inherit }: SocketTarget,
  options: Parameters<SocketStub['connect']>[0] = {},
  site: Error,
): Promise<WebSocket> {
  const signal = inheritSignal(inherit, options.signal)
  try {
    return await connect({ path: toRoutePath(path, options), protocols: toList(options.protocols), signal })
  } catch (error) {
    throw toCallError(error, signal, site)
  }
}
