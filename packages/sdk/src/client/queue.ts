import { AppError, type Clock, type JobStatus, writeForeign } from '@flash/protocol'
import { createGuard, createQueueClient, type QueueAddress, type QueueJob } from '@flash/runtime/server'
import type { ClientPlan } from './config.ts'
import { type AcceptedJob, createClientJob, type OpenQueue } from './job.ts'
import { checkValue } from './schema.ts'
import type { ClientJob, RunOptions } from './types.ts'

export interface QueueParts {
  fetch: typeof fetch
  clock: Clock
  random: () => number
}

export function openQueue(plan: ClientPlan, address: QueueAddress, parts: QueueParts): OpenQueue {
  return {
    client: createQueueClient(address, parts),
    clock: parts.clock,
    nameOf: (jobId) => `job ${jobId.slice(0, 64)} of endpoint "${plan.label}"`,
    checkOutput: (output) => checkValue(plan.output, output, 'output'),
  }
}

/** Submits a job, once. The limits of the options hold from here on, whether or not anybody waits. */
export async function runJob(
  plan: ClientPlan,
  queue: OpenQueue,
  input: unknown,
  options: RunOptions = {},
): Promise<ClientJob> {
  const { signal, timeoutMs } = options
  let first: JobStatus | undefined
  let cancelling: Promise<void> | undefined
  const cancel = (id: string) => {
    cancelling ??= queue.client.cancel(id)
    // Whoever asks again after a failure tries again.
    cancelling.catch(() => (cancelling = undefined))
    return cancelling
  }
  const limits = createGuard({ signal, timeoutMs }, queue.clock, () => {
    if (first) void cancel(first.id).catch(() => {})
  })
  try {
    limits.check()
    const job = await limits.race(toQueueJob(plan, input, options))
    const submittedAt = queue.clock.now()
    const submitting = queue.client.submit(job)
    // Given up while the queue was taking it.
    void submitting.then((status) => (isStopped(limits) ? cancel(status.id) : undefined)).catch(() => {})
    first = await limits.race(submitting)
    return createClientJob(queue, toAccepted(first, submittedAt, limits, cancel))
  } catch (error) {
    limits.end()
    throw error
  }
}

function toAccepted(
  first: JobStatus,
  submittedAt: number,
  limits: AcceptedJob['limits'],
  cancel: (id: string) => Promise<void>,
): AcceptedJob {
  return { first, submittedAt, limits, cancel: () => cancel(first.id) }
}

function isStopped(limits: AcceptedJob['limits']): boolean {
  try {
    limits.check()
    return false
  } catch {
    return true
  }
}

async function toQueueJob(plan: ClientPlan, input: unknown, options: RunOptions): Promise<QueueJob> {
  const checked = await checkValue(plan.input, input, 'input')
  const plain = await writeForeign(checked ?? {}, undefined, 'in')
  if (typeof plain !== 'object' || plain === null || Array.isArray(plain)) {
    throw new AppError('BAD_INPUT', {
      message: `the input of a job is an object with fields, and this is ${Array.isArray(plain) ? 'a list' : `a ${typeof plain}`}`,
      hint: 'put it into a field: `run({ items })`',
    })
  }
  const { executionTimeoutMs: executionTimeout, ttlMs: ttl, lowPriority, webhook, s3Config } = options
  const policy = { executionTimeout, ttl, lowPriority }
  const hasPolicy = Object.values(policy).some((value) => value !== undefined)
  return { input: plain, policy: hasPolicy ? policy : undefined, webhook, s3Config }
}
