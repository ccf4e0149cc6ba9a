import {
  type AuthorizedCall,
  type CreateFlashHandler,
  createUnboundHandler,
  type FlashHandler,
  type FlashHandlerOptions,
  type Verdict,
} from '@flash/server'

export type { AuthorizedCall, FlashHandler, FlashHandlerOptions, Verdict }

/**
 * Makes the route that browsers call in production, to be mounted in a server of one's own:
 * `export default { fetch: createFlashHandler({ authorize }) }`.
 *
 * The plugin binds it to the functions of the app where it builds the server; in development the dev server answers before it.
 */
export const createFlashHandler: CreateFlashHandler = createUnboundHandler
