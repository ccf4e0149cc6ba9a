import { createQueue, type Job, type Queue, sendWebhook } from '@flash/emulator'
import {
  type Clock,
  type FunctionFact,
  inputShape,
  type JobStatus,
  type LocalCall,
  type QueueInput,
  type ResolvedEndpointConfig,
  writeFailure,
} from '@flash/protocol'
import { messageBytes, type Output, plainOutput, STREAMED } from './output.ts'
import { launchers, type LaunchOptions, type Isolation } from './workers/launch.ts'
import { type CallListener, createLink, type WorkerLink } from './workers/link.ts'
import { createPool, type Pool } from './workers/pool.ts'
import type { ModuleServer } from './modules.ts'

export interface EndpointSettings {
  name: string
  /** Stands for the endpoint in module ids. */
  key: string
  config: ResolvedEndpointConfig
  env: Record<string, string>
  /** Variables of `.env` files that `env` does not name. */
  unnamed: string[]
}

/** What endpoints need of the runtime around them. */
export interface EndpointContext {
  clock: Clock
  root: string
  isolation: Isolation
  inspect: boolean
  entry: LaunchOptions['entry']
  modules: ModuleServer
  /** Lines a worker wrote while no call ran, and those of calls. */
  onOutput(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
}

export interface LocalSubmission {
  fact: FunctionFact
  input: QueueInput
  parts: Uint8Array[]
  foreign: boolean
  kind: 'run' | 'runsync'
  executionTimeoutMs?: number
  ttlMs?: number
  lowPriority?: boolean
  webhook?: string
  idempotencyKey?: string
}

/** One endpoint on this machine: its queue and its workers. */
export interface LocalEndpoint {
  readonly name: string
  readonly queue: Queue
  submit(submission: LocalSubmission): JobStatus
  warm(fact: FunctionFact): Promise<void>
  workers(): { idle: number; ready: number; running: number }
  readonly executionTimeoutMs: number
  configure(settings: EndpointSettings): void
  /** Fresh workers from the next call on; calls in flight finish on the old ones. */
  retire(): void
  invalidate(files: string[]): void
  close(): void
}

type Extra = Pick<LocalSubmission, 'fact' | 'foreign' | 'idempotencyKey'>

export function createEndpoint(first: EndpointSettings, context: EndpointContext): LocalEndpoint {
  let settings = first
  const queue = openQueue(first.config, context)
  const pool: Pool = createPool({
    queue,
    clock: context.clock,
    limits: () => ({ workers: settings.config.dev.workers, maxConcurrency: settings.config.maxConcurrency }),
    launch: (workerId) => launchWorker(workerId, settings, context, () => pool),
    start: (link, job, isCurrent) =>
      startCall(link, job, listenFor(link, job, queue, isCurrent), settings, context),
  })
  return {
    name: first.name,
    queue,
    get executionTimeoutMs() {
      return settings.config.executionTimeoutMs
    },
    retire: pool.retire,
    submit({ fact, foreign, idempotencyKey, input, parts, kind, webhook, ...policy }) {
      const extra: Extra = { fact, foreign, idempotencyKey }
      return queue.submit({
        input,
        attachments: parts,
        kind,
        webhook,
        policy,
        extra,
        idempotencyKey: keyOf(fact, idempotencyKey),
      })
    },
    warm: (fact) => pool.any().warm(warmRequest(fact, settings, context)),
    workers: () => countWorkers(pool),
    configure(next) {
      queue.configure(queueLimits(next.config))
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

function warmRequest(fact: FunctionFact, { name, key }: EndpointSettings, { modules }: EndpointContext) {
  return { fn: fact.id, module: modules.moduleOf(fact, key), setup: fact.setup, endpoint: name }
}

function countWorkers(pool: Pool): { idle: number; ready: number; running: number } {
  const links = pool.links()
  const running = links.filter((link) => link.calls > 0).length
  return { idle: links.length - running, ready: links.length - running, running }
}

function openQueue(config: ResolvedEndpointConfig, context: EndpointContext): Queue {
  const sizeOf = (value: unknown) => messageBytes(value as Output)
  const queue = createQueue({ clock: context.clock, ...queueLimits(config), sizeOf })
  queue.onEnd((status, { webhook }) => {
    if (webhook) void tellWebhook(webhook, status, queue, context)
  })
  return queue
}

async function tellWebhook(
  url: string,
  status: JobStatus,
  queue: Queue,
  { clock, onOutput }: EndpointContext,
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

/** Functions of one endpoint share its queue, and not their callers' keys. */
function keyOf({ id }: FunctionFact, key: string | undefined): string | undefined {
  return key === undefined ? undefined : `${id}/${key}`
}

function queueLimits(config: ResolvedEndpointConfig) {
  return { executionTimeoutMs: config.executionTimeoutMs, maxConcurrency: config.maxConcurrency }
}

function launchWorker(
  id: string,
  settings: EndpointSettings,
  context: EndpointContext,
  pool: () => Pool,
): WorkerLink {
  const { name, key, env, unnamed } = settings
  const { modules, root, entry, inspect, isolation } = context
  const answers: Record<string, (data: unknown[]) => Promise<unknown>> = {
    fetchModule: ([url, importer, options]) =>
      modules.fetchModule(
        key,
        url as string,
        importer as string | undefined,
        options as { cached?: boolean },
      ),
    getBuiltins: async () => modules.builtins(),
    setupKey: ([functionId]) => modules.setupHash(functionId as string),
  }
  return createLink({
    id,
    launched: launchers[isolation]({ entry, root, env, inspect }),
    root,
    endpoint: name,
    unnamed,
    clock: context.clock,
    answer: (question, data) => answers[question]!(data),
    onOutput: (stream, text) => context.onOutput(name, stream, text),
    onFree: () => pool().pump(),
    onExit: (link) => pool().removed(link),
  })
}

function startCall(
  link: WorkerLink,
  job: Job,
  listener: CallListener,
  settings: EndpointSettings,
  context: EndpointContext,
): number {
  const { fact, foreign, idempotencyKey } = job.extra as Extra
  const call: Omit<LocalCall, 't' | 'call'> = {
    jobId: job.id,
    attempt: job.attempt,
    deadline: job.deadline,
    fn: fact.id,
    module: context.modules.moduleOf(fact, settings.key),
    input: job.input as QueueInput,
    shape: inputShape(fact),
    foreign,
    setup: fact.setup,
    endpoint: settings.name,
    instances: settings.config.instances,
    idempotencyKey,
  }
  return link.run(call, job.attachments, listener)
}

/** Writes what a worker says about a job into the queue. */
function listenFor(link: WorkerLink, job: Job, queue: Queue, isCurrent: () => boolean): CallListener {
  // What is left of an attempt that was stopped must not end the next one.
  const report = (tell: () => void) => {
    if (isCurrent()) tell()
  }
  return {
    started() {},
    progress: (message) => report(() => queue.progress(job.id, link.id, message)),
    item: (message) => report(() => queue.item(job.id, link.id, message)),
    log: (stream, text) => report(() => queue.log(job.id, link.id, { stream, text })),
    done: (message) =>
      report(() => queue.complete(job.id, link.id, { output: message.text === '' ? STREAMED : message })),
    failed: (error) => report(() => queue.complete(job.id, link.id, { error: writeFailure(error) })),
  }
}
