import { AppError } from '@flash/protocol'
import { parseBody } from './answers.ts'
import { excerpt, nameOf, type QueueContext } from './context.ts'
import { type Exchange, exchange, type HttpAnswer, type Outcome } from './exchange.ts'
import type { Passing, Patience } from './patience.ts'
import { toPassing, toRefusal } from './refusal.ts'

/** A request that may be repeated: it changes nothing, or the same the second time. */
export interface Reading extends Pick<Exchange, 'method' | 'path' | 'timeoutMs'> {
  /** The job that it is about; without one it is about the endpoint. */
  jobId?: string
  /** Each answer is given once: a lost one takes away what was in it. */
  drains?: boolean
}

/**
 * Asks until there is a usable answer.
 *
 * - `parse`: gives `undefined` for what no queue says.
 * - throws what another try would not change, `STREAM_LOST`, and `TRANSPORT` when the patience is over.
 */
export async function read<T>(
  context: QueueContext,
  reading: Reading,
  parse: (value: unknown) => T | undefined,
  patience: Patience,
): Promise<T> {
  for (;;) {
    const outcome = await exchange(context, reading)
    const result = judge(context, reading, outcome, parse)
    if ('value' in result) {
      patience.reset()
      return result.value
    }
    if (reading.drains && mayHaveDrained(outcome)) throw streamLost(context, reading, result.passing)
    await patience.bear(result.passing, nameOf(context, reading.jobId))
  }
}

function judge<T>(
  context: QueueContext,
  { jobId }: Reading,
  outcome: Outcome,
  parse: (value: unknown) => T | undefined,
): { value: T } | { passing: Passing } {
  if (outcome.kind !== 'answer') return { passing: { reason: outcome.reason, cause: outcome.cause } }
  const passing = toPassing(outcome)
  if (passing) return { passing }
  if (!isOk(outcome)) throw toRefusal(context, outcome, jobId)
  const body = parseBody(outcome.text)
  const value = body && parse(body.json)
  if (value !== undefined) return { value }
  const beginning = excerpt(context, outcome.text) || 'nothing'
  return { passing: { reason: `an answer that is not a queue's: ${outcome.status} ${beginning}` } }
}

export function isOk({ status }: HttpAnswer): boolean {
  return status >= 200 && status < 300
}

/** A request that nobody received has taken nothing, nor has one that was refused before it was looked at. */
function mayHaveDrained(outcome: Outcome): boolean {
  if (outcome.kind !== 'answer') return outcome.kind === 'lost'
  return isOk(outcome) || outcome.status === 502 || outcome.status === 504
}

function streamLost(context: QueueContext, { jobId }: Reading, { reason, cause }: Passing): AppError {
  return new AppError('STREAM_LOST', {
    message: `${nameOf(context, jobId)}: an answer with items of the stream was lost: ${reason}`,
    hint: 'call again; the queue gives each item once',
    cause,
  })
}
