import type { Clock } from '@flash/protocol'
import type { LocalRuntime } from '@flash/runtime'
import { type Post, postInside } from '@flash/runtime/server'
import { createCapability } from './capability.ts'
import { type CallBackend, createCallHandler, type RpcHandler } from './rpc.ts'

/**
 * The way of the stubs of functions in this process to a backend, through the same route that pages use.
 *
 * - `open`: makes the backend, for the first call.
 * - `key`: of the project, 32 bytes.
 */
export function postTo(open: () => CallBackend, how: { key: Uint8Array; clock?: Clock }): Post {
  let rpc: RpcHandler | undefined
  const create = () =>
    createCallHandler({
      capability: createCapability(how.key),
      backend: open(),
      clock: how.clock,
      onInternal: (error) => console.error('[flash]', error),
    })
  const runtime: LocalRuntime = {
    has: () => true,
    async fetch(request) {
      rpc ??= create()
      return rpc(request, request.url.split('/').at(-1)!, { kind: 'server', subject: null })
    },
  }
  return postInside(runtime)
}
