import { queuePaths } from '@flash/protocol'
import { wakingClock } from '../waking-clock.ts'
import { parseHealth, parseJobStatus } from './answers.ts'
import { createContext } from './context.ts'
import { createFollow, readStatus } from './follow.ts'
import { createPatience } from './patience.ts'
import { read } from './read.ts'
import { submit } from './submit.ts'
import type { QueueAddress, QueueClient, QueueClientOptions } from './types.ts'

const cancelMs = 30_000
const healthMs = 30_000

/**
 * The client of a queue address.
 *
 * - repeats only what is safe: reads, cancelling, and a job that was certainly not received or was told to come later.
 * - four failures in a row are borne while waiting, the fifth is `TRANSPORT`; 429 is waited for up to two minutes.
 * - throws `ACCOUNT_REFUSED`, `ENDPOINT_NOT_DEPLOYED`, `JOB_NOT_FOUND`, `PAYLOAD_TOO_LARGE`, `SUBMIT_UNKNOWN`, `STREAM_LOST`,
 *   `BAD_REQUEST`, `BAD_RESULT` and `TRANSPORT`, the last for every answer that is not a queue's.
 *
 * Source: Runpod docs, Serverless, Operation reference; the waiting form of status from `runpod-sdk`.
 */
export function createQueueClient(address: QueueAddress, options: QueueClientOptions = {}): QueueClient {
  const context = createContext(address, {
    fetch: options.fetch ?? ((...request) => globalThis.fetch(...request)),
    clock: options.clock ?? wakingClock,
    random: options.random ?? Math.random,
  })
  return {
    submit: (job) => submit(context, job),
    status: (jobId) => readStatus(context, jobId, createPatience(context)),
    follow: (jobId, how = {}) => createFollow(context, jobId, how),
    async cancel(jobId) {
      const reading = {
        method: 'POST',
        path: queuePaths.cancel(jobId),
        timeoutMs: cancelMs,
        jobId,
      } as const
      await read(context, reading, (value) => parseJobStatus(value, jobId), createPatience(context))
    },
    health() {
      const reading = { method: 'GET', path: queuePaths.health, timeoutMs: healthMs } as const
      return read(context, reading, parseHealth, createPatience(context))
    },
  }
}
