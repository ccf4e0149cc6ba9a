import {
  type LocalBalanced,
  type LocalEndpoint,
  type LocalFunction,
  type LocalSubmission,
  resolveBalancedLimits,
} from '@flash/emulator'
import {
  type Clock,
  type FunctionFact,
  inputShape,
  isBalanced,
  systemClock,
  writeConstruct,
  writeInput,
} from '@flash/protocol'
import type { RpcBackend, RpcJob } from '../backend.ts'
import type { CallEnvelope } from '../envelope.ts'
import { findCallable, routesOf, unknownFunction } from '../target.ts'
import { fetchSeat } from './fetch-seat.ts'
import { toRpcJob } from './job.ts'

/** What accepting a call takes to know about a function. */
export type LocalFact = LocalFunction & Pick<FunctionFact, 'endpoint' | 'exportPath' | 'route'>

/** What the browser wire needs of whoever runs endpoints on this machine. */
export interface LocalBackendHost<F extends LocalFact> {
  function(id: string): F | null
  /** Everything there is now. */
  functions(): readonly LocalFact[]
  /** Looks for functions again; false when that was just done, or would find nothing new. */
  rescan(): Promise<boolean>
  endpoint(fact: F): Promise<LocalEndpoint<F>>
  /** Of a route or a web app. */
  balanced(fact: F): Promise<Pick<LocalBalanced, 'name' | 'seat'>>
  find(endpoint: string): LocalEndpoint | undefined
  all(): LocalEndpoint[]
  maxBodyBytes: number
  clock: Clock
}

/** Runs calls of the browser wire on the local queues. */
export function createLocalBackend<F extends LocalFact>(host: LocalBackendHost<F>): RpcBackend {
  const { clock } = host
  const platform = resolveBalancedLimits()
  const limits = { ...platform, bytes: Math.max(host.maxBodyBytes, platform.bytes) }
  const factOf = (id: string) => {
    const fact = host.function(id)
    if (fact) return fact
    throw unknownFunction(id)
  }
  return {
    async find(id) {
      const fact = host.function(id) ?? ((await host.rescan()) ? host.function(id) : null)
      if (!fact) return null
      const { endpoint, kind, route } = fact
      if (!isBalanced(fact)) return { endpoint, maxBodyBytes: host.maxBodyBytes }
      return { endpoint, maxBodyBytes: limits.bytes, kind, route, routes: routesOf(host.functions(), fact) }
    },
    async submit(id, call) {
      const fact = factOf(id)
      const endpoint = await host.endpoint(fact)
      const status = endpoint.submit(await toSubmission(fact, call))
      return toRpcJob(
        endpoint,
        status.id,
        call.executionTimeoutMs ?? endpoint.executionTimeoutMs,
        systemClock.now(),
      )
    },
    async warm(id) {
      const fact = factOf(id)
      const endpoint = await host.endpoint(fact)
      await endpoint.warm(fact)
    },
    async fetch(id, request) {
      const endpoint = await host.balanced(factOf(id))
      return fetchSeat(await endpoint.seat(request), request, { clock, limits })
    },
    async seat(id, signal) {
      const endpoint = await host.balanced(factOf(id))
      return endpoint.seat({ signal })
    },
    job: (name, jobId) => jobOf(host.find(name), jobId),
    jobById: (jobId) =>
      jobOf(
        host.all().find(({ queue }) => queue.status(jobId)),
        jobId,
      ),
  }
}

function jobOf(endpoint: LocalEndpoint | undefined, jobId: string): RpcJob | null {
  if (!endpoint?.queue.status(jobId)) return null
  return toRpcJob(endpoint, jobId, endpoint.executionTimeoutMs, systemClock.now())
}

async function toSubmission<F extends LocalFact>(fact: F, call: CallEnvelope): Promise<LocalSubmission<F>> {
  const {
    args,
    new: constructorArgs,
    fn,
    run: _run,
    timeoutMs: _timeout,
    warm: _warm,
    s3Config: _s3,
    hops,
    deadline,
    ...policy
  } = call
  const callable = findCallable(fact, fn)
  const construct = fact.kind === 'class' ? await writeConstruct(constructorArgs ?? []) : undefined
  // The arguments were decoded for this call alone, so their bytes need no copy.
  const { input, parts } = await writeInput(
    inputShape(fact),
    args,
    { v: 1, fn: callable.name, new: construct, hops, deadline },
    { borrow: true },
  )
  return { fact, input, parts, foreign: false, kind: 'run', ...policy }
}
