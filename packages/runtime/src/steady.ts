import { AppError, type Clock } from '@flash/protocol'
import { createBalancer } from './balance/balancer.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import { emitMetric, type EmitMetric } from './metrics.ts'
import type { Env } from './registry/variables.ts'
import { retry } from './retry.ts'
import { createQueueClient } from './send/queue.ts'
import type { QueueAddress, QueueClient, QueueClientOptions, QueueJob } from './send/types.ts'
import { type CallSettings, readCallSettings } from './settings.ts'
import { wakingClock } from './waking-clock.ts'

export interface SteadyOptions extends QueueClientOptions {
  env: Env
  /** What the build says; the variables `FLASH_RETRY_ENABLED`, `FLASH_CIRCUIT_BREAKER_ENABLED` and `FLASH_LB_STRATEGY` come before. */
  settings?: Partial<CallSettings>
  emit?: EmitMetric
  warn?: (line: string) => void
}

/** Calls that bear with addresses in trouble. */
export interface Steady {
  /** One of several addresses of an endpoint; those that fail are spared. */
  choose(addresses: readonly QueueAddress[]): QueueAddress
  /**
   * A client that tries again what was not dispatched, and spares an address that fails.
   *
   * - throws also `CIRCUIT_OPEN` and `RETRIES_EXHAUSTED`.
   */
  client(address: QueueAddress): QueueClient
}

const rememberedBreakers = 1_000

/** Settings are read once, from variables. */
export function createSteady(options: SteadyOptions): Steady {
  const { env, emit = emitMetric, warn = (line) => console.warn(`[flash] ${line}`) } = options
  const { clock = wakingClock, random = Math.random } = options
  const settings = readCallSettings(env, options.settings ?? {}, warn)
  const breakers = settings.breaker ? createBreakers(clock, emit) : undefined
  const balancer = createBalancer(settings.balance, random, emit)
  return {
    choose: (addresses) => balancer.choose(addresses, (address) => breakers?.of(address).state() === 'open'),
    client(address) {
      const client = createQueueClient(address, options)
      const { endpoint, url } = address
      const breaker = breakers?.of(address)
      const once = (job: QueueJob) =>
        balancer.hold(address, () => counted(() => client.submit(job), emit, { endpoint, address: url }))
      const attempt = breaker ? (job: QueueJob) => breaker.run(() => once(job)) : once
      const how = { clock, random, emit, endpoint, enabled: settings.retry }
      return {
        ...client,
        submit: (job) => submit(() => attempt(job), job, how),
        follow(jobId, given) {
          const follow = client.follow(jobId, given)
          return {
            next: () =>
              follow.next().catch((error: unknown) => {
                breaker?.note(error)
                throw error
              }),
          }
        },
      }
    },
  }
}

/** One for each address; those that nobody asked for the longest are forgotten. */
function createBreakers(clock: Clock, emit: EmitMetric) {
  const breakers = new Map<string, Breaker>()
  return {
    of({ endpoint, url, headers }: QueueAddress): Breaker {
      // By the look-up all endpoints have one URL.
      const key = JSON.stringify([url, headers])
      const known = breakers.get(key) ?? create(endpoint, url)
      breakers.delete(key)
      breakers.set(key, known)
      if (breakers.size > rememberedBreakers) breakers.delete(breakers.keys().next().value!)
      return known
    },
  }
  function create(endpoint: string, url: string): Breaker {
    return createBreaker({
      name: `endpoint "${endpoint}"`,
      isFailure,
      clock,
      onChange: (from, to) => emit('circuit_breaker_state_changed', 1, { endpoint, address: url, from, to }),
    })
  }
}

/** Whether the address or the network is in trouble. A function that throws, and a call that is refused, say nothing of it. */
function isFailure(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'TRANSPORT' || error.code === 'SUBMIT_UNKNOWN')
}

/** A job is given to a queue again only when the queue has certainly not received it. */
function wasNotSent(error: unknown): boolean {
  return error instanceof AppError && (error.data as { sent?: unknown } | undefined)?.sent === false
}

async function counted<T>(
  work: () => Promise<T>,
  emit: EmitMetric,
  labels: { endpoint: string; address: string },
): Promise<T> {
  try {
    const value = await work()
    emit('endpoint_requests', 1, { ...labels, outcome: 'ok' })
    return value
  } catch (error) {
    emit('endpoint_requests', 1, { ...labels, outcome: String((error as AppError).code ?? 'INTERNAL') })
    throw error
  }
}

interface SubmitOptions {
  clock: Clock
  random: () => number
  emit: EmitMetric
  endpoint: string
  enabled: boolean
}

async function submit<T>(attempt: () => Promise<T>, job: QueueJob, how: SubmitOptions): Promise<T> {
  const { clock, random, emit, endpoint, enabled } = how
  const startedAt = clock.now()
  let retries = 0
  try {
    const value = await retry(attempt, {
      mayRepeat: (error) => enabled && wasNotSent(error),
      deadline: job.input['flash:call']?.deadline,
      onRetry(number, pauseMs) {
        retries = number
        emit('retry_attempt', 1, { endpoint, attempt: String(number), pauseMs: String(Math.round(pauseMs)) })
      },
      clock,
      random,
    })
    if (retries > 0) emit('retry_success', 1, { endpoint })
    emit('endpoint_latency', clock.now() - startedAt, { endpoint })
    return value
  } catch (error) {
    if (retries > 0) emit('retry_exhausted', 1, { endpoint })
    throw error
  }
}
