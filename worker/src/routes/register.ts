import type { Callee } from '../execute/call.ts'
import {
  createDefinition,
  type DefinedRoute,
  type Definition,
  type Functions,
} from '../execute/definition.ts'

/** What is left of a load-balanced endpoint where its routes run: the config that they share. */
export interface DefinedApi {
  readonly config: unknown
}

/** What replaces `endpoint(config)`. */
export function defineApi(config: unknown): DefinedApi {
  return { config }
}

/** What serves it, where it is served. */
type Means = Pick<Definition, 'balanced' | 'createSocketServer'>

/** Makes a route known by its id. */
export function registerRoute(
  functions: Functions,
  id: string,
  { config }: DefinedApi,
  route: DefinedRoute,
  body: unknown,
  means: Means = {},
): Callee {
  const definition = { ...createDefinition(config, body), route, ...means }
  functions[id] = definition
  return { id, definition }
}

/** Makes a web app known by its id. */
export function registerWeb(
  functions: Functions,
  id: string,
  config: unknown,
  body: unknown,
  means: Means = {},
): Callee {
  const definition = { ...createDefinition(config, body), ...means }
  functions[id] = definition
  return { id, definition }
}
