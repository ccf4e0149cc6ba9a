import { createMessageReader, type Message } from '@flash/protocol'
import { leave, type Reader, read } from './call.ts'

/** An answer's messages, pulled one at a time: what nobody asks for stays on the wire. */
export interface Incoming {
  /** `undefined` when the body ended or the connection broke; throws `BAD_FRAMES` for bytes that are no messages. */
  next(): Promise<Message | undefined>
  /** The answer is complete. */
  finish(): void
  /** The rest is not wanted, if there is one; a pending `next` gives `undefined`. */
  leave(): void
}

/** How long an answer may stay open behind its last message. */
const finishMs = 1_000

/** - `bytes`: received already. */
export function createIncoming(reader: Reader, bytes?: Uint8Array): Incoming {
  const waiting: Message[] = []
  const messages = createMessageReader((message) => waiting.push(message))
  let failure: unknown
  let isFinished = false
  // What came before bytes that are no frames is as good as without them.
  const push = (chunk: Uint8Array) => {
    try {
      messages.push(chunk)
    } catch (error) {
      failure = error
    }
  }
  if (bytes) push(bytes)
  return {
    async next() {
      while (!waiting.length) {
        if (failure) throw failure
        const chunk = await read(reader).catch(() => undefined)
        if (!chunk) return undefined
        push(chunk)
      }
      return waiting.shift()
    },
    finish() {
      isFinished = true
      // Read to its end, so that the connection can carry the next call; what has none, or more than that, is left.
      const timer = setTimeout(leave, finishMs, reader)
      const end = () => {
        clearTimeout(timer)
        leave(reader)
      }
      reader.read().then(end, end)
    },
    leave() {
      if (!isFinished) leave(reader)
    },
  }
}
