import { AppError, endpointVariable } from '@flash/protocol'
import {
  createRegistry,
  type Env,
  type FoundBalanced,
  isDeveloping,
  type KeyVariable,
  type QueueAddress,
  readBase,
  readVariable,
} from '@flash/runtime/server'
import type { ClientAddress, Use } from './call.ts'

/** An endpoint of the own app that runs a container image. */
export interface ImageEndpoint {
  name: string
  /** Code that a dev server runs may call the one on the account. */
  isLive: boolean
  key: KeyVariable
}

/**
 * By `FLASH_ENDPOINT_<NAME>`, else on the account: the build does not tell a client which app it is of, so `FLASH_APP` has to.
 *
 * - throws `NEEDS_DOCKER` while developing, `ENDPOINT_NOT_DEPLOYED`, `NO_ACCOUNT`, `BAD_ADDRESS`.
 */
export async function findImageAddress(
  { name, isLive, key }: ImageEndpoint,
  env: Env,
  use: Use,
): Promise<ClientAddress> {
  const variable = endpointVariable(name)
  const app = readVariable(env, 'FLASH_APP')
  if (readVariable(env, variable) === undefined) {
    if (!isLive && isDeveloping(env)) throw needsDocker(name, variable)
    if (app === undefined) throw notDeployed(name, variable)
  }
  const missing = () => noAccount(name, variable)
  const registry = createRegistry({ app: app ?? '', env, key: { ...key, missing } })
  const found = await registry[use === 'queue' ? 'find' : 'findBalanced'](name, '')
  // Nothing was given that could run it here.
  const addresses =
    'queues' in found ? found.queues : (found as FoundBalanced<never> & { kind: 'balanced' }).addresses
  const address = addresses[Math.floor(Math.random() * addresses.length)]!
  return { ...address, isDirect: !isOfPlatform(address, env) }
}

function isOfPlatform({ url }: QueueAddress, env: Env): boolean {
  const { host } = new URL(url)
  const base = readBase(env)
  return host === base.host || host.endsWith(`.${base.host}`)
}

function needsDocker(name: string, variable: string): AppError {
  return new AppError('NEEDS_DOCKER', {
    message: `endpoint "${name}" runs an image: on this machine that takes Docker, which development does not start yet`,
    hint: `start the image yourself and set ${variable} to its URL, or add \`dev: { target: 'live' }\` to the config if calls from here may reach the account, and cost what they cost`,
  })
}

function notDeployed(name: string, variable: string): AppError {
  return new AppError('ENDPOINT_NOT_DEPLOYED', {
    message: `endpoint "${name}" runs an image, and nothing says where it answers`,
    hint: `set ${variable} to its id or URL, or FLASH_APP to the app whose endpoint it is on the account`,
  })
}

function noAccount(name: string, variable: string): AppError {
  return new AppError('NO_ACCOUNT', {
    message: `endpoint "${name}" is on the account, and RUNPOD_API_KEY is not set`,
    hint: `set RUNPOD_API_KEY in the environment of this process, or ${variable} to a URL that needs no key`,
  })
}
