import { AppError } from '@flash/protocol'

/**
 * What stands in a worker for a route with `local: true`: it runs in the server of the app, and no worker knows where that is.
 *
 * - `name`: `api.GET /me`; `at`: where its author wrote it.
 */
export function routeOfServer(name: string, at: string): () => Promise<never> {
  return async () => {
    throw new AppError('LOCAL_NEEDS_SERVER', {
      message: `\`${name}\` (${at}) has \`local: true\`: it runs in the server of the app, which workers cannot call`,
      hint: 'call it from pages and from server code; what a worker needs of it goes into a function of its own, or into a route without `local`',
    })
  }
}
