import { AppError, isFinalState, type JobStatus, type Message } from '@flash/protocol'
import type { Follow, QueueClient } from '@flash/runtime/server'
import { errorMessage, isLast } from '../messages.ts'
import { createTranscript, type Transcript } from './transcript.ts'

export interface FollowerOptions {
  client: QueueClient
  endpoint: string
  jobId: string
  /** What the job gives, as far as that is known: `either` is looked at as a generator is. */
  gives: 'value' | 'items' | 'either'
  /** When it was submitted, in the process that did it. */
  submittedAt?: number
  /** Nobody has a use for the job when it is lost sight of here. */
  attached: boolean
}

/** Looks at one job for everybody who wants to hear of it, and only as long as somebody does. */
export interface Follower {
  listen(from: number, say: Say): () => void
  /** Whether nobody listens, and nothing is on its way. */
  isIdle(): boolean
  /** Whether another follower could take its place: what the queue gives once is here, or lost. */
  isReplaceable(): boolean
  /** Of the items that are kept. */
  bytes(): number
}

type Say = (message: Message) => void

/**
 * - `first`: what the queue said when it got the job.
 * - `onIdle`: called each time when nothing is left to do.
 */
export function createFollower(
  options: FollowerOptions,
  first: JobStatus | undefined,
  onIdle: () => void,
): Follower {
  const { client, jobId, gives, submittedAt } = options
  const transcript = openTranscript(options, first)
  const follow = client.follow(jobId, { items: gives !== 'value', submittedAt })
  const listeners = new Set<Say>()
  let lost: Message | undefined
  let isLooking = false
  const fail = (error: AppError) => {
    const message = errorMessage(error)
    if (error.code === 'STREAM_LOST') lost = message
    // Whoever asks again begins anew: the connection may be what failed.
    const told = [...listeners]
    listeners.clear()
    tell([message], told)
    if (options.attached && error.code !== 'JOB_NOT_FOUND') void cancelQuietly(client, jobId)
  }
  const look = async () => {
    if (isLooking) return
    isLooking = true
    await lookOn(listeners, transcript, follow, (error) => fail(toKnown(error, options.endpoint)))
    isLooking = false
    onIdle()
  }
  return {
    listen(from, say) {
      const listener = createListener(say)
      const past = lost ? [lost] : transcript.since(from)
      tell(past, [listener.hear])
      if (past.some(isLast)) {
        onIdle()
        return listener.leave
      }
      listeners.add(listener.hear)
      void look()
      return () => {
        listener.leave()
        listeners.delete(listener.hear)
      }
    },
    isIdle: () => !isLooking && listeners.size === 0,
    isReplaceable: () => !lost && transcript.bytes() === 0,
    bytes: transcript.bytes,
  }
}

/** A look is never broken off: the queue gives each item once. */
async function lookOn(
  listeners: Set<Say>,
  transcript: Transcript,
  follow: Follow,
  fail: (error: unknown) => void,
): Promise<void> {
  while (listeners.size > 0) {
    try {
      const messages = transcript.take(await follow.next())
      tell(messages, [...listeners])
    } catch (error) {
      fail(error)
    }
    if (transcript.hasEnded()) listeners.clear()
  }
}

function openTranscript({ endpoint, gives }: FollowerOptions, first: JobStatus | undefined) {
  const transcript = createTranscript(endpoint, gives === 'items')
  // The end of a generator is told behind its items.
  if (first && (gives === 'value' || !isFinalState(first.status)))
    transcript.take({ status: first, items: [] })
  return transcript
}

function tell(messages: Message[], listeners: Iterable<Say>): void {
  for (const message of messages) for (const say of listeners) say(message)
}

/** Hears nothing after it has left, also when it leaves while it is being told. */
function createListener(say: Say): { hear: Say; leave(): void } {
  let isThere = true
  return {
    hear(message) {
      if (isThere) say(message)
    },
    leave: () => void (isThere = false),
  }
}

async function cancelQuietly(client: QueueClient, jobId: string): Promise<void> {
  try {
    await client.cancel(jobId)
  } catch {
    // The caller was told what went wrong, and this went wrong with it.
  }
}

function toKnown(error: unknown, endpoint: string): AppError {
  if (error instanceof AppError) return error
  return new AppError('INTERNAL', {
    message: `endpoint "${endpoint}": the job could not be followed: ${String(error)}`,
    cause: error,
  })
}
