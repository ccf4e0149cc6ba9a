import {
  createMessageReader,
  encodeMessage,
  FrameType,
  type FromWorker,
  type ToWorker,
} from '@flash/protocol'

/** Bytes to and from the dev server: a pipe, a port of a thread, or memory. */
export interface Channel {
  send(bytes: Uint8Array<ArrayBuffer>): void
  onData(listener: (bytes: Uint8Array) => void): void
  /** The other side is gone. */
  onClose(listener: () => void): void
  /** Bytes that wait to be taken; 0 when omitted. */
  waiting?(): number
}

/** The same channel in messages. */
export interface Conversation {
  say(message: FromWorker, parts?: Uint8Array[]): void
  /** Says it together with what comes next in this turn of the loop: one write instead of two. */
  sayLater(message: FromWorker): void
  /** Bytes that wait to be taken. */
  waiting(): number
}

export function createConversation(
  channel: Channel,
  onMessage: (message: ToWorker, parts: Uint8Array[]) => void,
): Conversation {
  const reader = createMessageReader(({ text, parts }) => onMessage(JSON.parse(text) as ToWorker, parts), {
    bytes: Number.MAX_SAFE_INTEGER,
  })
  channel.onData((bytes) => reader.push(bytes))
  const encode = (message: FromWorker, parts: Uint8Array[]) =>
    encodeMessage({ type: FrameType.channel, rich: false, text: JSON.stringify(message), parts })
  let held: Uint8Array<ArrayBuffer> | null = null
  const send = (bytes?: Uint8Array<ArrayBuffer>) => {
    const chunks = [held, bytes].filter((chunk) => chunk !== null && chunk !== undefined)
    held = null
    if (chunks.length > 0) channel.send(chunks.length === 1 ? chunks[0]! : join(chunks))
  }
  return {
    say: (message, parts = []) => send(encode(message, parts)),
    sayLater(message) {
      send()
      held = encode(message, [])
      setImmediate(send)
    },
    waiting: () => channel.waiting?.() ?? 0,
  }
}

function join(chunks: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
