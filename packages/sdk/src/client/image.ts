import { AppError, endpointVariable } from '@flash/protocol'
import {
  createRegistry,
  type Env,
  findDevPlace,
  type FoundBalanced,
  type KeyVariable,
  type QueueAddress,
  readBase,
  readVariable,
} from '@flash/runtime/server'
import type { ClientAddress, Need } from './call.ts'
import { findHere, type ImageHere } from './here.ts'

/** An endpoint of the own app that runs a container image. */
export interface ImageEndpoint extends ImageHere {
  /** Code that a dev server runs may call the one on the account. */
  isLive: boolean
  key: KeyVariable
}

/**
 * By `FLASH_ENDPOINT_<NAME>`, else in a container of the dev server, else on the account: the build does not tell a client which app
 * it is of, so `FLASH_APP` has to.
 *
 * - throws while developing `NEEDS_DOCKER` and what else the dev server says, `ENDPOINT_NOT_DEPLOYED`, `NO_ACCOUNT`, `BAD_ADDRESS`.
 */
export async function findImageAddress(
  { name, config, isLive, key }: ImageEndpoint,
  env: Env,
  { use, signal }: Need,
): Promise<ClientAddress> {
  const variable = endpointVariable(name)
  const app = readVariable(env, 'FLASH_APP')
  if (readVariable(env, variable) === undefined) {
    const dev = isLive ? undefined : findDevPlace(env)
    if (dev) return findHere(dev, { name, config }, use, signal)
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

function notDeployed(name: string, variable: string): AppError {
  return new AppError('ENDPOINT_NOT_DEPLOYED', {
    message: `endpoint "${name}" runs an image, which only a dev server starts, and nothing says where it answers`,
    hint: `in a preview, with FLASH_TARGET=local and in production set ${variable} to its id or URL, or FLASH_APP to the app whose endpoint it is on the account`,
  })
}

function noAccount(name: string, variable: string): AppError {
  return new AppError('NO_ACCOUNT', {
    message: `endpoint "${name}" is on the account, and RUNPOD_API_KEY is not set`,
    hint: `set RUNPOD_API_KEY in the environment of this process, or ${variable} to a URL that needs no key`,
  })
}
