import {
  AppError,
  type BalancedHead,
  type Clock,
  encodeMessage,
  encodeMessageChunks,
  FrameType,
} from '@flash/protocol'
import { emptyMessage, errorMessage, textMessage } from '../messages.ts'
import { answerHeaders } from '../problem.ts'

const PING = encodeMessage(emptyMessage(FrameType.ping))

/** One message should not keep the next ones waiting for long. */
const chunkBytes = 1_048_576

export interface FetchAnswerOptions {
  clock: Clock
  keepAliveMs: number
  Response: typeof Response
  /** Makes an error for the caller of what went wrong before there was an answer. */
  toError(error: unknown): AppError
  /** Aborted when nobody waits for the answer any more. */
  signal: AbortSignal
  /** Nobody reads any more. */
  onLeave(): void
  /** Everything was said. */
  onEnd(): void
}

/**
 * Answers with what a load-balanced endpoint answers, as frames: `head`, `chunk` …, then `end` or `error`. Nothing is read
 * of it before it is asked for.
 */
export function answerFetch(answer: Promise<Response>, options: FetchAnswerOptions): Response {
  const { clock, keepAliveMs } = options
  const frames = toFrames(answer, options)
  let next: Promise<IteratorResult<Uint8Array[]>> | undefined
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      next ??= frames.next()
      const step = await orQuiet(next, clock, keepAliveMs)
      if (!step) return controller.enqueue(PING)
      next = undefined
      for (const chunk of step.value) controller.enqueue(chunk)
      if (step.done) controller.close()
    },
    cancel() {
      options.onLeave()
      // Whatever it waits for now fails, and this ends it.
      frames.return([]).catch(() => {})
    },
  })
  return new options.Response(body, { headers: answerHeaders })
}

/** Nothing when it takes longer than a connection should be quiet. */
async function orQuiet<T>(work: Promise<T>, clock: Clock, ms: number): Promise<T | undefined> {
  let withdraw = () => {}
  const quiet = new Promise<undefined>((resolve) => {
    withdraw = clock.after(ms, () => resolve(undefined))
  })
  try {
    return await Promise.race([work, quiet])
  } finally {
    withdraw()
  }
}

async function* toFrames(
  answer: Promise<Response>,
  { toError, onEnd, signal }: FetchAnswerOptions,
): AsyncGenerator<Uint8Array[], Uint8Array[]> {
  let response: Response | undefined
  try {
    response = await answer
    const head: BalancedHead = { status: response.status, headers: [...response.headers] }
    yield encodeMessageChunks(textMessage(FrameType.head, head))
    for await (const chunk of readBody(response, signal)) yield* toChunks(chunk)
    return [encodeMessage(emptyMessage(FrameType.end))]
  } catch (error) {
    // What broke because its caller left is nobody's failure, and what the network said is nobody's business.
    const isHidden = !(error instanceof AppError) && (response || signal.aborted)
    return [encodeMessage(errorMessage(isHidden ? brokenOff() : toError(error)))]
  } finally {
    onEnd()
    // Of which nothing was read yet when the reader left.
    response?.body?.cancel().catch(() => {})
  }
}

/** Ends the reading as soon as the signal says so, whatever the body waits for. */
async function* readBody({ body }: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!body) return
  const reader = body.getReader()
  const leave = () => void reader.cancel().catch(() => {})
  if (signal.aborted) leave()
  else signal.addEventListener('abort', leave, { once: true })
  try {
    for (let step = await reader.read(); !step.done; step = await reader.read()) yield step.value
    // The reading was ended, and the answer was not.
    signal.throwIfAborted()
  } finally {
    signal.removeEventListener('abort', leave)
    leave()
  }
}

function* toChunks(bytes: Uint8Array): Generator<Uint8Array[]> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    const part = bytes.subarray(at, at + chunkBytes)
    yield encodeMessageChunks({ ...emptyMessage(FrameType.chunk), parts: [part] })
  }
}

/** What it broke with may have names and addresses. */
function brokenOff(): AppError {
  return new AppError('CONNECTION_LOST', {
    message: 'the answer of the endpoint broke off before its end',
    hint: 'send the request again if that does no harm',
  })
}
