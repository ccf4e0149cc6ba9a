import { AppError, type Clock } from '@flash/protocol'
import { createBalancer } from './balance/balancer.ts'
import { type SteadyParts, steadyFetch } from './balanced/steady-fetch.ts'
import type { BalancedRequest } from './balanced/types.ts'
import { type Breaker, createBreaker } from './breaker.ts'
import { emitMetric, type EmitMetric } from './metrics.ts'
import type { Env } from './registry/variables.ts'
import { retry, type RetryOptions } from './retry.ts'
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
  /**
   * Sends a request to one of the addresses of a load-balanced endpoint, and again to another one while that does no harm.
   *
   * - `addresses`: their `url` is what paths are appended to.
   * - resolves with the answer, whatever its status; one that asks for another try is the answer when there is none left.
   * - throws `TRANSPORT`, `RETRIES_EXHAUSTED`, `CIRCUIT_OPEN`, `TIMEOUT`, `BAD_REQUEST` and the reason of the signal.
   */
  fetch(addresses: readonly QueueAddress[], request: BalancedRequest): Promise<Response>
}

const rememberedBreakers = 1_000

/** Settings are read once, from variables. */
export function createSteady(options: SteadyOptions): Steady {
  const parts = createSteadyParts(options)
  return {
    choose: (addresses) => chooseSteadily(parts, addresses),
    fetch: (addresses, request) => steadyFetch(parts, addresses, request),
    client: (address) => createSteadyClient(parts, address, options),
  }
}

/** See `Steady.choose`. */
export function chooseSteadily(
  { balancer, isOpen }: SteadyParts,
  addresses: readonly QueueAddress[],
): QueueAddress {
  return balancer.choose(addresses, isOpen)
}

/** See `Steady.client`. */
export function createSteadyClient(
  parts: SteadyParts,
  address: QueueAddress,
  options: QueueClientOptions = {},
): QueueClient {
  const { balancer } = parts
  const client = createQueueClient(address, options)
  const breaker = parts.breakerOf(address)
  const once = (job: QueueJob) => balancer.hold(address, () => parts.count(address, () => client.submit(job)))
  const attempt = breaker ? (job: QueueJob) => breaker.run(() => once(job)) : once
  return {
    ...client,
    submit: (job) =>
      parts.persist(() => attempt(job), {
        endpoint: address.endpoint,
        deadline: job.input['flash:call']?.deadline,
        mayRepeat: wasNotSent,
      }),
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
}

/** What all calls share. */
export function createSteadyParts(options: SteadyOptions): SteadyParts {
  const { env, emit = emitMetric, warn = (line) => console.warn(`[flash] ${line}`) } = options
  const { clock = wakingClock, random = Math.random } = options
  const settings = readCallSettings(env, options.settings ?? {}, warn)
  const breakers = settings.breaker ? createBreakers(clock, emit) : undefined
  return {
    // Looked up for each request: it may be replaced.
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
    clock,
    balancer: createBalancer(settings.balance, random, emit),
    isOpen: (address) => breakers?.of(address).state() === 'open',
    breakerOf: (address) => breakers?.of(address),
    count: ({ endpoint, url }, work) => counted(work, emit, { endpoint, address: url }),
    persist: (work, { mayRepeat, ...how }) =>
      persist(work, {
        clock,
        random,
        emit,
        ...how,
        mayRepeat: (error) => settings.retry && mayRepeat(error),
      }),
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
  if (!(error instanceof AppError) || (error.data as { status?: unknown } | undefined)?.status === 429)
    return false
  return error.code === 'TRANSPORT' || error.code === 'SUBMIT_UNKNOWN'
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
    emit('endpoint_requests', 1, {
      ...labels,
      outcome: String((error as AppError | null)?.code ?? 'INTERNAL'),
    })
    throw error
  }
}

interface PersistOptions extends Pick<RetryOptions, 'mayRepeat' | 'deadline' | 'clock' | 'random'> {
  emit: EmitMetric
  endpoint: string
}

/** Does something again while it may, and measures that. */
async function persist<T>(attempt: () => Promise<T>, how: PersistOptions): Promise<T> {
  const { clock, emit, endpoint } = how
  const startedAt = clock.now()
  let retries = 0
  try {
    const value = await retry(attempt, {
      ...how,
      onRetry(number, pauseMs) {
        retries = number
        emit('retry_attempt', 1, { endpoint, attempt: String(number), pauseMs: String(Math.round(pauseMs)) })
      },
    })
    if (retries > 0) emit('retry_success', 1, { endpoint })
    emit('endpoint_latency', clock.now() - startedAt, { endpoint })
    return value
  } catch (error) {
    if (retries > 0) emit('retry_exhausted', 1, { endpoint })
    throw error
  }
}
