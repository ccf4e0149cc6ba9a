import type { FunctionFact, RouteMethod } from '@flash/protocol'
import type { RouteOptions } from '../../execute/definition.ts'
import { answerHere, routeHere } from '../../routes/here.ts'
import { type DefinedApi, registerRoute } from '../../routes/register.ts'
import { createWorkers } from './workers.ts'

export { defineApi as appApi } from '../../routes/register.ts'

/** The routes of a module by id, an object without prototype: each answers a request whose path is that of the route. Never rejects. */
export type AppRoutes = Record<string, (request: Request) => Promise<Response>>

/** Once per process, whichever module asks: states are shared as they are in a worker. */
const workers = createWorkers()

/**
 * What replaces `api.get(path, handler, { local: true })` in the server of the app: the handler runs in this process, for code
 * that calls it here, and for whoever finds it in `routes`.
 */
export function appRoute(
  routes: AppRoutes,
  id: string,
  api: DefinedApi,
  method: RouteMethod,
  path: string,
  body: unknown,
  options: RouteOptions,
  { endpoint, setup }: Pick<FunctionFact, 'endpoint' | 'setup'>,
): unknown {
  const callee = registerRoute(Object.create(null), id, api, { method, path, options }, body)
  workers.note({ id, setup })
  const workerOf = () => workers.of(endpoint)
  routes[id] = answerHere(callee, workerOf)
  return routeHere(callee, workerOf)
}
