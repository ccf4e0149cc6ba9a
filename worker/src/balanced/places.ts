import { AppError, workerVariables } from '@flash/protocol'

/** Where a worker listens. */
export interface BalancedPlace {
  host: string
  port: number
  healthPort: number
  healthPath?: string
}

/** On the platform a worker has a port of its own for the world; elsewhere it is for this machine only. */
const usual = { platform: { port: 80, host: '0.0.0.0' }, here: { port: 8_000, host: '127.0.0.1' } }

/** By the variables `PORT`, `PORT_HEALTH`, `HEALTH_CHECK_PATH`, `HOST`; throws `BAD_ENVIRONMENT` naming the variable. */
export function readPlace(env: Record<string, string | undefined>): BalancedPlace {
  const { port: usualPort, host } = env[workerVariables.worker] ? usual.platform : usual.here
  const port = readPort(env.PORT, 'PORT', usualPort)
  return {
    host: env.HOST || host,
    port,
    healthPort: readPort(env.PORT_HEALTH, 'PORT_HEALTH', port),
    healthPath: env.HEALTH_CHECK_PATH || undefined,
  }
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
