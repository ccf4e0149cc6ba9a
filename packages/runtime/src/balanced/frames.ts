import {
  type BalancedEnvelope,
  type BalancedHead,
  type Clock,
  encodeMessageChunks,
  FrameType,
  type Message,
  RemoteError,
} from '@flash/protocol'
import { decodeError } from '../body.ts'
import { isOurs } from '../call.ts'
import { connectionLost, toRefusal, toRemote } from '../failure.ts'
import { createGuard, type Guard } from '../guard.ts'
import { createIncoming, type Incoming } from '../incoming.ts'
import type { Post } from '../types.ts'
import { wakingClock } from '../waking-clock.ts'
import type { BalancedRequest, SendBalanced } from './types.ts'

export interface FrameTarget {
  /** What follows `/rpc/`. */
  ref: string
  post: Post
  /** Its headers that travel; all when omitted. */
  toHeaders?(headers: Headers): Headers
  /** The system's when omitted. */
  clock?: Clock
}

const nullBodyStatuses = [204, 205, 304]

const ofAnswers: readonly number[] = [FrameType.head, FrameType.chunk, FrameType.end]

/**
 * Sends requests through the rpc route, each as one message with its body read whole; the answer comes as frames.
 *
 * - throws what the route refuses with, `TRANSPORT`, `CONNECTION_LOST`, `BAD_RESULT`.
 */
export function createFrameSend(target: FrameTarget): SendBalanced {
  return async (request) => {
    const { clock = wakingClock } = target
    let answer: Incoming | undefined
    const guard = createGuard({ signal: request.signal }, clock, () => answer?.leave())
    try {
      guard.check()
      const body = await guard.race(encodeRequest(request, target))
      guard.check()
      const response = await post(target, body, guard)
      if (!response.ok || !isOurs(response) || !response.body)
        throw await guard.race(toRefusal(response, clock))
      const incoming = (answer = createIncoming(response.body.getReader()))
      return await toResponse(incoming, guard)
    } catch (error) {
      answer?.leave()
      guard.end()
      throw error
    }
  }
}

async function encodeRequest(
  { method, path, headers, body, timeoutMs, idempotencyKey }: BalancedRequest,
  { toHeaders }: FrameTarget,
): Promise<Blob> {
  const whole = body instanceof ReadableStream ? await new Response(body).blob() : body
  const envelope: BalancedEnvelope = {
    fetch: { method, path, headers: [...(toHeaders?.(headers) ?? headers)], body: whole !== null },
    timeoutMs,
    idempotencyKey,
  }
  const text = JSON.stringify(envelope)
  const parts = whole === null ? [] : [whole]
  return new Blob(encodeMessageChunks({ type: FrameType.call, rich: false, text, parts }) as BlobPart[])
}

/** Gives up waiting when the call is stopped, also for a server in this process that does not listen to the signal. */
async function post({ post, ref }: FrameTarget, body: Blob, guard: Guard): Promise<Response> {
  const sent = post(ref, body, { signal: guard.signal })
  try {
    return await guard.race(sent)
  } catch (cause) {
    sent.then((response) => response.body?.cancel()).catch(() => {})
    guard.check()
    throw connectionLost(toRemote(cause))
  }
}

async function toResponse(incoming: Incoming, guard: Guard): Promise<Response> {
  const { type, text } = await nextOf(incoming, guard)
  if (type !== FrameType.head) throw badResult('it does not begin with a head')
  const head = parseHead(text)
  const body = streamOf(incoming, guard)
  if (!nullBodyStatuses.includes(head.status)) return new Response(body, head)
  // Read to its end, so that the connection can carry the next one.
  body.pipeTo(new WritableStream()).catch(() => {})
  return new Response(null, head)
}

function parseHead(text: string): { status: number; headers: Headers } {
  try {
    const { status, headers }: BalancedHead = JSON.parse(text)
    if (!(status >= 200 && status <= 599)) throw new RangeError(`its status is ${status}`)
    return { status, headers: new Headers(headers) }
  } catch (cause) {
    throw badResult((cause as Error).message, cause)
  }
}

/** The bytes as they are asked for; what nobody asks for stays on the wire. */
function streamOf(incoming: Incoming, guard: Guard): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream<Uint8Array<ArrayBuffer>>(
    {
      async pull(controller) {
        try {
          const { type, parts } = await nextOf(incoming, guard)
          for (const part of parts) controller.enqueue(part as Uint8Array<ArrayBuffer>)
          if (type === FrameType.chunk) return
          guard.end()
          incoming.finish()
          controller.close()
        } catch (error) {
          guard.end()
          incoming.leave()
          throw error
        }
      },
      cancel() {
        guard.end()
        incoming.leave()
      },
    },
    { highWaterMark: 0 },
  )
}

/** The next thing said about the answer; throws what an `error` says. */
async function nextOf(incoming: Incoming, guard: Guard): Promise<Message> {
  for (;;) {
    guard.check()
    const message = await guard.race(incoming.next())
    if (!message) throw connectionLost()
    if (message.type === FrameType.error) {
      // Nothing follows it.
      incoming.finish()
      throw (await decodeError(message)).error
    }
    // A chunk without bytes would leave whoever waits for some waiting.
    const isEmpty = message.type === FrameType.chunk && message.parts.length === 0
    if (ofAnswers.includes(message.type) && !isEmpty) return message
  }
}

function badResult(why: string, cause?: unknown): RemoteError {
  return new RemoteError('BAD_RESULT', `the answer of the server cannot be read: ${why}`, {
    hint: 'reload the page; build both sides with one version',
    cause,
  })
}
