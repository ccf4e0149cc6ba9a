import type { IncomingMessage } from 'node:http'
import { AppError } from '@flash/protocol'

export interface BodyState {
  /** Once it was read to its end at once. */
  whole: Uint8Array<ArrayBuffer> | undefined
  /** Why it was not read to its end. */
  tooLarge: AppError | undefined
  /** Nothing of it is wanted any more: what still comes is thrown away, and who still reads is told why. */
  stop(reason: Error): void
  /** Why that was, if it was. */
  stopped: Error | undefined
}

export function createBodyState(incoming: IncomingMessage): BodyState {
  return {
    whole: undefined,
    tooLarge: undefined,
    stopped: undefined,
    stop(reason) {
      this.stopped = reason
      incoming.resume()
    },
  }
}

/** Who takes the body of a request. */
interface Taker {
  take(chunk: Buffer<ArrayBuffer>): void
  end(): void
  fail(reason: Error): void
}

/** Gives a body to somebody, to its end or until something keeps it from that; returns what ends it without a word. */
function follow(incoming: IncomingMessage, limitBytes: number, state: BodyState, taker: Taker): () => void {
  let bytes = 0
  let isOver = false
  const stop = (reason: Error) => {
    if (!isOver) taker.fail(reason)
    isOver = true
    // The rest has to be read nevertheless, so that the connection can be used again.
    if (!incoming.readableEnded) incoming.resume()
  }
  const gone = () => {
    if (!isOver) stop(new Error('the client left before its body was whole'))
  }
  if (state.stopped) stop(state.stopped)
  else if (incoming.destroyed && !incoming.readableEnded) gone()
  state.stop = stop
  incoming.on('data', (chunk: Buffer<ArrayBuffer>) => {
    bytes += chunk.length
    if (isOver) return
    if (bytes > limitBytes) return stop((state.tooLarge = tooLarge(bytes, limitBytes)))
    taker.take(chunk)
  })
  incoming.on('end', () => {
    if (!isOver) taker.end()
    isOver = true
  })
  incoming.on('close', gone)
  return () => (isOver = true)
}

/** All of it. */
export function readWhole(
  incoming: IncomingMessage,
  limitBytes: number,
  state: BodyState,
): Promise<Uint8Array<ArrayBuffer>> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer<ArrayBuffer>[] = []
    follow(incoming, limitBytes, state, {
      take: (chunk) => void chunks.push(chunk),
      end: () => resolve((state.whole = chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks))),
      fail(reason) {
        chunks.length = 0
        reject(reason)
      },
    })
  })
}

/** As it comes. */
export function toBody(
  incoming: IncomingMessage,
  limitBytes: number,
  state: BodyState,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let leave = () => {}
  const source: UnderlyingDefaultSource<Uint8Array<ArrayBuffer>> = {
    start(controller) {
      incoming.pause()
      leave = follow(incoming, limitBytes, state, {
        take(chunk) {
          controller.enqueue(chunk)
          if ((controller.desiredSize ?? 0) <= 0) incoming.pause()
        },
        end: () => controller.close(),
        fail: (reason) => controller.error(reason),
      })
    },
    pull: () => void incoming.resume(),
    cancel() {
      leave()
      incoming.resume()
    },
  }
  // Node keeps a chunk ready already; one more here would only be more memory.
  return new ReadableStream(source, { highWaterMark: 0 })
}

export function tooLarge(bytes: number, limitBytes: number): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `the body of the request has ${bytes} bytes or more, the limit is ${limitBytes}`,
    hint: 'send less, or put large data in a volume or bucket and send where it is',
    data: { bytes, limitBytes },
  })
}
