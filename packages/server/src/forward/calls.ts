import {
  AppError,
  type CallHeader,
  type Clock,
  isBalanced,
  type ServerFunction,
  systemClock,
} from '@flash/protocol'
import type { Address, Registry } from '../address.ts'
import type { JobTarget, RpcBackend, RpcJob } from '../backend.ts'
import type { CallEnvelope } from '../envelope.ts'
import { findCallable } from '../target.ts'
import type { KnownFunctions } from './facts.ts'
import { findJob } from './find-job.ts'
import type { FollowerOptions } from './follower.ts'
import { toQueueJob } from './queue-job.ts'
import type { QueueJobs } from './queue-jobs.ts'
import { createSameCalls, type SameCalls } from './same-calls.ts'

export interface CallForwardOptions {
  functions: KnownFunctions
  registry: Pick<Registry, 'find'>
  jobs: QueueJobs
  clock?: Clock
  /** What the call says of itself beside its arguments, throws for one that is not to be made; what the call has when omitted. */
  headerOf?(call: CallEnvelope, fact: ServerFunction): Pick<CallHeader, 'deadline' | 'hops'>
}

type QueueAddressFound = Extract<Address, { kind: 'queue' }>

interface CallContext {
  functions: readonly ServerFunction[]
  addressOf(endpoint: string, id?: string): Promise<Address>
  jobs: QueueJobs
  same: SameCalls
  headerOf: NonNullable<CallForwardOptions['headerOf']>
}

/** Sends calls to the queues of their endpoints, and finds their jobs there. */
export function createCallForward(
  options: CallForwardOptions,
): Pick<RpcBackend, 'submit' | 'warm' | 'job' | 'jobById'> {
  const { functions } = options
  const context = createContext(options)
  const queued = functions.all.filter((fact) => !isBalanced(fact))
  const endpoints = [...new Set(queued.map(({ endpoint }) => endpoint))]
  return {
    async submit(id, call) {
      const fact = functions.get(id)
      const address = await context.addressOf(fact.endpoint, id)
      return address.kind === 'backend'
        ? address.backend.submit(id, call)
        : submit(context, address, fact, call)
    },
    async warm(id, call) {
      const fact = functions.get(id)
      const address = await context.addressOf(fact.endpoint, id)
      if (address.kind === 'queue') throw cannotWarm(fact.endpoint)
      await address.backend.warm(id, call)
    },
    job: async (endpoint, ref, target) =>
      endpoints.includes(endpoint) ? openJob(context, endpoint, ref, target) : null,
    jobById: async (jobId) =>
      context.jobs.recent(jobId) ?? findJob(endpoints, (endpoint) => lookForJob(context, endpoint, jobId)),
  }
}

function createContext({ functions, registry, jobs, clock, headerOf }: CallForwardOptions): CallContext {
  return {
    functions: functions.all,
    addressOf(endpoint, id) {
      const own = functions.all.filter((fact) => fact.endpoint === endpoint)
      // What runs functions is found by one of them; any of the endpoint will do.
      const known = own.find((fact) => fact.id === id) ?? own[0]
      return registry.find(endpoint, known?.id ?? '')
    },
    jobs,
    same: createSameCalls(clock ?? systemClock),
    headerOf:
      headerOf ??
      (({ hops, deadline }) => ({
        ...(hops !== undefined && { hops }),
        ...(deadline !== undefined && { deadline }),
      })),
  }
}

async function submit(
  context: CallContext,
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
  context: CallContext,
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
async function lookForJob(context: CallContext, endpoint: string, jobId: string): Promise<RpcJob | null> {
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
