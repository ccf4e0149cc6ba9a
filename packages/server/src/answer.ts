import { AppError, type Clock, encodeMessage, FrameType, type Message } from '@flash/protocol'
import type { RpcJob } from './backend.ts'
import { emptyMessage, errorMessage } from './messages.ts'
import { openOutbox, type Outbox } from './outbox.ts'
import { answerHeaders } from './problem.ts'
import { LONGEST_TIMER_MS, type Reader } from './readers.ts'

const PING = encodeMessage(emptyMessage(FrameType.ping))

/** A queue ends its jobs itself, and may take that long to say so. */
const LATE_MS = 5_000

export interface AnswerOptions {
  clock: Clock
  /** How long a short call may take and still be answered in one piece, without a stream. */
  graceMs: number
  keepAliveMs: number
  /** A faster class than the global one, where the host has it. */
  Response: typeof Response
}

/**
 * Answers with what a job says: in one piece when it ends within the grace, otherwise as a stream.
 *
 * - `first`: messages that precede those of the job.
 * - `from`: how many items the reader has already.
 */
export async function answerJob(
  request: Request,
  job: RpcJob,
  first: Message[],
  from: number,
  reader: Reader,
  options: AnswerOptions,
): Promise<Response> {
  let stopTimer = () => {}
  const timed: Reader = {
    leave(readMs) {
      stopTimer()
      reader.leave(readMs)
    },
    done() {
      stopTimer()
      reader.done()
    },
  }
  const outbox = openOutbox(job, first, from, timed.done)
  stopTimer = limitTime(job, outbox, timed, options.clock)
  if (!outbox.isFinished()) await untilFinished(outbox, options.clock, options.graceMs)
  if (outbox.isFinished()) return answerWhole(outbox.take(), options.Response)
  return answerStream(request, outbox, timed, options)
}

export function answerWhole(chunks: Uint8Array[], ResponseClass: typeof Response): Response {
  const body = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)
  return new ResponseClass(body as Uint8Array<ArrayBuffer>, {
    headers: { ...answerHeaders, 'content-length': String(body.length) },
  })
}

function untilFinished(outbox: Outbox, clock: Clock, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const withdraw = clock.after(graceMs, resolve)
    outbox.onWord(() => {
      if (!outbox.isFinished()) return
      withdraw()
      resolve()
    })
  })
}

function answerStream(request: Request, outbox: Outbox, reader: Reader, options: AnswerOptions): Response {
  let startedAt: number | null = null
  const stopPings = keepAlive(outbox, options)
  const leave = () => {
    stopPings()
    if (outbox.isFinished()) return
    outbox.leave()
    reader.leave(startedAt === null ? null : options.clock.now() - startedAt)
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (outbox.isEmpty() && !outbox.isFinished())
        await new Promise<void>((resolve) => outbox.onWord(resolve))
      if (!outbox.isEmpty()) {
        startedAt ??= options.clock.now()
        const chunks = outbox.take()
        controller.enqueue(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))
      }
      // Taking may have made room for the job's last words.
      if (!outbox.isFinished() || !outbox.isEmpty()) return
      stopPings()
      controller.close()
    },
    cancel: leave,
  })
  if (request.signal.aborted) leave()
  else request.signal.addEventListener('abort', leave, { once: true })
  return new options.Response(body, { headers: answerHeaders })
}

/**
 * Ends an answer with `TIMEOUT` a little after the job's deadline, whatever its queue says, or does not say.
 *
 * - returns what withdraws it.
 */
function limitTime({ deadline }: RpcJob, outbox: Outbox, reader: Reader, clock: Clock): () => void {
  const leftMs = Math.max(deadline - clock.now(), 0) + LATE_MS
  if (outbox.isFinished() || leftMs > LONGEST_TIMER_MS) return () => {}
  return clock.after(leftMs, () => {
    reader.leave(null)
    const error = new AppError('TIMEOUT', {
      message: 'the job did not end by its deadline',
      hint: 'raise executionTimeoutMs of the endpoint or of the call',
    })
    outbox.end(errorMessage(error))
  })
}

/** Keeps proxies and readers from taking a quiet connection for a dead one. */
function keepAlive(outbox: Outbox, { clock, keepAliveMs }: AnswerOptions): () => void {
  let withdraw = () => {}
  const next = () => {
    withdraw = clock.after(keepAliveMs, () => {
      if (outbox.isFinished()) return
      // One that was not taken yet says as much as two.
      if (outbox.isEmpty()) outbox.add(PING)
      next()
    })
  }
  next()
  return () => withdraw()
}
