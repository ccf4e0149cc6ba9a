import { AppError, type JobStatus, queueLimits, queuePaths } from '@flash/protocol'
import { parseBody, parseJobStatus } from './answers.ts'
import { excerpt, nameOf, notOurs, type QueueContext } from './context.ts'
import { exchange, type HttpAnswer, longestRetryAfterMs, type NoAnswer } from './exchange.ts'
import { createPatience } from './patience.ts'
import { sleep } from './pauses.ts'
import { isOk } from './read.ts'
import { toRefusal } from './refusal.ts'
import type { QueueJob } from './types.ts'

const answerMs = 60_000
/** A slow line gets time for its bytes. */
const slowestBytesPerMs = 100
const secondTryMs = 100

/** The platform's shortest: the id is wanted, the result is asked for afterwards. */
const runSyncPath = `${queuePaths.runSync}?wait=${queueLimits.waitMs.min}`

/**
 * Gives a job to the queue. A job whose acceptance is in doubt is never given twice.
 *
 * - throws `PAYLOAD_TOO_LARGE` before sending, `SUBMIT_UNKNOWN`, `ENDPOINT_NOT_DEPLOYED`, `ACCOUNT_REFUSED`, `TRANSPORT`, `BAD_REQUEST`.
 */
export async function submit(context: QueueContext, job: QueueJob): Promise<JobStatus> {
  const body = new TextEncoder().encode(JSON.stringify(job))
  checkSize(context, body.length)
  const path = body.length > queueLimits.runBytes ? runSyncPath : queuePaths.run
  const timeoutMs = answerMs + Math.ceil(body.length / slowestBytesPerMs)
  const patience = createPatience(context)
  for (let unsent = 0; ; ) {
    const outcome = await exchange(context, { method: 'POST', path, body, timeoutMs })
    if (outcome.kind === 'lost') throw unknown(context, outcome.reason, outcome.cause)
    if (outcome.kind === 'unsent') {
      if (unsent++ > 0) throw nobodyThere(context, outcome)
      await sleep(context.clock, secondTryMs)
    } else if (outcome.status === 429) {
      const { retryAfterMs } = outcome
      if (isTooLate(context, job, retryAfterMs)) throw tooBusy(context, retryAfterMs!)
      await patience.bear({ reason: '429', retryAfterMs, busy: true }, nameOf(context))
    } else {
      return readAccepted(context, outcome)
    }
  }
}

/** Whether nobody waits any more, or should, when the queue takes the job. */
function isTooLate({ clock }: QueueContext, { input }: QueueJob, retryAfterMs = 0): boolean {
  const { deadline = Number.POSITIVE_INFINITY } = input['flash:call'] ?? {}
  return retryAfterMs > Math.min(longestRetryAfterMs, deadline - clock.now())
}

function tooBusy(context: QueueContext, retryAfterMs: number): AppError {
  return new AppError('TRANSPORT', {
    message: `${nameOf(context)}: too many requests; it takes none for ${Math.ceil(retryAfterMs / 1000)} more seconds (429)`,
    hint: 'call again then, call less at a time, or give the endpoint more workers',
    data: { status: 429, retryAfterMs },
  })
}

function checkSize(context: QueueContext, size: number): void {
  const limit = queueLimits.runSyncBytes
  if (size <= limit) return
  throw new AppError('PAYLOAD_TOO_LARGE', {
    message: `${nameOf(context)}: the call has ${size} bytes as it is sent, a queue takes ${limit}`,
    hint: 'send less in one call, or put large data in a volume or a bucket and send where it is',
    data: { size, limit },
  })
}

function readAccepted(context: QueueContext, answer: HttpAnswer): JobStatus {
  // Behind a status of a proxy, or of a host in trouble, the job may have been accepted or not.
  if (answer.status >= 500 || answer.status === 408) throw unknown(context, `status ${answer.status}`)
  if (!isOk(answer)) throw toRefusal(context, answer)
  const body = parseBody(answer.text)
  const status = body && parseJobStatus(body.json)
  if (status) return status
  const isCut = !body && /^\s*(?:\{|$)/.test(answer.text)
  throw isCut
    ? unknown(context, `an answer that is cut off: ${excerpt(context, answer.text) || 'nothing'}`)
    : notOurs(context, answer.status, answer.text)
}

function unknown(context: QueueContext, reason: string, cause?: unknown): AppError {
  return new AppError('SUBMIT_UNKNOWN', {
    message: `${nameOf(context)}: the answer that accepts the job was lost (${reason}); the job may or may not run`,
    hint: 'it is not sent again by itself; call again if running twice does no harm',
    cause,
  })
}

function nobodyThere(context: QueueContext, { reason, cause }: NoAnswer<'unsent'>): AppError {
  return new AppError('TRANSPORT', {
    message: `${nameOf(context)}: nothing answers at its address (${reason}); nothing was sent`,
    hint: `look whether ${context.address.place} is right and can be reached from here`,
    data: { sent: false },
    cause,
  })
}
