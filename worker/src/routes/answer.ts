import { isBalanced } from '@flash/protocol'
import type { Reply, Visit } from '../balanced/visit.ts'
import { acquireState, type Callee } from '../execute/call.ts'
import type { Upgrade } from '../execute/socket-server.ts'
import type { Worker } from '../execute/worker.ts'
import { askWeb, holdWeb } from './ask-web.ts'
import { isWorkersFault, toFailureResponse } from './failure.ts'
import { handleRoute } from './handle.ts'
import { refuse } from './refusal.ts'
import { type BalancedFunction, createRouter } from './router.ts'
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

interface Host<F extends BalancedFunction> extends UpgradeHost<F> {
  functions: readonly F[]
}

export function createAnswer<F extends BalancedFunction>(options: AnswerOptions<F>): Answer<F> {
  const { worker } = options
  const webs = websOf(worker)
  const host: Host<F> = { ...options, webs, functions: [], route: createRouter<F>([]) }
  const reporting = async <T>(
    { signal }: Pick<Request, 'signal'>,
    run: () => Promise<T>,
  ): Promise<T | Response> => {
    try {
      return await run()
    } catch (error) {
      if (isWorkersFault(error) && !signal.aborted) worker.report(error)
      return toFailureResponse(error)
    }
  }
  const visit = (visit: Visit) => reporting<Reply>(visit, () => answer(host, visit))
  return {
    serve(functions) {
      host.functions = functions.filter(isBalanced)
      host.route = createRouter(host.functions)
    },
    prepare: (signal) => prepare(host, signal),
    visit,
    fetch: async (request) => toWebResponse(await visit(visitOf(request))),
    upgrade: (request, upgrade) => reporting(request, () => openSocket(host, request, upgrade)),
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

async function answer<F extends BalancedFunction>(host: Host<F>, visit: Visit): Promise<Reply> {
  const { route, load, worker, webs } = host
  const found = route(visit.method, visit)
  if (found.kind === 'methods' || found.kind === 'nothing') return refuse(visit, found)
  const callee = await load(found.fn)
  return found.kind === 'route'
    ? handleRoute(worker, callee, visit, found.params)
    : holdWeb(worker, await askWeb(worker, webs, callee, visit))
}
