import { AppError, type Clock, createRedact, type Redact } from '@flash/protocol'
import type { QueueAddress } from './types.ts'

/** What the files of this folder share. */
export interface QueueContext {
  address: QueueAddress
  fetch: typeof fetch
  clock: Clock
  /** 0 to 1. */
  random: () => number
  redact: Redact
  /** Whether the host has the waiting form of status; unknown until it was asked. */
  waits: boolean | undefined
}

export function createContext(
  address: QueueAddress,
  parts: { fetch: typeof fetch; clock: Clock; random: () => number },
): QueueContext {
  const secrets = address.key === undefined ? [] : [address.key]
  return { address, ...parts, redact: createRedact(secrets), waits: undefined }
}

const excerptCharacters = 200

/** The beginning of a foreign text, for a message. */
export function excerpt({ redact }: QueueContext, text: string): string {
  // Cut first, with room for what is taken out: a page may be long.
  const short = redact(text.slice(0, excerptCharacters * 4))
    .replaceAll(/\s+/g, ' ')
    .trim()
  return short.length > excerptCharacters ? `${short.slice(0, excerptCharacters)}…` : short
}

/** What a message calls the endpoint, or one of its jobs. */
export function nameOf({ address }: QueueContext, jobId?: string): string {
  const endpoint = `endpoint "${address.endpoint}"`
  return jobId === undefined ? endpoint : `job ${jobId.slice(0, 64)} of ${endpoint}`
}

/** The answer of something that is no queue. */
export function notOurs(context: QueueContext, status: number, text: string, jobId?: string): AppError {
  const body = excerpt(context, text)
  return new AppError('TRANSPORT', {
    message: `${nameOf(context, jobId)}: the answer is not a queue's: ${status} ${body || 'without a body'}`,
    hint: 'something else answers at this address: a proxy, a sign-in page, or another server',
    data: { status, body },
  })
}
