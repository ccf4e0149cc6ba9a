import type { ServerFacts } from '@flash/protocol'
import { bindServerStubs, createRoute, createWeb, type ServerStubs } from '@flash/runtime/server'
import { openBuild } from './address/build.ts'
import type { RpcBackend } from './backend.ts'
import { createForwardBackend, type ForwardOptions } from './forward.ts'
import { createInsideConnect } from './inside/connect.ts'
import { createInsideSend } from './inside/send.ts'
import { postTo } from './post-to.ts'

/**
 * The stubs of server code that was built: their calls go through the app's own route without leaving the process,
 * and from there to wherever the endpoint answers.
 *
 * - `key`: the project key, base64url.
 * - the first call makes what all calls use.
 */
export function bindServer(
  facts: ServerFacts,
  key: string,
  options: Omit<ForwardOptions, 'facts'> = {},
): ServerStubs {
  let backend: RpcBackend | undefined
  const open = () => (backend ??= createForwardBackend({ local: openBuild, ...options, facts }))
  const post = postTo(open, { key: Buffer.from(key, 'base64url'), clock: options.clock })
  const send = createInsideSend(open)
  const connect = createInsideConnect(open)
  return {
    ...bindServerStubs(post, undefined, connect),
    serverRoute: (id, method, path) => createRoute({ send: send(id), method, path }),
    serverWeb: (id) => createWeb({ send: send(id), connect: connect(id) }),
  }
}
