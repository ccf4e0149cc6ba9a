import {
  continueChain,
  createFrameSend,
  createRoute,
  inheritSignal,
  type SendBalanced,
  type ServerStubs,
  steadyFetch,
  chooseSteadily,
  toChainHeaders,
} from '@flash/runtime/server'
import type { RpcBackend } from '../backend.ts'
import { createRequestForward } from '../forward/requests.ts'
import { createInsideSend } from '../inside/send.ts'
import { type CalledFunction, findNear, openAway } from './away.ts'

/** Makes the stub of a route of another endpoint, in the bundle of a worker. */
export function serverRoute(
  id: string,
  method: string,
  path: string,
  info: CalledFunction,
): ReturnType<ServerStubs['serverRoute']> {
  return createRoute({
    send: createSend(id, createOpen(id, info), info),
    method,
    path,
    inherit: inheritSignal,
  })
}

export type OpenRequests = () => Required<Pick<RpcBackend, 'find' | 'fetch' | 'seat'>>

/** Opens the way to an endpoint for its first request. */
export function createOpen(id: string, info: CalledFunction): OpenRequests {
  let backend: ReturnType<OpenRequests> | undefined
  return () => (backend ??= openBackend(id, info))
}

export function createSend(id: string, open: OpenRequests, info: CalledFunction): SendBalanced {
  const away = createInsideSend(open)(id)
  return (request) => {
    const near = findNear(id, info)
    return near ? createFrameSend({ ref: id, post: near })(request) : away(request)
  }
}

function openBackend(id: string, info: CalledFunction): ReturnType<OpenRequests> {
  const { functions, registry, steady } = openAway(id, info)
  const sender = {
    env: process.env,
    steady: {
      choose: (addresses: Parameters<typeof chooseSteadily>[1]) => chooseSteadily(steady, addresses),
      fetch: (addresses: Parameters<typeof steadyFetch>[1], request: Parameters<typeof steadyFetch>[2]) =>
        steadyFetch(steady, addresses, request),
    },
  }
  return {
    find: async (wanted) => functions.find(wanted),
    ...createRequestForward({
      functions,
      registry,
      openSender: () => sender,
      headersOf: ({ timeoutMs }) => toChainHeaders(continueChain(info.name, timeoutMs)),
    }),
  }
}
