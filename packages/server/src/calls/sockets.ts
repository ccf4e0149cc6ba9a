import {
  type ConnectBalanced,
  createSocket,
  createWeb,
  findBundlesServer,
  inheritSignal,
  openNearby,
  type ServerStubs,
} from '@flash/runtime/server'
import { createInsideConnect } from '../inside/connect.ts'
import { type CalledFunction, isNear } from './away.ts'
import { createOpen, createSend, type OpenRequests } from './routes.ts'

/** Makes the stub of a whole web app of another endpoint, in the bundle of a worker. */
export function serverWeb(id: string, info: CalledFunction): ReturnType<ServerStubs['serverWeb']> {
  const open = createOpen(id, info)
  const connect = createConnect(id, open, info)
  return createWeb({ send: createSend(id, open, info), connect, inherit: inheritSignal })
}

/** The same for a route with WebSockets. */
export function serverSocket(
  id: string,
  path: string,
  info: CalledFunction,
): ReturnType<ServerStubs['serverSocket']> {
  const connect = createConnect(id, createOpen(id, info), info)
  return createSocket({ connect, path, inherit: inheritSignal })
}

function createConnect(id: string, open: OpenRequests, info: CalledFunction): ConnectBalanced {
  const away = createInsideConnect(open)(id)
  return async (request) => {
    const near = isNear(info) ? findBundlesServer(id) : undefined
    return near ? openNearby(await near(), id, request) : away(request)
  }
}
