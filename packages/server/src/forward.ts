import {
  AppError,
  type CallHeader,
  isBalanced,
  queueLimits,
  type ServerFacts,
  type ServerFunction,
  systemClock,
} from '@flash/protocol'
import { createSteady, type QueueClientOptions } from '@flash/runtime/server'
import { type Address, type BalancedAddress, createRegistry, type RegistryOptions } from './address.ts'
import type { BackendRequest, BackendSeat, FoundFunction, JobTarget, RpcBackend, RpcJob } from './backend.ts'
import type { CallEnvelope } from './envelope.ts'
import { type BalancedSender, sendBalanced, toSeat } from './forward/balanced.ts'
import { findJob } from './forward/find-job.ts'
import type { FollowerOptions } from './forward/follower.ts'
import { toQueueJob } from './forward/queue-job.ts'
import { createQueueJobs, type QueueJobs, type QueueJobsOptions } from './forward/queue-jobs.ts'
import { createSameCalls, type SameCalls } from './forward/same-calls.ts'
import { findCallable, routesOf, unknownFunction } from './target.ts'
import { noWebSockets } from './upgrade.ts'

export interface ForwardOptions extends Omit<RegistryOptions, 'app'> {
  facts: ServerFacts
  fetch?: QueueClientOptions['fetch']
  /** Makes the client of an address; one that does no more than it must when omitted. */
  createClient?: QueueJobsOptions['createClient']
  /** What the call says of itself beside its arguments; throws for one that is not to be made. */
  headerOf?(call: CallEnvelope, fact: ServerFunction): Pick<CallHeader, 'deadline' | 'hops'>
  /** How requests reach load-balanced endpoints; by the settings of the process when omitted. */
  steady?: BalancedSender['steady']
  /** What a request says of itself beside its own headers; throws for one that is not to be made. */
  headersOf?(request: BackendRequest, fact: ServerFunction): Record<string, string>
  /** The largest call; what its endpoint takes when omitted. */
  maxBodyBytes?: number
}

/** Of a request to a load-balanced endpoint. */
const balancedBytes = 30_000_000

type QueueAddressFound = Extract<Address, { kind: 'queue' }>

interface ForwardContext {
  functions: readonly ServerFunction[]
  addressOf(endpoint: string, id?: string): Promise<Address>
  balancedOf(fact: ServerFunction): Promise<BalancedAddress>
  sender(): BalancedSender
  headersOf: NonNullable<ForwardOptions['headersOf']>
  jobs: QueueJobs
  same: SameCalls
  headerOf: NonNullable<ForwardOptions['headerOf']>
}

/**
 * Sends calls to wherever their endpoint answers. It keeps nothing that another process would need: a job is found by
 * its endpoint and id; only the stream of a generator goes on where it began.
 *
 * - `submit` throws what the address and the queue refuse: `ENDPOINT_NOT_DEPLOYED`, `NO_ACCOUNT`, `ACCOUNT_REFUSED`,
 *   `BAD_ADDRESS`, `PAYLOAD_TOO_LARGE`, `SUBMIT_UNKNOWN`, `TRANSPORT`, and what does not travel.
 * - `fetch` throws the like, and `NO_WORKERS`.
 */
export function createForwardBackend(options: ForwardOptions): RpcBackend {
  const context = createContext(options)
  const byId = new Map(context.functions.map((fact) => [fact.id, fact]))
  const queued = context.functions.filter((fact) => !isBalanced(fact))
  const endpoints = [...new Set(queued.map(({ endpoint }) => endpoint))]
  const factOf = (id: string) => {
    const fact = byId.get(id)
    if (fact) return fact
    throw unknownFunction(id)
  }
  return {
    async find(id) {
      const fact = byId.get(id)
      return fact ? toFound(fact, context.functions, options.maxBodyBytes) : null
    },
    async submit(id, call) {
      const fact = factOf(id)
      const address = await context.addressOf(fact.endpoint, id)
      return address.kind === 'backend'
        ? address.backend.submit(id, call)
        : submit(context, address, fact, call)
    },
    async warm(id, call) {
      const fact = factOf(id)
      const address = await context.addressOf(fact.endpoint, id)
      if (address.kind === 'queue') throw cannotWarm(fact.endpoint)
      await address.backend.warm(id, call)
    },
    fetch: async (id, request) => fetchFrom(context, factOf(id), request),
    seat: async (id, signal) => openSeat(context, factOf(id), signal),
    job: async (endpoint, ref, target) =>
      endpoints.includes(endpoint) ? openJob(context, endpoint, ref, target) : null,
    jobById: async (jobId) =>
      context.jobs.recent(jobId) ?? findJob(endpoints, (endpoint) => lookForJob(context, endpoint, jobId)),
  }
}

function createContext({ facts, fetch, createClient, ...options }: ForwardOptions): ForwardContext {
  const { functions, app } = facts
  const { clock, random, env = process.env, headerOf = () => ({}), headersOf = () => ({}) } = options
  let { steady } = options
  const registry = createRegistry({ ...options, app })
  return {
    functions,
    addressOf(endpoint, id) {
      const own = functions.filter((fact) => fact.endpoint === endpoint)
      // What runs functions is found by one of them; any of the endpoint will do.
      const known = own.find((fact) => fact.id === id) ?? own[0]
      return registry.find(endpoint, known?.id ?? '')
    },
    balancedOf: ({ endpoint, id }) => registry.findBalanced(endpoint, id),
    sender: () => ({ env, steady: (steady ??= createSteady({ env, clock, fetch, random })) }),
    headersOf,
    jobs: createQueueJobs({ clock, fetch, random, createClient }),
    same: createSameCalls(clock ?? systemClock),
    headerOf,
  }
}

/** A queue takes what it takes; the platform passes on 30 MB at most. */
function toFound(
  fact: ServerFunction,
  functions: readonly ServerFunction[],
  maxBodyBytes: number | undefined,
): FoundFunction {
  const { endpoint, kind, route } = fact
  const limitBytes = isBalanced(fact) ? balancedBytes : queueLimits.runSyncBytes
  return {
    endpoint,
    kind,
    route,
    routes: routesOf(functions, fact),
    maxBodyBytes: Math.min(maxBodyBytes ?? limitBytes, limitBytes),
  }
}

async function fetchFrom(
  context: ForwardContext,
  fact: ServerFunction,
  request: BackendRequest,
): Promise<Response> {
  const own = context.headersOf(request, fact)
  const address = await context.balancedOf(fact)
  if (address.kind === 'backend') return address.backend.fetch(fact.id, request)
  const headers = new Headers(request.headers)
  for (const [name, value] of Object.entries(own)) headers.set(name, value)
  return sendBalanced(context.sender(), address, { ...request, headers })
}

async function openSeat(
  context: ForwardContext,
  fact: ServerFunction,
  signal: AbortSignal,
): Promise<BackendSeat> {
  const address = await context.balancedOf(fact)
  if (address.kind !== 'backend') return toSeat(context.sender(), address)
  if (address.backend.seat) return address.backend.seat(fact.id, signal)
  throw noWebSockets()
}

async function submit(
  context: ForwardContext,
  address: QueueAddressFound,
  fact: ServerFunction,
  call: CallEnvelope,
): Promise<RpcJob> {
  const { jobs, same } = context
  const callable = findCallable(fact, call.fn)
  const gives = callable.kind === 'generator' ? 'items' : 'value'
  const job = await toQueueJob(fact, callable, call, context.headerOf(call, fact))
  const send = async (queue: QueueAddressFound['queue']) => {
    const client = jobs.client(queue)
    const status = await client.submit(job)
    const known = { client, endpoint: fact.endpoint, jobId: status.id, gives, attached: !call.run } as const
    return jobs.accepted(known, status, call.executionTimeoutMs)
  }
  const sendAnywhere = async () => {
    try {
      return await send(address.queue)
    } catch (error) {
      const other = isNotDeployed(error) ? await address.otherwise?.() : undefined
      if (!other) throw error
      return send(other)
    }
  }
  const keyed = { id: fact.id, method: call.fn, key: call.idempotencyKey, scope: call.scope }
  return same.once(keyed, sendAnywhere, ({ id: jobId, deadline }) => {
    if (call.run) jobs.keep(jobId)
    const client = jobs.client(address.queue)
    return jobs.open({ client, endpoint: fact.endpoint, jobId, gives, attached: false }, jobId, deadline)
  })
}

async function openJob(
  context: ForwardContext,
  endpoint: string,
  ref: string,
  target?: JobTarget,
): Promise<RpcJob | null> {
  const { jobs } = context
  const address = await context.addressOf(endpoint, target?.id)
  if (address.kind === 'backend') return address.backend.job(endpoint, ref, target)
  const client = jobs.client(address.queue)
  const gives = givesOf(context.functions, endpoint, target)
  return jobs.open({ client, endpoint, jobId: jobs.idOf(ref), gives, attached: false }, ref)
}

/** By a bare id nothing says which endpoint has the job, so it is asked whether it does. */
async function lookForJob(context: ForwardContext, endpoint: string, jobId: string): Promise<RpcJob | null> {
  const address = await context.addressOf(endpoint)
  if (address.kind === 'backend') return address.backend.jobById(jobId)
  const job = await openJob(context, endpoint, jobId)
  await job?.status()
  return job
}

/** What the function of a token, or else what the functions of an endpoint give. */
function givesOf(
  functions: readonly ServerFunction[],
  endpoint: string,
  target?: JobTarget,
): FollowerOptions['gives'] {
  const own = functions.filter((fact) => fact.endpoint === endpoint)
  const fact = own.find(({ id }) => id === target?.id)
  const callables = fact
    ? fact.callables.filter(({ name }) => fact.kind !== 'class' || name === target?.method)
    : own.flatMap((one) => one.callables)
  const generators = callables.filter(({ kind }) => kind === 'generator').length
  if (generators === 0) return 'value'
  return generators === callables.length ? 'items' : 'either'
}

function isNotDeployed(error: unknown): boolean {
  return error instanceof AppError && error.code === 'ENDPOINT_NOT_DEPLOYED'
}

/** A queue takes jobs that run the function, and no others. */
function cannotWarm(endpoint: string): AppError {
  return new AppError('NOT_AVAILABLE', {
    message: `endpoint "${endpoint}" is deployed, and \`.warm()\` works in development only: a deployed queue knows no job that runs nothing but \`setup\``,
    hint: 'give the endpoint a minimum of workers (`workers: [1, n]`), or call the function once',
  })
}
