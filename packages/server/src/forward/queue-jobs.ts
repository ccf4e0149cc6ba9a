import { type JobStatus, systemClock } from '@flash/protocol'
import {
  createQueueClient,
  type QueueAddress,
  type QueueClient,
  type QueueClientOptions,
} from '@flash/runtime/server'
import type { RpcJob } from '../backend.ts'
import { forgetOldest } from '../forget-oldest.ts'
import type { FollowerOptions } from './follower.ts'
import { createFollowers } from './followers.ts'
import { errorMessage, withoutResult } from '../messages.ts'
import { streamLost } from './transcript.ts'

/** One job of a queue, and what is known of it here. */
export type JobOptions = Omit<FollowerOptions, 'submittedAt'>

export interface QueueJobsOptions extends QueueClientOptions {
  createClient?(address: QueueAddress, options: QueueClientOptions): QueueClient
}

/** The jobs of queues, as this process knows them. */
export interface QueueJobs {
  client(address: QueueAddress): QueueClient
  /** A job that was given to its queue by this process. */
  accepted(options: JobOptions, status: JobStatus, executionTimeoutMs?: number): RpcJob
  /** A job by its `ref`, whoever submitted it; `deadline` when that is known. */
  open(options: JobOptions, ref: string, deadline?: number): RpcJob
  /** The job is wanted whoever listens, though it began as a call that was to be waited for. */
  keep(jobId: string): void
  /** A job that this process submitted not long ago. */
  recent(jobId: string): RpcJob | undefined
  /** What the queue calls the job of a `ref`. */
  idOf(ref: string): string
}

/** A running function's limit and its time in the queue, both as endpoints have them by default. */
const executionMs = 600_000
const queueMs = 600_000

const remembered = 1_000

export function createQueueJobs(options: QueueJobsOptions): QueueJobs {
  const { clock = systemClock } = options
  const clients = createClients(options)
  const followers = createFollowers(clock)
  // A stream is continued where it began: the queue gives each item once, and those are here.
  const here = crypto.randomUUID().slice(0, 8)
  const known = new Map<string, FollowerOptions>()
  const deadlineOf = (ms = executionMs) => clock.now() + ms + queueMs
  const toJob = (job: FollowerOptions, deadline: number, first?: JobStatus): RpcJob => ({
    id: job.jobId,
    ref: job.attached && job.gives === 'items' ? `${job.jobId}#${here}` : job.jobId,
    endpoint: job.endpoint,
    deadline,
    listen: (from, say) => followers.listen(job, from, say, first),
    status: async () => withoutResult(await job.client.status(job.jobId)),
    cancel: () => job.client.cancel(job.jobId),
  })
  return {
    client: clients,
    accepted(job, status, executionTimeoutMs) {
      const submitted = { ...job, submittedAt: clock.now() }
      known.set(job.jobId, submitted)
      forgetOldest(known, remembered)
      // A result is for whoever has this job in hand: later ones ask the queue again.
      return toJob(submitted, deadlineOf(executionTimeoutMs), status)
    },
    keep(jobId) {
      const own = known.get(jobId)
      if (own) own.attached = false
    },
    open(job, ref, deadline = deadlineOf()) {
      const [jobId, where] = splitRef(ref)
      const own = known.get(jobId)
      const found = own?.endpoint === job.endpoint ? own : { ...job, jobId }
      const opened = toJob(found, deadline)
      return where === undefined || where === here ? opened : { ...opened, ref, listen: loseStream(opened) }
    },
    recent(jobId) {
      const job = known.get(jobId)
      return job && toJob(job, deadlineOf())
    },
    idOf: (ref) => splitRef(ref)[0],
  }
}

function createClients({
  createClient = createQueueClient,
  ...options
}: QueueJobsOptions): (address: QueueAddress) => QueueClient {
  const clients = new Map<string, QueueClient>()
  return (address) => {
    const key = JSON.stringify(address)
    const known = clients.get(key) ?? createClient(address, options)
    clients.set(key, known)
    return known
  }
}

/** Another server has read the stream, and its items with it. Nobody else can have a use for the job. */
function loseStream({ endpoint, cancel }: RpcJob): RpcJob['listen'] {
  return (from, say) => {
    say(errorMessage(streamLost(endpoint, from)))
    Promise.resolve(cancel('the stream was lost')).catch(() => {})
    return () => {}
  }
}

function splitRef(ref: string): [jobId: string, where: string | undefined] {
  const at = ref.lastIndexOf('#')
  return at < 0 ? [ref, undefined] : [ref.slice(0, at), ref.slice(at + 1)]
}
