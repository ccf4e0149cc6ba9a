import { findAddress } from './address.ts'
import { createCallable } from './callable.ts'
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

/** The address is looked up for each request: a dev server may have come, gone or moved in between. */
function reach(id: string, info: EndpointInfo): Target {
  return {
    ref: id,
    server: info,
    post: async (route, body, how) => (await findAddress(id, info))(route, body, how),
  }
}
