import type { ServerFacts } from '@flash/protocol'
import type { LocalRuntime } from '@flash/runtime'
import { bindServerStubs, postInside, type ServerStubs } from '@flash/runtime/server'
import { createCapability } from './capability.ts'
import { createForwardBackend, type ForwardOptions } from './forward.ts'
import { createRpcHandler, type RpcHandler } from './rpc.ts'

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
  let rpc: RpcHandler | undefined
  const open = () =>
    createRpcHandler({
      capability: createCapability(Buffer.from(key, 'base64url')),
      backend: createForwardBackend({ ...options, facts }),
      clock: options.clock,
      onInternal: (error) => console.error('[flash]', error),
    })
  const runtime: LocalRuntime = {
    has: () => true,
    async fetch(request) {
      rpc ??= open()
      return rpc(request, request.url.split('/').at(-1)!, { kind: 'server', subject: null })
    },
  }
  return bindServerStubs(postInside(runtime))
}
