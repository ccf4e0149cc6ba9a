import { type Clock, encodeMessage, FrameType, type Message } from '@flash/protocol'
import { CONTENT_TYPE, MARKER } from './problem.ts'
import type { RpcJob } from './backend.ts'
import type { Reader } from './readers.ts'

const answerHeaders = { 'content-type': CONTENT_TYPE, 'cache-control': 'private, no-store', [MARKER]: '1' }

const PING = encodeMessage({ type: FrameType.ping, rich: false, text: '', parts: [] })

export interface AnswerOptions {
  clock: Clock
  /** How long a short call may take and still be answered in one piece, without a stream. */
  graceMs: number
  keepAliveMs: number
  /** A faster class than the global one, where the host has it. */
  Response: typeof Response
}

/** Everything that was said and not yet read, and whether more will come. */
interface Outbox {
  chunks: Uint8Array[]
  finished: boolean
  wake: (() => void) | null
  stop: () => void
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
  const outbox: Outbox = { chunks: first.map(encodeMessage), finished: false, wake: null, stop: () => {} }
  const stop = job.listen(from, (message) => {
    if (outbox.finished) return
    outbox.chunks.push(encodeMessage(message))
    outbox.finished = isFinal(message.type)
    if (outbox.finished) {
      outbox.stop()
      reader.done()
    }
    outbox.wake?.()
  })
  outbox.stop = stop
  if (outbox.finished) stop()
  else await untilFinished(outbox, options.clock, options.graceMs)
  if (outbox.finished) return answerWhole(outbox.chunks, options.Response)
  return answerStream(request, outbox, reader, options)
}

function isFinal(type: number): boolean {
  return type === FrameType.value || type === FrameType.error || type === FrameType.end
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
    outbox.wake = () => {
      if (!outbox.finished) return
      withdraw()
      resolve()
    }
  })
}

function answerStream(request: Request, outbox: Outbox, reader: Reader, options: AnswerOptions): Response {
  let started = false
  let withdrawPing = () => {}
  const leave = () => {
    withdrawPing()
    if (outbox.finished) return
    outbox.finished = true
    outbox.stop()
    outbox.wake?.()
    reader.leave(started)
  }
  const keepAlive = () => {
    withdrawPing = options.clock.after(options.keepAliveMs, () => {
      if (outbox.finished) return
      outbox.chunks.push(PING)
      outbox.wake?.()
      keepAlive()
    })
  }
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      while (outbox.chunks.length === 0 && !outbox.finished)
        await new Promise<void>((resolve) => (outbox.wake = resolve))
      if (outbox.chunks.length > 0) {
        started = true
        controller.enqueue(outbox.chunks.length === 1 ? outbox.chunks[0]! : Buffer.concat(outbox.chunks))
        outbox.chunks = []
      }
      if (!outbox.finished) return
      withdrawPing()
      controller.close()
    },
    cancel: leave,
  })
  if (request.signal.aborted) leave()
  else request.signal.addEventListener('abort', leave, { once: true })
  keepAlive()
  return new options.Response(body, { headers: answerHeaders })
}
