import { inputShape, type JobStatus, type LocalCall, type QueueInput, writeFailure } from '@flash/protocol'
import { createQueue, type Job, type Queue, sendWebhook, type Submission } from '../queue/index.ts'
import { type EndpointContext, type EndpointSettings, launchWorker, type LocalFunction } from './context.ts'
import { countWorkers } from './crew.ts'
import type { WorkerLink } from './link.ts'
import type { CallListener } from './link-state.ts'
import { messageBytes, type Output, plainOutput, STREAMED } from './output.ts'
import { createPool, type Pool } from './pool.ts'

export interface LocalSubmission<F extends LocalFunction> {
  fact: F
  input: QueueInput
  parts: Uint8Array[]
  foreign: boolean
  kind: 'run' | 'runsync'
  executionTimeoutMs?: number
  ttlMs?: number
  lowPriority?: boolean
  webhook?: string
  idempotencyKey?: string
  /** Whose key it is. */
  scope?: string
}

/** One endpoint on this machine: its queue and its workers. */
export interface LocalEndpoint<F extends LocalFunction = LocalFunction> {
  readonly name: string
  readonly queue: Queue
  submit(submission: LocalSubmission<F>): JobStatus
  warm(fact: F): Promise<void>
  workers(): { idle: number; ready: number; running: number }
  readonly executionTimeoutMs: number
  configure(settings: EndpointSettings): void
  /** Fresh workers from the next call on; calls in flight finish on the old ones. */
  retire(): void
  /** Absolute files that changed: workers load them again. */
  invalidate(files: string[]): void
  close(): void
}

type Extra<F extends LocalFunction> = Pick<LocalSubmission<F>, 'fact' | 'foreign' | 'idempotencyKey'>

export function createEndpoint<F extends LocalFunction>(
  first: EndpointSettings,
  context: EndpointContext<F>,
): LocalEndpoint<F> {
  let settings = first
  const queue = openQueue(first, context)
  const pool: Pool = createPool({
    queue,
    clock: context.clock,
    limits: () => ({ workers: settings.config.dev.workers, maxConcurrency: settings.config.maxConcurrency }),
    launch: (workerId) =>
      launchWorker(workerId, settings, context, {
        onFree: () => pool.pump(),
        onExit: (link) => pool.removed(link),
      }),
    start: (link, job, isCurrent) =>
      link.run(toCall(job, settings, context), job.attachments, listenFor(link, job, queue, isCurrent)),
  })
  return {
    name: first.name,
    queue,
    get executionTimeoutMs() {
      return settings.config.executionTimeoutMs
    },
    retire: pool.retire,
    submit: (submission) => queue.submit(toQueued(submission)),
    warm: (fact) =>
      pool
        .any()
        .warm({ fn: fact.id, module: context.moduleOf(fact), setup: fact.setup, endpoint: first.name }),
    workers: () => countWorkers(pool.links()),
    configure(next) {
      queue.configure(queueLimits(next))
      // A running process keeps the variables it was started with.
      if (JSON.stringify(next.env) !== JSON.stringify(settings.env)) pool.retire()
      settings = next
      pool.pump()
    },
    invalidate(files) {
      for (const link of pool.links()) link.invalidate(files)
    },
    close() {
      pool.close()
      queue.close()
    },
  }
}

function openQueue(
  settings: EndpointSettings,
  context: Pick<EndpointContext<never>, 'clock' | 'onOutput'>,
): Queue {
  const sizeOf = (value: unknown) => messageBytes(value as Output)
  const queue = createQueue({ clock: context.clock, ...queueLimits(settings), sizeOf })
  queue.onEnd((status, { webhook }) => {
    if (webhook) void tellWebhook(webhook, status, queue, context)
  })
  return queue
}

async function tellWebhook(
  url: string,
  status: JobStatus,
  queue: Queue,
  { clock, onOutput }: Pick<EndpointContext<never>, 'clock' | 'onOutput'>,
): Promise<void> {
  const complain = (why: string) =>
    onOutput('webhook', 'stderr', `job ${status.id} could not be told to ${new URL(url).origin}: ${why}`)
  try {
    const output = await plainOutput(queue, status)
    if (!(await sendWebhook(url, { ...status, output }, { clock }))) complain('no answer was 200')
  } catch (error) {
    // A result that is no plain JSON, or items that are gone: nobody waits for this promise.
    complain((error as Error).message)
  }
}

function toQueued<F extends LocalFunction>({
  fact,
  foreign,
  idempotencyKey: key,
  scope,
  input,
  parts,
  kind,
  webhook,
  ...policy
}: LocalSubmission<F>): Submission {
  const extra: Extra<F> = { fact, foreign, idempotencyKey: key }
  // Functions and methods of one endpoint share its queue, and not their callers' keys.
  const idempotencyKey =
    key === undefined ? undefined : JSON.stringify([fact.id, input['flash:call']?.fn, scope, key])
  return { input, attachments: parts, kind, webhook, policy, extra, idempotencyKey }
}

function queueLimits({ config }: EndpointSettings) {
  return { executionTimeoutMs: config.executionTimeoutMs, maxConcurrency: config.maxConcurrency }
}

function toCall<F extends LocalFunction>(
  job: Job,
  { name, config }: EndpointSettings,
  { moduleOf }: EndpointContext<F>,
): Omit<LocalCall, 't' | 'call'> {
  const { fact, foreign, idempotencyKey } = job.extra as Extra<F>
  return {
    jobId: job.id,
    attempt: job.attempt,
    deadline: job.deadline,
    fn: fact.id,
    module: moduleOf(fact),
    input: job.input as QueueInput,
    shape: inputShape(fact),
    foreign,
    setup: fact.setup,
    endpoint: name,
    instances: config.instances,
    idempotencyKey,
  }
}

/** Writes what a worker says about a job into the queue. */
function listenFor(link: WorkerLink, job: Job, queue: Queue, isCurrent: () => boolean): CallListener {
  // What is left of an attempt that was stopped must not end the next one.
  const report = (tell: () => void) => {
    if (isCurrent()) tell()
  }
  return {
    progress: (message) => report(() => queue.progress(job.id, link.id, message)),
    item: (message) => report(() => queue.item(job.id, link.id, message)),
    log: (stream, text) => report(() => queue.log(job.id, link.id, { stream, text })),
    done: (message) =>
      report(() => queue.complete(job.id, link.id, { output: message.text === '' ? STREAMED : message })),
    failed: (error) => report(() => queue.complete(job.id, link.id, { error: writeFailure(error) })),
  }
}
