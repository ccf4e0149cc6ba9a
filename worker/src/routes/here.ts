import { AppError, matchRoutePath, parseRoutePath } from '@flash/protocol'
import {
  type BalancedRequest,
  createRoute,
  createSocket,
  createWeb,
  decodeAnswer,
  type SendBalanced,
} from '@flash/runtime/server'
import type { Reply, Visit } from '../balanced/visit.ts'
import type { Callee } from '../execute/call.ts'
import { contextStorage } from '../execute/context.ts'
import type { Worker } from '../execute/worker.ts'
import { askWeb, holdWeb } from './ask-web.ts'
import { toFailureResponse } from './failure.ts'
import { handleRoute } from './handle.ts'
import { checkPath } from './path.ts'
import { refuse } from './refusal.ts'
import { reportFailure } from './report.ts'
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
  const answer = answerHere(callee, workerOf)
  const send: SendBalanced = async (given) => decodeAnswer(await answer(toRequest(given)))
  return createRoute({ method, path, send, inherit: inheritSignal })
}

/** Answers requests by a route in this process: `NOT_FOUND` and `BAD_PATH` for a path that is not the route's. Never rejects. */
export function answerHere(callee: Callee, workerOf: WorkerOf): (request: Request) => Promise<Response> {
  const segments = parseRoutePath(callee.definition.route!.path)
  return createAnswer(workerOf, async (worker, visit) => {
    checkPath(visit.target)
    const params = matchRoutePath(segments, visit.pathname)
    return params ? handleRoute(worker, callee, visit, params) : refuse(visit, { kind: 'nothing' })
  })
}

/** The same for a web app. */
export function webHere(callee: Callee, workerOf: WorkerOf): unknown {
  const answer = createAnswer(workerOf, async (worker, visit) =>
    holdWeb(worker, await askWeb(worker, websOf(worker), callee, visit)),
  )
  const send: SendBalanced = async (given) => decodeAnswer(await answer(toRequest(given)))
  return createWeb({ send, inherit: inheritSignal, connect: refuseConnect })
}

function createAnswer(
  workerOf: WorkerOf,
  answer: (worker: Worker, visit: Visit) => Promise<Reply>,
): (request: Request) => Promise<Response> {
  return async (request) => {
    const worker = workerOf()
    const visit = visitOf(request)
    try {
      return toWebResponse(await answer(worker, visit))
    } catch (error) {
      reportFailure(worker, visit, error)
      return toFailureResponse(error, visit.id)
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
