import { type Clock, FrameType, type Message, type RemoteError, systemClock } from '@flash/protocol'
import { toResult } from './answer.ts'
import { traced } from './failure.ts'
import { createGenerator, isLast } from './generator.ts'
import { startTimer } from './guard.ts'
import { type AcceptedJob, cancelJob, Session, type SessionOptions } from './session.ts'
import type { CallOptions, Job, JobEvent, JobStatus, Target } from './types.ts'

type Pick<T> = (message: Message, session: Session) => Promise<{ value: T } | undefined>

/**
 * A job that was accepted. Each way of looking at it has a connection of its own for as long as it is looked at.
 *
 * - `startedAt`: when `.run()` was called, by the clock of the call.
 */
export function createJob(
  target: Target,
  options: CallOptions,
  site: Error,
  job: AcceptedJob,
  startedAt?: number,
): Job {
  const id = job.id ?? job.token
  const cancel = () =>
    cancelJob(target, job.token).catch((error) => {
      throw traced(error, site)
    })
  const clock = target.clock ?? systemClock
  const elapsedMs = startedAt === undefined ? 0 : clock.now() - startedAt
  const limits = watchLimits(options, clock, elapsedMs, site, cancel)
  const open = (how?: SessionOptions) =>
    new Session(target, { ...options, ...limits.options() }, site, { job, startedAt, detached: true, ...how })
  let result: Promise<unknown> | undefined
  const wait = async () => {
    try {
      const value = await toResult(open(), target, !!target.generator)
      limits.end()
      return value
    } catch (error) {
      // The next `wait()` asks again: the connection may be what failed.
      result = undefined
      throw limits.explain(error)
    }
  }
  const follow = <T>(pick: Pick<T>) =>
    createGenerator<T>({ open, pick, abandon: (session) => session.leave() })
  return {
    id,
    status: async () => ({ ...(await askStatus(open({ only: 'status' }))), id }),
    wait: () => (result ??= wait()),
    cancel,
    stream: () => follow<never>(pickItem),
    [Symbol.asyncIterator]: () => follow<JobEvent<never>>(pickEvent),
  }
}

/** Cancels a job by its signal and when its time is over, whether or not anybody looks at it then. */
function watchLimits(
  { signal, timeoutMs }: CallOptions,
  clock: Clock,
  elapsedMs: number,
  site: Error,
  cancel: () => Promise<void>,
) {
  let over: RemoteError | undefined
  let looking = new AbortController()
  const cancelQuietly = () => {
    cancel().catch(() => {})
  }
  const follow = () => {
    end()
    cancelQuietly()
    looking.abort(signal!.reason)
  }
  const timeout = (error: RemoteError) => {
    over = traced(error, site)
    cancelQuietly()
    looking.abort(over)
    // The job may have ended in time, unseen: whoever looks later is told what became of it.
    looking = new AbortController()
  }
  const withdraw = startTimer(timeoutMs, clock, timeout, elapsedMs)
  const end = () => {
    signal?.removeEventListener('abort', follow)
    withdraw()
  }
  if (signal?.aborted) looking.abort(signal.reason)
  else signal?.addEventListener('abort', follow, { once: true })
  return {
    end,
    options: (): CallOptions => ({ signal: looking.signal, timeoutMs: undefined }),
    explain: (error: unknown) => (over && (error as RemoteError).code === 'CANCELLED' ? over : error),
  }
}

async function askStatus(session: Session): Promise<Omit<JobStatus, 'id'>> {
  for (;;) {
    const message = await session.next()
    const isStatus = message.type === FrameType.status
    if (!isStatus && !isLast(message)) continue
    session.leave()
    return isStatus ? session.read(message) : { status: 'COMPLETED' }
  }
}

export const pickItem: Pick<never> = async (message, session) =>
  message.type === FrameType.item ? { value: (await session.read(message)) as never } : undefined

const pickEvent: Pick<JobEvent<never>> = async (message, session) => {
  const read = () => session.read(message)
  switch (message.type) {
    case FrameType.status:
      return { value: { type: 'status', ...(await read()), id: session.job!.id ?? session.job!.token } }
    case FrameType.progress:
      return { value: { type: 'progress', value: await read() } }
    case FrameType.item:
      return { value: { type: 'item', value: (await read()) as never } }
    case FrameType.log:
      return { value: { type: 'log', ...(await read()) } }
  }
  return undefined
}
