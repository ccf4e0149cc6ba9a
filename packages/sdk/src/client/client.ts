import { AppError, type Clock } from '@flash/protocol'
import { type Env, wakingClock } from '@flash/runtime/server'
import { findClientAddress } from './address.ts'
import { requestBalanced } from './balanced.ts'
import type { Need, Use, Verb } from './call.ts'
import { parseClientConfig } from './config.ts'
import { toRemoteError, told } from './failure.ts'
import { type OpenQueue, readItems, toClientStatus } from './job.ts'
import { checkJobOptions, checkRequestOptions } from './known-options.ts'
import { openQueue, runJob } from './queue.ts'
import type { BodyOptions, EndpointClient, RunOptions, WaitOptions } from './types.ts'
import { findWithin } from './within.ts'

/** Those of the process when omitted. */
export interface ClientParts {
  /** Read anew for each call. */
  env?: Env
  fetch?: typeof fetch
  clock?: Clock
  /** 0 to 1; moves pauses a little. */
  random?: () => number
}

/** The client that a config describes; throws `BAD_CONFIG`, `NOT_AVAILABLE`. */
export function createClient(config: unknown, given: ClientParts = {}): EndpointClient<any, any> {
  const plan = parseClientConfig(config)
  const parts = {
    fetch: given.fetch ?? ((...request: Parameters<typeof fetch>) => globalThis.fetch(...request)),
    clock: given.clock ?? wakingClock,
    random: given.random ?? Math.random,
  }
  const find = (need: Need) => findClientAddress(plan, given.env ?? variablesOf(globalThis), need)
  const locate = <O extends WaitOptions>(use: Use, options: O) =>
    findWithin(options, parts.clock, (signal) => find({ use, signal }))
  const open = async () => openQueue(plan, await find({ use: 'queue' }), parts)
  const run = async (input: unknown, options: RunOptions = {}) => {
    checkJobOptions(plan.label, options)
    const { address, rest } = await locate('queue', options)
    return runJob(plan, openQueue(plan, address, parts), input, rest)
  }
  const send =
    (verb: Verb) =>
    (path: string, options: BodyOptions = {}) =>
      told(async () => {
        checkRequestOptions(plan.label, options)
        const { address, rest } = await locate('balanced', options)
        return requestBalanced({ label: plan.label, address, verb, path, options: rest }, parts)
      })
  return {
    run: (input?: unknown, options?: RunOptions) => told(() => run(input, options)),
    runSync: (input?: unknown, options?: RunOptions) => told(async () => (await run(input, options)).wait()),
    status: (jobId) =>
      told(async () => {
        const queue = await open()
        return toClientStatus(queue, await queue.client.status(checkId(jobId)))
      }),
    stream: (jobId) => streamOf<never>(open, jobId),
    cancel: (jobId) => told(async () => (await open()).client.cancel(checkId(jobId))),
    health: () => told(async () => (await open()).client.health()),
    get: send('GET') as EndpointClient['get'],
    post: send('POST') as EndpointClient['post'],
    put: send('PUT') as EndpointClient['put'],
    patch: send('PATCH') as EndpointClient['patch'],
    delete: send('DELETE') as EndpointClient['delete'],
    head: send('HEAD') as EndpointClient['head'],
    options: send('OPTIONS') as EndpointClient['options'],
  }
}

async function* streamOf<Item>(open: () => Promise<OpenQueue>, jobId: string): AsyncGenerator<Item, void> {
  try {
    yield* readItems(await open(), checkId(jobId)) as AsyncGenerator<Item, void>
  } catch (error) {
    throw toRemoteError(error)
  }
}

function checkId(jobId: unknown): string {
  if (typeof jobId === 'string' && jobId !== '') return jobId
  throw new AppError('BAD_REQUEST', {
    message: `the id of a job is a text, and this is ${jobId === '' ? 'empty' : `of type ${typeof jobId}`}`,
    hint: 'pass the `id` of the job that `run` gave',
  })
}

function variablesOf({ process }: { process?: { env: Env } }): Env {
  return process?.env ?? {}
}
