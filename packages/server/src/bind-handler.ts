import { AppError, type ServerFacts } from '@flash/protocol'
import { openBuild } from './address/build.ts'
import { createForwardBackend } from './forward.ts'
import { createHandler, type FlashHandler } from './handler.ts'
import { type FlashHandlerOptions, parseHandlerOptions } from './handler-options.ts'
import { withServerRoutes } from './in-server/backend.ts'
import { createBuiltRoutes, type ServerModules } from './in-server/built.ts'
import { problemResponse } from './problem.ts'

/** Makes the production route of an app; throws `BAD_OPTION` for an option that is unknown or wrong. */
export type CreateFlashHandler = (options?: FlashHandlerOptions) => FlashHandler

/**
 * `createFlashHandler` of one app.
 *
 * - `key`: the project key, base64url.
 * - `modules`: of routes that this server runs itself.
 */
export function bindHandler(
  facts: ServerFacts,
  key: string,
  modules: ServerModules = {},
): CreateFlashHandler {
  const routes = createBuiltRoutes(facts, modules)
  return (options = {}) =>
    createHandler(facts, {
      ...parseHandlerOptions(options),
      key: Buffer.from(key, 'base64url'),
      backend: withServerRoutes(createForwardBackend({ facts, local: openBuild }), routes),
    })
}

/**
 * `createFlashHandler` where no app was built in: while developing the dev server answers before it is asked, and
 * everywhere else it says what is missing.
 */
export const createUnboundHandler: CreateFlashHandler = (options = {}) => {
  parseHandlerOptions(options)
  const answer = async () =>
    problemResponse(
      new AppError('PLUGIN_MISSING', {
        message: 'createFlashHandler() knows no functions: this server was not built with the plugin',
        hint: 'add flash() to the build of the server',
      }),
      Response,
    )
  return Object.assign(answer, { upgrade() {} })
}
