import type { ServerFacts } from '@flash/protocol'
import { createSteady, type QueueClientOptions } from '@flash/runtime/server'
import { createRegistry, type RegistryOptions } from './address.ts'
import type { RpcBackend } from './backend.ts'
import type { BalancedSender } from './forward/balanced.ts'
import { createCallForward } from './forward/calls.ts'
import { createKnownFunctions } from './forward/facts.ts'
import { createQueueJobs } from './forward/queue-jobs.ts'
import { createRequestForward } from './forward/requests.ts'

export interface ForwardOptions extends Omit<RegistryOptions, 'app'> {
  facts: ServerFacts
  fetch?: QueueClientOptions['fetch']
  /** The largest call; what its endpoint takes when omitted. */
  maxBodyBytes?: number
}

/**
 * Sends calls to wherever their endpoint answers. It keeps nothing that another process would need: a job is found by
 * its endpoint and id; only the stream of a generator goes on where it began.
 *
 * - `submit` throws what the address and the queue refuse: `ENDPOINT_NOT_DEPLOYED`, `NO_ACCOUNT`, `ACCOUNT_REFUSED`,
 *   `BAD_ADDRESS`, `PAYLOAD_TOO_LARGE`, `SUBMIT_UNKNOWN`, `TRANSPORT`, and what does not travel.
 * - `fetch` throws the like, and `NO_WORKERS`.
 */
export function createForwardBackend({ facts, fetch, maxBodyBytes, ...options }: ForwardOptions): RpcBackend {
  const { clock, random, env = process.env } = options
  const functions = createKnownFunctions(facts.functions, maxBodyBytes)
  const registry = createRegistry({ ...options, app: facts.app })
  const jobs = createQueueJobs({ clock, fetch, random })
  let steady: BalancedSender['steady'] | undefined
  const openSender = () => ({ env, steady: (steady ??= createSteady({ env, clock, fetch, random })) })
  return {
    find: async (id) => functions.find(id),
    ...createCallForward({ functions, registry, jobs, clock }),
    ...createRequestForward({ functions, registry, openSender }),
  }
}
