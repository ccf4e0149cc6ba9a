import { createFrameSend } from './balanced/frames.ts'
import { socketUnsupported } from './balanced/open-socket.ts'
import { createRoute } from './balanced/route.ts'
import { createSocket } from './balanced/socket.ts'
import type { ConnectBalanced } from './balanced/types.ts'
import { createWeb } from './balanced/web.ts'
import { createCallable } from './callable.ts'
import { createClass } from './class.ts'
import type { serverClass, serverRoute, serverSocket, serverStub, serverWeb } from './server-stub.ts'
import type { Post, Target } from './types.ts'

export interface ServerStubs {
  serverStub: typeof serverStub
  serverClass: typeof serverClass
  serverRoute: typeof serverRoute
  serverWeb: typeof serverWeb
  serverSocket: typeof serverSocket
}

/**
 * The stubs of code on a server whose calls all go one way.
 *
 * - `connect`: opens WebSockets of the function with this id; there are none without it.
 */
export function bindServerStubs(
  post: Post,
  inherit?: Target['inherit'],
  connect: (id: string) => ConnectBalanced = noSockets,
): ServerStubs {
  const send = (id: string) => createFrameSend({ ref: id, post })
  return {
    serverStub: (id, generator, info) => createCallable({ ref: id, server: info, post, inherit, generator }),
    serverClass: (id, methods, info) => createClass({ ref: id, server: info, post, inherit }, methods),
    serverRoute: (id, method, path) => createRoute({ send: send(id), method, path, inherit }),
    serverWeb: (id) => createWeb({ send: send(id), connect: connect(id), inherit }),
    serverSocket: (id, path) => createSocket({ connect: connect(id), path, inherit }),
  }
}

function noSockets(): ConnectBalanced {
  return () => Promise.reject(socketUnsupported())
}
