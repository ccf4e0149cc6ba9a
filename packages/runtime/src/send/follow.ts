import { AppError, isFinalState, type JobStatus, queuePaths } from '@flash/protocol'
import { parseJobStatus, parseStream } from './answers.ts'
import type { QueueContext } from './context.ts'
import { createPatience, type Patience } from './patience.ts'
import { createPauses, sleep } from './pauses.ts'
import { read } from './read.ts'
import type { Follow, FollowOptions, News } from './types.ts'

const requestMs = 30_000

/** How long the host may wait for the end before it answers: progress is seen at least that often. */
const hostWaitMs = 2_000

/** A look that took this long was waited for by the host, and needs no pause of its own. */
const longLookMs = 1_000

const unknownYetMs = 10_000

export function createFollow(context: QueueContext, jobId: string, options: FollowOptions): Follow {
  const { clock, random } = context
  const patience = createPatience(context)
  const pauses = createPauses({ firstMs: 100, factor: 1.5, longestMs: 2_000, random })
  const look = options.items ? lookAtStream : lookAtStatus
  let pauseMs = 0
  const isUnknownYet = (error: unknown) =>
    error instanceof AppError &&
    error.code === 'JOB_NOT_FOUND' &&
    options.submittedAt !== undefined &&
    clock.now() - options.submittedAt < unknownYetMs
  const lookOnce = async (): Promise<News | undefined> => {
    if (pauseMs > 0) await sleep(clock, pauseMs)
    const startedAt = clock.now()
    try {
      const news = await look(context, jobId, patience)
      if (news.items.length > 0) pauses.reset()
      pauseMs = clock.now() - startedAt >= longLookMs ? 0 : pauses.next()
      return news
    } catch (error) {
      if (!isUnknownYet(error)) throw error
      pauseMs = pauses.next()
      return undefined
    }
  }
  return {
    async next() {
      for (;;) {
        const news = await lookOnce()
        if (news) return news
      }
    },
  }
}

export function readStatus(context: QueueContext, jobId: string, patience: Patience): Promise<JobStatus> {
  const reading = { method: 'GET', path: queuePaths.status(jobId), timeoutMs: requestMs, jobId } as const
  return read(context, reading, (value) => parseJobStatus(value, jobId), patience)
}

async function lookAtStatus(context: QueueContext, jobId: string, patience: Patience): Promise<News> {
  return { status: await waitForStatus(context, jobId, patience), items: [] }
}

/** By the waiting form of status, where the host has it. */
async function waitForStatus(context: QueueContext, jobId: string, patience: Patience): Promise<JobStatus> {
  if (context.waits === false) return readStatus(context, jobId, patience)
  const path = `${queuePaths.statusSync(jobId)}?wait=${hostWaitMs}`
  const reading = { method: 'GET', path, timeoutMs: requestMs + hostWaitMs, jobId } as const
  try {
    const status = await read(context, reading, (value) => parseJobStatus(value, jobId), patience)
    context.waits = true
    return status
  } catch (error) {
    if (context.waits || !isRouteMissing(error)) throw error
  }
  const status = await readStatus(context, jobId, patience)
  // It knows the job, so it was the route that it does not know.
  context.waits = false
  return status
}

function isRouteMissing(error: unknown): boolean {
  return error instanceof AppError && (error.code === 'JOB_NOT_FOUND' || error.code === 'BAD_REQUEST')
}

async function lookAtStream(context: QueueContext, jobId: string, patience: Patience): Promise<News> {
  const path = queuePaths.stream(jobId)
  const reading = { method: 'GET', path, timeoutMs: requestMs, jobId, drains: true } as const
  const { status, items } = await read(context, reading, parseStream, patience)
  if (!isFinalState(status)) return { status: { id: jobId, status }, items }
  // Items may still come behind a final status, and only the status itself has the error.
  if (items.length > 0) return { status: { id: jobId, status: 'IN_PROGRESS' }, items }
  return { status: await readStatus(context, jobId, patience), items }
}
