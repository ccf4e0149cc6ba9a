import { createMessageReader, type Message } from '@flash/protocol'
import { finish, leave, type Reader, read } from './call.ts'

/** An answer's messages, pulled one at a time: what nobody asks for stays on the wire. */
export interface Incoming {
  /** `undefined` when the body ended or the connection broke; throws `BAD_FRAMES` for bytes that are no messages. */
  next(): Promise<Message | undefined>
  /** The answer is complete. */
  finish(): void
  /** The rest is not wanted; a pending `next` gives `undefined`. */
  leave(): void
}

/** - `bytes`: received already. */
export function createIncoming(reader: Reader, bytes?: Uint8Array): Incoming {
  const waiting: Message[] = []
  const messages = createMessageReader((message) => waiting.push(message))
  let failure: unknown
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
    finish: () => finish(reader),
    leave: () => leave(reader),
  }
}
