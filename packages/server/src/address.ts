import { AppError, type Clock, systemClock } from '@flash/protocol'
import { findBundles, findDev, type Post, type QueueAddress } from '@flash/runtime/server'
import { openBuild } from './address/build.ts'
import { findByVariable } from './address/by-variable.ts'
import { createAccount, type FindListed } from './address/in-account.ts'
import { type Env, readVariable } from './address/variables.ts'
import type { RpcBackend } from './backend.ts'
import { createRelay } from './forward/relay.ts'

/** Where an endpoint answers. */
export type Address =
  | {
      kind: 'queue'
      queue: QueueAddress
      /** Where else it may be, when it is not known there. */
      otherwise?: () => Promise<QueueAddress | null>
    }
  /** Something on this machine that runs calls itself: a dev server, or the built bundles. */
  | { kind: 'backend'; backend: Runner }

export type Runner = Omit<RpcBackend, 'find'>

/** Looks for something that runs a function. */
export type FindRunner = (id: string, endpoint: string) => Post | undefined

export interface RegistryOptions {
  /** The project's name on the account. */
  app: string
  /** Read anew for each call; those of the process when omitted. */
  env?: Env
  /** Around the process when omitted. */
  findDev?: FindRunner
  /** Bundles that run already: in this process, or in the one that started it. */
  findBundles?: FindRunner
  /** Starts bundles for `FLASH_TARGET=local`: those of the build around the working directory when omitted. */
  local?: () => Promise<Runner>
  /**
   * The account's own list of endpoints, which settles what its look-up does not know. Whoever can read that list
   * plugs it in here; without it a 404 of the look-up is `ENDPOINT_NOT_DEPLOYED`.
   */
  findListed?: FindListed
  clock?: Clock
  random?: () => number
}

export interface Registry {
  /**
   * Where an endpoint answers now: `FLASH_ENDPOINT_<NAME>`, a dev server, built bundles, the account.
   *
   * - `id`: of one of its functions.
   * - throws `BAD_ADDRESS`, `NO_ACCOUNT`, `BUILD_MISSING`, and what starting bundles throws.
   */
  find(endpoint: string, id: string): Promise<Address>
}

export function createRegistry(options: RegistryOptions): Registry {
  const { app, env = process.env, findListed, clock = systemClock, random = Math.random } = options
  const { local = openBuild } = options
  const account = createAccount({ app, env, findListed, clock, random })
  const findRunner = createFindRunner(options, env)
  return {
    async find(endpoint, id) {
      const named = findByVariable(endpoint, env)
      if (named) return { kind: 'queue', queue: named }
      const post = findRunner(id, endpoint)
      if (post) return { kind: 'backend', backend: createRelay(post, endpoint) }
      if (readTarget(env) === 'local') return { kind: 'backend', backend: await local() }
      const { queue, isLookUp } = await account.find(endpoint)
      return { kind: 'queue', queue, otherwise: isLookUp ? () => account.settle(endpoint) : undefined }
    },
  }
}

/** Throws `BAD_ADDRESS` for what is no target: a slip must not send calls elsewhere. */
function readTarget(env: Env): 'local' | undefined {
  const target = readVariable(env, 'FLASH_TARGET')
  if (target === 'local') return target
  // The other two are for dev servers.
  if (target === undefined || target === 'docker' || target === 'live') return undefined
  throw new AppError('BAD_ADDRESS', {
    message: `FLASH_TARGET is "${target.slice(0, 64)}"; allowed: local, docker, live`,
    hint: 'set it to local to run the built bundles on this machine, or unset it',
  })
}

/** What runs already. A production process looks for no dev server, but for what it was started with. */
function createFindRunner(options: RegistryOptions, env: Env): FindRunner {
  const dev: FindRunner = options.findDev ?? ((id, name) => findDev(id, { name, at: '' }))
  const bundles: FindRunner = options.findBundles ?? findBundles
  return (id, endpoint) => {
    const served = readVariable(env, 'NODE_ENV') === 'production' ? undefined : dev(id, endpoint)
    return served ?? bundles(id, endpoint)
  }
}
