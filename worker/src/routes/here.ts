import { AppError, matchRoutePath, parseRoutePath } from '@flash/protocol'
import {
  type BalancedRequest,
  createRoute,
  createSocket,
  createWeb,
  type SendBalanced,
} from '@flash/runtime/server'
import type { Reply, Visit } from '../balanced/visit.ts'
import type { Callee } from '../execute/call.ts'
import { contextStorage } from '../execute/context.ts'
import type { Worker } from '../execute/worker.ts'
import { askWeb, holdWeb } from './ask-web.ts'
import { isWorkersFault, toFailureResponse } from './failure.ts'
import { handleRoute } from './handle.ts'
import { toWebResponse, visitOf } from './visit.ts'
import { websOf } from './webs.ts'

/** Whose state and context a call in this process has; asked at each call. */
type WorkerOf = () => Worker

/**
 * What code in the same process calls instead of a route's address: the handler runs right here, behind a real `Request` and
 * `Response`.
 */
export function routeHere(callee: Callee, workerOf: WorkerOf): unknown {
  const { method, path } = callee.definition.route!
  if (method === 'WS') return createSocket({ path, connect: refuseConnect })
  const send = createSend(workerOf, (worker, visit) => {
    const params = matchRoutePath(parseRoutePath(path), visit.pathname)
    return handleRoute(worker, callee, visit, params ?? {})
  })
  return createRoute({ method, path, send, inherit: inheritSignal })
}

/** The same for a web app. */
export function webHere(callee: Callee, workerOf: WorkerOf): unknown {
  const send = createSend(workerOf, async (worker, visit) =>
    holdWeb(worker, await askWeb(worker, websOf(worker), callee, visit)),
  )
  return createWeb({ send, inherit: inheritSignal, connect: refuseConnect })
}

function createSend(
  workerOf: WorkerOf,
  answer: (worker: Worker, visit: Visit) => Promise<Reply>,
): SendBalanced {
  return async (given) => {
    const worker = workerOf()
    const request = toRequest(given)
    try {
      return toWebResponse(await answer(worker, visitOf(request)))
    } catch (error) {
      if (isWorkersFault(error) && !request.signal.aborted) worker.report(error)
      return toFailureResponse(error)
    }
  }
}

function toRequest({ method, path, headers, body, signal }: BalancedRequest): Request {
  const init = { method, headers, body, signal, duplex: 'half' }
  return new Request(`http://localhost${path}`, init as RequestInit)
}

/** What ends the call that asks ends what it asks for. */
function inheritSignal<T extends { signal?: AbortSignal }>(limits: T): T {
  const caller = contextStorage().getStore()?.signal
  if (!caller) return limits
  return { ...limits, signal: limits.signal ? AbortSignal.any([limits.signal, caller]) : caller }
}

async function refuseConnect(): Promise<never> {
  throw new AppError('WEBSOCKET_UNSUPPORTED', {
    message:
      'a WebSocket of this worker cannot be opened from its own code: there is no connection in between',
    hint: 'open it from a page, a server or another endpoint',
  })
}
