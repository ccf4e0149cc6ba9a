import { AppError, workerVariables } from '@flash/protocol'
import { type BalancedServer, serveBalanced } from '../balanced/serve.ts'
import type { FetchOptions } from './types.ts'

type Env = Record<string, string | undefined>

/** On the platform a worker has a port of its own for the world; elsewhere it is for this machine only. */
const usual = { platform: { port: 80, host: '0.0.0.0' }, here: { port: 8_000, host: '127.0.0.1' } }

/**
 * Serves a load-balanced endpoint where the variables say: `PORT`, `PORT_HEALTH`, `HEALTH_CHECK_PATH`, `HOST`.
 *
 * - throws `BAD_ENVIRONMENT` naming the variable; what listening at a port throws.
 */
export async function serveFetch(
  { fetch, ready, maxBodyBytes }: FetchOptions,
  env: Env,
  write: (line: string) => void,
): Promise<BalancedServer> {
  const { port: usualPort, host } = env[workerVariables.worker] ? usual.platform : usual.here
  const port = readPort(env.PORT, 'PORT', usualPort)
  const healthPort = readPort(env.PORT_HEALTH, 'PORT_HEALTH', port)
  ready?.catch((error: unknown) => write(`the worker could not start: ${describe(error)}\n`))
  const server = await serveBalanced({
    fetch,
    ready,
    maxBodyBytes,
    port,
    healthPort,
    host: env.HOST || host,
    healthPath: env.HEALTH_CHECK_PATH || undefined,
    write,
  })
  write(`listening at port ${server.port}\n`)
  return server
}

function readPort(text: string | undefined, name: string, usual: number): number {
  if (!text) return usual
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN
  if (port <= 65_535) return port
  throw new AppError('BAD_ENVIRONMENT', {
    message: `${name} is ${JSON.stringify(text)}, not a port`,
    hint: 'give a whole number from 0 to 65535',
  })
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error)
}
