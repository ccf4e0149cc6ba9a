import { isBalanced, queueLimits } from '@flash/protocol'
import type { Reply, Visit } from '../balanced/visit.ts'
import { acquireState, type Callee } from '../execute/call.ts'
import type { Upgrade } from '../execute/socket-server.ts'
import type { Worker } from '../execute/worker.ts'
import { askWeb, holdWeb } from './ask-web.ts'
import { toFailureResponse } from './failure.ts'
import { handleRoute } from './handle.ts'
import { checkPath } from './path.ts'
import { refuse } from './refusal.ts'
import { reportFailure } from './report.ts'
import { type BalancedFunction, createRouter, type Found } from './router.ts'
import { openSocket, type UpgradeHost } from './upgrade.ts'
import { toWebResponse, visitOf } from './visit.ts'
import { websOf } from './webs.ts'

export interface AnswerOptions<F extends BalancedFunction> {
  worker: Worker
  /** The function as its code is now. */
  load(fn: F): Callee | Promise<Callee>
}

/** What answers the requests of a load-balanced endpoint, wherever they come from. */
export interface Answer<F extends BalancedFunction> {
  /** From now on it answers with these. Throws `BAD_ROUTE`. */
  serve(functions: readonly F[]): void
  /** Makes everything that a first request would wait for. Throws what loading throws, and `SETUP_FAILED`. */
  prepare(signal: AbortSignal): Promise<void>
  /** Never rejects. */
  visit(visit: Visit): Promise<Reply>
  /** Never rejects. */
  fetch(request: Request): Promise<Response>
  /** Makes a connection a WebSocket; resolves to an answer where nobody takes it. Never rejects. */
  upgrade(request: Request, upgrade: Upgrade): Promise<Response | undefined>
  /** Tells all WebSockets that the worker leaves. */
  leave(): void
  close(): Promise<void>
}

/** How long a request may take where a config does not say; the same as for jobs. */
const usualLimitMs = queueLimits.executionTimeoutMs.default

interface Host<F extends BalancedFunction> extends UpgradeHost<F> {
  functions: readonly F[]
}

export function createAnswer<F extends BalancedFunction>(options: AnswerOptions<F>): Answer<F> {
  const { worker } = options
  const webs = websOf(worker)
  const host: Host<F> = { ...options, webs, functions: [], route: createRouter<F>([]) }
  const visit = async (visit: Visit): Promise<Reply> => {
    try {
      return await answer(host, visit)
    } catch (error) {
      reportFailure(worker, visit, error)
      return toFailureResponse(error, visit.id)
    }
  }
  return {
    serve(functions) {
      host.functions = functions.filter(isBalanced)
      host.route = createRouter(host.functions)
    },
    prepare: (signal) => prepare(host, signal),
    visit,
    fetch: async (request) => toWebResponse(await visit(visitOf(request))),
    async upgrade(request, upgrade) {
      try {
        return await openSocket(host, request, upgrade)
      } catch (error) {
        const visit = visitOf(request)
        reportFailure(worker, visit, error)
        return toFailureResponse(error, visit.id)
      }
    },
    leave: () => host.sockets?.leave(),
    close: () => webs.close(),
  }
}

async function prepare<F extends BalancedFunction>(
  { functions, load, worker, webs }: Host<F>,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    functions.map(async (fn) => {
      const callee = await load(fn)
      const held = await acquireState(worker, callee, signal)
      held?.release()
      if (fn.kind === 'web') (await webs.acquire(callee)).release?.()
    }),
  )
}

function answer<F extends BalancedFunction>(host: Host<F>, visit: Visit): Reply | Promise<Reply> {
  checkPath(visit.target)
  const found = host.route(visit.method, visit)
  if (found.kind === 'methods' || found.kind === 'nothing') return refuse(visit, found)
  const callee = host.load(found.fn)
  return callee instanceof Promise
    ? callee.then((callee) => ask(host, visit, found, callee))
    : ask(host, visit, found, callee)
}

function ask<F extends BalancedFunction>(
  host: Host<F>,
  visit: Visit,
  found: Extract<Found<F>, { kind: 'route' | 'web' }>,
  callee: Callee,
): Promise<Reply> {
  visit.limit?.(callee.definition.config.executionTimeoutMs ?? usualLimitMs)
  return found.kind === 'route'
    ? handleRoute(host.worker, callee, visit, found.params)
    : askWebApp(host, visit, callee)
}

async function askWebApp<F extends BalancedFunction>(
  { worker, webs }: Host<F>,
  visit: Visit,
  callee: Callee,
): Promise<Reply> {
  return holdWeb(worker, await askWeb(worker, webs, callee, visit))
}
