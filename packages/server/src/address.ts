import { AppError } from '@flash/protocol'
import {
  createRegistry as createBareRegistry,
  type Env,
  findBundles,
  findBundlesServer,
  findDev,
  findDevServer,
  type OpenServer,
  type Post,
  type QueueAddress,
  readVariable,
  type Registry as BareRegistry,
  type RegistryOptions as BareOptions,
} from '@flash/runtime/server'
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

/** Where a load-balanced endpoint answers. */
export type BalancedAddress =
  | {
      kind: 'balanced'
      /** One or more; paths are added to their `url`. */
      addresses: readonly QueueAddress[]
      otherwise?: () => Promise<QueueAddress | null>
    }
  | Extract<Address, { kind: 'backend' }>

export type Runner = Omit<RpcBackend, 'find'>

/** Looks for something that runs a function. */
export type FindRunner = (id: string, endpoint: string) => Post | undefined

export interface RegistryOptions extends Omit<BareOptions<Runner>, 'env' | 'findNear'> {
  /** Read anew for each call; those of the process when omitted. */
  env?: Env
  /** Around the process when omitted. */
  findDev?: FindRunner
  /** Bundles that run already: in this process, or in the one that started it. */
  findBundles?: FindRunner
  /** Chooses one of several addresses; the first when omitted. */
  choose?: (addresses: readonly QueueAddress[]) => QueueAddress
  /** Starts bundles for `FLASH_TARGET=local`, which nothing asks for when omitted. */
  local?: () => Promise<Runner>
}

export interface Registry {
  /**
   * Where an endpoint answers now: `FLASH_ENDPOINT_<NAME>`, a dev server, built bundles, the account.
   *
   * - `id`: of one of its functions.
   * - throws `BAD_ADDRESS`, `NO_ACCOUNT`, `BUILD_MISSING`, and what starting bundles throws.
   */
  find(endpoint: string, id: string): Promise<Address>
  /** The same for an endpoint that takes HTTP requests. */
  findBalanced(endpoint: string, id: string): Promise<BalancedAddress>
}

export function createRegistry(options: RegistryOptions): Registry {
  const { env = process.env, local, choose = ([first]) => first! } = options
  const findRunner = createFindRunner(options, env)
  const registry = createBareRegistry<Runner>({
    ...options,
    env,
    findNear(endpoint, id) {
      const post = findRunner(id, endpoint)
      if (post) return createRelay(post, endpoint, findServer(id, endpoint))
      return local && readTarget(env) === 'local' ? local() : undefined
    },
  })
  return toRegistry(registry, choose)
}

/** - `choose`: one of several addresses. */
export function toRegistry(
  registry: BareRegistry<Runner>,
  choose: NonNullable<RegistryOptions['choose']>,
): Registry {
  return {
    async find(endpoint, id) {
      const found = await registry.find(endpoint, id)
      if (found.kind === 'near') return { kind: 'backend', backend: found.near }
      return { kind: 'queue', queue: choose(found.queues), otherwise: found.otherwise }
    },
    async findBalanced(endpoint, id) {
      const found = await registry.findBalanced(endpoint, id)
      return found.kind === 'near' ? { kind: 'backend', backend: found.near } : found
    },
  }
}

/** Where that listens which runs a function, once that is asked. */
function findServer(id: string, name: string): OpenServer | undefined {
  return findDevServer(id, { name, at: '' }) ?? findBundlesServer(id)
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
