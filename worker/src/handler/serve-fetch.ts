import { inspect } from 'node:util'
import { readPlace } from '../balanced/places.ts'
import { type BalancedServer, serveBalanced } from '../balanced/serve.ts'
import type { FetchOptions } from './types.ts'

/**
 * Serves a load-balanced endpoint where the variables say: `PORT`, `PORT_HEALTH`, `HEALTH_CHECK_PATH`, `HOST`.
 *
 * - throws `BAD_ENVIRONMENT` naming the variable; what listening at a port throws.
 */
export async function serveFetch(
  { fetch, ready, maxBodyBytes }: FetchOptions,
  env: Record<string, string | undefined>,
  write: (line: string) => void,
): Promise<BalancedServer> {
  ready?.catch((error: unknown) => write(`the worker could not start: ${inspect(error)}\n`))
  const server = await serveBalanced({ fetch, ready, maxBodyBytes, ...readPlace(env), write })
  write(`listening at port ${server.port}\n`)
  return server
}
