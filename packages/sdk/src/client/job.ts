import { type Clock, isFinalState, type JobStatus, RemoteError } from '@flash/protocol'
import { createGuard, type Guard, type News, type QueueClient } from '@flash/runtime/server'
import { toJobError, told } from './failure.ts'
import type { ClientJob, ClientJobEvent, ClientJobStatus, ItemOf, WaitOptions } from './types.ts'

/** The queue of one endpoint, at the address that it has now. */
export interface OpenQueue {
  client: QueueClient
  clock: Clock
  /** What messages call a job. */
  nameOf(jobId: string): string
  checkOutput(output: unknown): Promise<unknown>
}

export interface AcceptedJob {
  /** What the queue said when it took the job. */
  first: JobStatus
  submittedAt: number
  /** Of the options of `.run()`: stops when its signal aborts, or its time is over. */
  limits: Guard
  /** Once, however many ask for it. */
  cancel(): Promise<void>
}

/** A job that the queue took. */
export function createClientJob<Out>(queue: OpenQueue, accepted: AcceptedJob): ClientJob<Out> {
  const { first, limits, submittedAt } = accepted
  const { id } = first
  let final = isFinalState(first.status) ? first : undefined
  let looking: Promise<JobStatus | undefined> | undefined
  let waiting = 0
  const end = (status: JobStatus) => {
    if (!isFinalState(status.status)) return status
    limits.end()
    return (final = status)
  }
  /** One who looks for all that wait, and no longer than somebody does; after a failure the next one asks again. */
  const look = () =>
    (looking ??= followToEnd(queue, id, submittedAt, () => waiting > 0)
      .then((status) => status && end(status))
      .finally(() => (looking = undefined)))
  const untilEnd = async (guard: Guard) => {
    for (;;) {
      const status = final ?? (await guard.race(within(limits, look)))
      if (status) return status
    }
  }
  const wait = async ({ signal, timeoutMs }: WaitOptions = {}) => {
    const guard = createGuard(
      { signal, timeoutMs },
      queue.clock,
      () => void accepted.cancel().catch(() => {}),
    )
    waiting++
    try {
      guard.check()
      return (await toResult(queue, await untilEnd(guard), limits)) as Out
    } finally {
      waiting--
      guard.end()
    }
  }
  const stream = () => readItems(queue, id, submittedAt, limits)
  return {
    id,
    status: () => told(async () => toClientStatus(queue, final ?? end(await queue.client.status(id)))),
    wait: (options) => told(() => wait(options)),
    cancel: () => told(accepted.cancel),
    stream: stream as ClientJob<Out>['stream'],
    [Symbol.asyncIterator]: () => readEvents<Out>(queue, id, submittedAt, limits),
  }
}

/** The final status; `undefined` when nobody wants it any more. */
async function followToEnd(
  { client }: OpenQueue,
  id: string,
  submittedAt: number,
  isWanted: () => boolean,
): Promise<JobStatus | undefined> {
  const follow = client.follow(id, { submittedAt })
  while (isWanted()) {
    const { status } = await follow.next()
    if (isFinalState(status.status)) return status
  }
  return undefined
}

/** Ended by the limits of the call; whoever asks after that is told what became of the job. */
function within<T>(limits: Guard, work: () => Promise<T>): Promise<T> {
  return reasonOf(limits) ? work() : limits.race(work())
}

function reasonOf(limits: Guard): { reason: unknown } | undefined {
  try {
    limits.check()
    return undefined
  } catch (reason) {
    return { reason }
  }
}

async function toResult(queue: OpenQueue, status: JobStatus, limits: Guard): Promise<unknown> {
  if (status.status === 'COMPLETED') return queue.checkOutput(status.output)
  throw toFailure(queue, status, limits)
}

/** What ended the job early, if its call did that; else what became of it. */
function toFailure(queue: OpenQueue, status: JobStatus, limits?: Guard): unknown {
  const stopped = status.status === 'CANCELLED' && limits ? reasonOf(limits) : undefined
  return stopped ? stopped.reason : toJobError(queue.nameOf(status.id), status)
}

export async function toClientStatus<Out>(
  queue: OpenQueue,
  status: JobStatus,
): Promise<ClientJobStatus<Out>> {
  const { output, error: _error, ...rest } = status
  if (status.status === 'COMPLETED') return { ...rest, output: (await queue.checkOutput(output)) as Out }
  if (isFinalState(status.status)) return { ...rest, error: toJobError(queue.nameOf(status.id), status) }
  return output === undefined ? rest : { ...rest, progress: output }
}

/** What a generator yields; `submittedAt` is known of a job that was just submitted. */
export async function* readItems(
  queue: OpenQueue,
  id: string,
  submittedAt?: number,
  limits?: Guard,
): AsyncGenerator<unknown, void> {
  for await (const { items } of readNews(queue, id, submittedAt, limits)) yield* items
}

async function* readEvents<Out>(
  queue: OpenQueue,
  id: string,
  submittedAt: number,
  limits: Guard,
): AsyncGenerator<ClientJobEvent<Out>, void> {
  const said: Said = {}
  for await (const news of readNews(queue, id, submittedAt, limits))
    yield* toEvents<Out>(said, await told(() => complete(queue, news)))
}

/** An answer of the stream has neither the worker nor the progress. */
async function complete({ client }: OpenQueue, news: News): Promise<News> {
  if (news.items.length > 0 || isFinalState(news.status.status)) return news
  const status = await client.status(news.status.id)
  // Items may still come, so it is not the end yet.
  return isFinalState(status.status) ? news : { status, items: [] }
}

/** What was told before, so that only news are told. */
interface Said {
  status?: JobStatus
  progress?: string
}

function* toEvents<Out>(said: Said, { status: whole, items }: News): Generator<ClientJobEvent<Out>, void> {
  const { output, error: _error, ...status } = whole
  const { status: state, workerId } = said.status ?? {}
  if (status.status !== state || (status.workerId ?? workerId) !== workerId)
    yield { type: 'status', ...(said.status = status) }
  const progress = isFinalState(status.status) ? undefined : JSON.stringify(output)
  if (progress !== undefined && progress !== said.progress) yield { type: 'progress', value: output }
  said.progress = progress ?? said.progress
  for (const item of items) yield { type: 'item', value: item as ItemOf<Out> }
}

/** What each look at a job brings, to its end; the job's own error is thrown behind that. */
async function* readNews(
  queue: OpenQueue,
  id: string,
  submittedAt: number | undefined,
  limits: Guard | undefined,
): AsyncGenerator<News, void> {
  const follow = queue.client.follow(id, { items: true, submittedAt })
  const next = () => (limits ? within(limits, follow.next) : follow.next())
  let seen = 0
  for (;;) {
    const { status, items } = await told(next)
    const isFinal = isFinalState(status.status)
    const missing = isFinal ? await told(() => findMissing(queue, status, seen + items.length)) : []
    seen += items.length
    yield { status, items: [...items, ...missing] }
    if (!isFinal) continue
    limits?.end()
    if (status.status !== 'COMPLETED') throw toFailure(queue, status, limits)
    return
  }
}

/** Items of the whole result that were not seen one by one: somebody else read the stream. */
function findMissing(queue: OpenQueue, { id, status, output }: JobStatus, seen: number): unknown[] {
  if (status !== 'COMPLETED' || !Array.isArray(output) || output.length <= seen) return []
  if (seen === 0) return output
  throw new RemoteError('STREAM_LOST', `${queue.nameOf(id)}: somebody else reads the same stream`, {
    hint: 'the queue gives each item once; `wait()` gives the list when the worker keeps it',
  })
}
