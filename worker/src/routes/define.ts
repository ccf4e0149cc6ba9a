import type { RouteMethod } from '@flash/protocol'
import type { Functions, RouteOptions } from '../execute/definition.ts'
import { currentWorker } from '../execute/worker.ts'
import { serveBalanced } from '../balanced/serve.ts'
import { createAnswer } from './answer.ts'
import { toFailureResponse } from './failure.ts'
import { routeHere, webHere } from './here.ts'
import { type DefinedApi, registerRoute, registerWeb } from './register.ts'
import type { BalancedRuntime } from './runtime.ts'
import { createSocketServer } from './sockets.ts'

export { routeOfServer } from './of-server.ts'
export { defineApi } from './register.ts'

const balanced: BalancedRuntime = { createAnswer, serveBalanced, toFailureResponse }

/**
 * What replaces `api.get(path, handler, options)` in the modules of a worker: the route registers itself, and code of the same
 * worker can call it.
 */
export function defineRoute(
  functions: Functions,
  id: string,
  api: DefinedApi,
  method: RouteMethod,
  path: string,
  body: unknown,
  options: RouteOptions = {},
): unknown {
  const route = { method, path, options }
  return routeHere(registerRoute(functions, id, api, route, body, { balanced }), currentWorker)
}

/** What replaces `api.ws(path, hooks)` there. */
export function defineSocket(
  functions: Functions,
  id: string,
  api: DefinedApi,
  method: 'WS',
  path: string,
  body: unknown,
  options: RouteOptions = {},
): unknown {
  const route = { method, path, options }
  const means = { balanced, createSocketServer }
  return routeHere(registerRoute(functions, id, api, route, body, means), currentWorker)
}

/** What replaces `endpoint(config, web)` there. */
export function defineWeb(functions: Functions, id: string, config: unknown, body: unknown): unknown {
  return webHere(registerWeb(functions, id, config, body, { balanced, createSocketServer }), currentWorker)
}
