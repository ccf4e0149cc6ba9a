import { encodeMessageChunks, FrameType, type Message } from '@flash/protocol'
import type { RpcJob } from './backend.ts'

/** What a job said and its reader has not taken yet. */
export interface Outbox {
  /** Everything that waits; what is taken is gone from here. */
  take(): Uint8Array[]
  isEmpty(): boolean
  /** The job said its last word, or the reader left. */
  isFinished(): boolean
  /** Says something of our own. */
  add(bytes: Uint8Array): void
  /** Called at each word; replaces the listener before. */
  onWord(listener: () => void): void
  leave(): void
}

/** More than this is left with the job, until the reader has taken what waits: a paused page must not fill the memory. */
const ROOM_BYTES = 4 * 1024 * 1024

/**
 * Listens to a job from item `from` on.
 *
 * - `onEnd`: the job said its last word.
 */
export function openOutbox(job: RpcJob, first: Message[], from: number, onEnd: () => void): Outbox {
  let chunks: Uint8Array[] = first.flatMap((message) => encodeMessageChunks(message))
  let wake = () => {}
  let stop = () => {}
  const state = { items: from, bytes: 0, finished: false, paused: false }
  const hear = (message: Message) => {
    if (state.finished || state.paused) return
    // Parts are passed on as they are: a large one is copied only when the answer is put together.
    for (const chunk of encodeMessageChunks(message)) {
      chunks.push(chunk)
      state.bytes += chunk.length
    }
    if (message.type === FrameType.item) state.items++
    state.finished = isFinal(message.type)
    state.paused = !state.finished && message.type === FrameType.item && state.bytes > ROOM_BYTES
    if (state.finished || state.paused) stop()
    if (state.finished) onEnd()
    wake()
  }
  const listen = () => {
    state.paused = false
    const end = job.listen(state.items, hear)
    stop = end
    // It may have said enough while it was being listened to for the first time.
    if (state.finished || state.paused) end()
  }
  listen()
  return {
    take() {
      const taken = chunks
      chunks = []
      state.bytes = 0
      if (state.paused) listen()
      return taken
    },
    isEmpty: () => chunks.length === 0,
    isFinished: () => state.finished,
    add(bytes) {
      chunks.push(bytes)
      wake()
    },
    onWord: (listener) => void (wake = listener),
    leave() {
      state.finished = true
      stop()
      wake()
    },
  }
}

function isFinal(type: number): boolean {
  return type === FrameType.value || type === FrameType.error || type === FrameType.end
}
