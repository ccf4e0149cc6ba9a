import type { DefineRoute } from './route.ts'
import type { DefineSocket } from './socket.ts'

/**
 * The routes of a load-balanced endpoint: each method adds one, and gives what callers call.
 *
 * `Given` is what handlers get besides the request: `{ state }` of an endpoint with `setup`.
 */
export interface Api<Given = unknown> {
  readonly get: DefineRoute<Given, 'body'>
  readonly post: DefineRoute<Given>
  readonly put: DefineRoute<Given>
  readonly patch: DefineRoute<Given>
  readonly delete: DefineRoute<Given>
  readonly head: DefineRoute<Given, 'body'>
  readonly options: DefineRoute<Given>
  /** A WebSocket at this path, with the hooks of crossws. */
  readonly ws: DefineSocket
}
