import type { FunctionFact, RouteMethod } from '@flash/protocol'
import type { Functions, RouteOptions } from '../../execute/definition.ts'
import type { Worker } from '../../execute/worker.ts'
import { type DefinedApi, registerRoute, registerWeb } from '../../routes/register.ts'
import { routeHere, webHere } from '../../routes/here.ts'
import { createWorkers } from './workers.ts'

export { defineApi as localApi } from '../../routes/register.ts'

const workers = createWorkers()

/** What replaces `api.get(path, handler, options)` under Vitest: calling it runs the handler in this process. */
export function localRoute(
  functions: Functions,
  id: string,
  api: DefinedApi,
  method: RouteMethod,
  path: string,
  body: unknown,
  options: RouteOptions = {},
  fact: FunctionFact,
): unknown {
  const callee = registerRoute(functions, id, api, { method, path, options }, body)
  return routeHere(callee, workerOf(fact))
}

/** The same for `endpoint(config, web)`. */
export function localWeb(
  functions: Functions,
  id: string,
  config: unknown,
  body: unknown,
  fact: FunctionFact,
): unknown {
  return webHere(registerWeb(functions, id, config, body), workerOf(fact))
}

function workerOf(fact: FunctionFact): () => Worker {
  workers.note(fact)
  return () => workers.of(fact.endpoint)
}
