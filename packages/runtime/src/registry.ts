import { type Clock, systemClock } from '@flash/protocol'
import { findByVariable } from './registry/by-variable.ts'
import { createAccount, type FindListed } from './registry/in-account.ts'
import { accountKey, type Env, type KeyVariable, queueToBalancedUrl, readBase } from './registry/variables.ts'
import type { QueueAddress } from './send/types.ts'

export interface RegistryOptions<Near> {
  /** The project's name on the account. */
  app: string
  env: Env
  /** The account key when omitted. */
  key?: KeyVariable
  /** What runs an endpoint's function on this machine, asked before the account. */
  findNear?(endpoint: string, id: string): Near | undefined | Promise<Near | undefined>
  /**
   * The account's own list of endpoints, which settles what its look-up does not know. Whoever can read that list
   * plugs it in here; without it a 404 of the look-up is `ENDPOINT_NOT_DEPLOYED`.
   */
  findListed?: FindListed
  clock?: Clock
  random?: () => number
}

/** Where an endpoint answers. */
export type Found<Near> =
  | {
      kind: 'queue'
      /** One. */
      queues: QueueAddress[]
      /** Where else it may be, when it is not known there. */
      otherwise?: () => Promise<QueueAddress | null>
    }
  | { kind: 'near'; near: Near }

/** Where a load-balanced endpoint answers. */
export type FoundBalanced<Near> =
  | {
      kind: 'balanced'
      /** One or more; paths are appended to their `url`. */
      addresses: QueueAddress[]
      /** Where else it may be, when it is not known there. */
      otherwise?: () => Promise<QueueAddress | null>
    }
  | { kind: 'near'; near: Near }

/** Endpoint name → address. */
export interface Registry<Near> {
  /**
   * Where an endpoint answers now: by `FLASH_ENDPOINT_<NAME>`, near, on the account.
   *
   * - `id`: of one of its functions.
   * - throws `BAD_ADDRESS`, and without a key what its variable says, or `NO_ACCOUNT`.
   */
  find(endpoint: string, id: string): Promise<Found<Near>>
  /** The same for an endpoint that takes HTTP requests. */
  findBalanced(endpoint: string, id: string): Promise<FoundBalanced<Near>>
}

export function createRegistry<Near = never>(options: RegistryOptions<Near>): Registry<Near> {
  const { app, env, key = accountKey, findListed, clock = systemClock, random = Math.random } = options
  const account = createAccount({ app, env, key, findListed, clock, random })
  const look = async (endpoint: string, id: string, balanced: boolean): Promise<FoundBalanced<Near>> => {
    const named = findByVariable(endpoint, { env, key, balanced })
    if (named) return { kind: 'balanced', addresses: named }
    const near = await options.findNear?.(endpoint, id)
    if (near !== undefined) return { kind: 'near', near }
    const { queue, isLookUp } = await account.find(endpoint)
    const convert = (address: QueueAddress) => (balanced ? toBalanced(address, env) : address)
    const settle = async () => {
      const found = await account.settle(endpoint)
      return found && convert(found)
    }
    return { kind: 'balanced', addresses: [convert(queue)], otherwise: isLookUp ? settle : undefined }
  }
  return {
    async find(endpoint, id) {
      const found = await look(endpoint, id, false)
      if (found.kind === 'near') return found
      return { kind: 'queue', queues: found.addresses, otherwise: found.otherwise }
    },
    findBalanced: (endpoint, id) => look(endpoint, id, true),
  }
}

/** The account names every endpoint as if it had a queue. */
function toBalanced(address: QueueAddress, env: Env): QueueAddress {
  return { ...address, url: queueToBalancedUrl(readBase(env), address.url) }
}
