import { decodeAnswer } from '@flash/runtime/server'
import type { BackendRequest, RpcBackend } from '../backend.ts'

/** Routes that this process runs itself. */
export interface ServerRoutes {
  has(id: string): boolean
  /** Answers a request whose path is that of the route. Rejects when the route cannot be loaded, and with `LOCAL_NEEDS_SERVER`. */
  answer(id: string, request: Request): Promise<Response>
}

/** A backend whose requests to some routes do not leave the process. */
export function withServerRoutes(backend: RpcBackend, routes: ServerRoutes): RpcBackend {
  return {
    ...backend,
    fetch: (id, request) => (routes.has(id) ? answerHere(routes, id, request) : backend.fetch(id, request)),
  }
}

async function answerHere(routes: ServerRoutes, id: string, given: BackendRequest): Promise<Response> {
  const { signal } = given
  const answer = routes.answer(id, toRequest(given)).then(decodeAnswer)
  try {
    return await untilAborted(answer, signal)
  } catch (error) {
    // A handler that does not heed its signal ends some time, and nobody reads what it gives.
    answer.then(({ body }) => body?.cancel()).catch(() => {})
    throw error
  }
}

function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    if (signal.aborted) abort()
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}

/** There is no host in between that it could be for. */
function toRequest({ method, path, headers, body, signal }: BackendRequest): Request {
  const init = { method, headers, body, signal, duplex: 'half' }
  return new Request(`http://localhost${path}`, init as RequestInit)
}
