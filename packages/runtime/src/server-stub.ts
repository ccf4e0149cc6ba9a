import { findAddress, findServer } from './address.ts'
import { createFrameSend } from './balanced/frames.ts'
import { openNearby } from './balanced/remote-socket.ts'
import { createRoute } from './balanced/route.ts'
import { createSocket } from './balanced/socket.ts'
import type { ConnectBalanced, RouteStub, SocketStub, WebStub } from './balanced/types.ts'
import { createWeb } from './balanced/web.ts'
import { createCallable } from './callable.ts'
import { continueChain, inheritSignal, toChainHeaders } from './chain.ts'
import { createClass, type RemoteClass } from './class.ts'
import type { Callable, EndpointInfo, Target } from './types.ts'

/** Makes the stub of a function in code that runs on a server, in a script or in a worker. */
export function serverStub(id: string, generator: 0 | 1, info: EndpointInfo): Callable {
  return createCallable({ ...reach(id, info), generator })
}

/** The same for a class; `methods` as in `load,*tokens`, where `*` marks a generator. */
export function serverClass(id: string, methods: string, info: EndpointInfo): RemoteClass {
  return createClass(reach(id, info), methods)
}

/** The same for a route of a load-balanced endpoint. */
export function serverRoute(id: string, method: string, path: string, info: EndpointInfo): RouteStub {
  return createRoute({ send: createFrameSend(reach(id, info)), method, path, inherit: inheritSignal })
}

/** The same for a whole web app. */
export function serverWeb(id: string, info: EndpointInfo): WebStub {
  return createWeb({
    send: createFrameSend(reach(id, info)),
    connect: connectTo(id, info),
    inherit: inheritSignal,
  })
}

/** The same for a route with WebSockets. */
export function serverSocket(id: string, path: string, info: EndpointInfo): SocketStub {
  return createSocket({ connect: connectTo(id, info), path, inherit: inheritSignal })
}

/** The address is looked up for each request: a dev server may have come, gone or moved in between. */
function reach(id: string, info: EndpointInfo): Target {
  return {
    ref: id,
    server: info,
    post: async (route, body, how) => {
      const headers = toChainHeaders(continueChain(info.name))
      return (await findAddress(id, info))(route, body, { ...how, headers })
    },
    inherit: inheritSignal,
  }
}

function connectTo(id: string, info: EndpointInfo): ConnectBalanced {
  return async (request) => openNearby(await findServer(id, info), id, request)
}
