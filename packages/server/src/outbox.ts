import { encodeMessageChunks, FrameType, type Message } from '@flash/protocol'
import type { RpcJob } from './backend.ts'
import { isLast } from './messages.ts'

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
  /** Says the last word in place of the job. */
  end(message: Message): void
}

/** More than this is left with the job, until the reader has taken what waits: a paused page must not fill the memory. */
const ROOM_BYTES = 4 * 1024 * 1024

/** Of these the newest says all that the ones before it did. */
const replacing: ReadonlySet<number> = new Set([FrameType.progress, FrameType.status])

/**
 * Listens to a job from item `from` on.
 *
 * - `onEnd`: the job said its last word.
 */
export function openOutbox(job: RpcJob, first: Message[], from: number, onEnd: () => void): Outbox {
  const pile = createPile()
  for (const message of first) pile.add(message)
  let wake = () => {}
  let stop = () => {}
  const state = { items: from, finished: false, paused: false }
  const hear = (message: Message) => {
    if (state.finished || state.paused) return
    pile.add(message)
    if (message.type === FrameType.item) state.items++
    state.finished = isLast(message)
    state.paused = !state.finished && message.type === FrameType.item && pile.bytes() > ROOM_BYTES
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
      const taken = pile.take()
      if (state.paused) listen()
      return taken
    },
    isEmpty: pile.isEmpty,
    isFinished: () => state.finished,
    add(bytes) {
      pile.addBytes(bytes)
      wake()
    },
    onWord: (listener) => void (wake = listener),
    leave() {
      state.finished = true
      stop()
      wake()
    },
    end(message) {
      state.paused = false
      hear(message)
    },
  }
}

/** Messages in their order; of those that replace one another the newest. */
function createPile() {
  let waiting = new Set<Uint8Array[]>()
  const newest = new Map<number, Uint8Array[]>()
  let bytes = 0
  const put = (chunks: Uint8Array[]) => {
    waiting.add(chunks)
    bytes += bytesOf(chunks)
  }
  const replace = (type: number, chunks: Uint8Array[]) => {
    const old = newest.get(type)
    if (old && waiting.delete(old)) bytes -= bytesOf(old)
    newest.set(type, chunks)
  }
  return {
    add(message: Message) {
      // Parts are passed on as they are: a large one is copied only when the answer is put together.
      const chunks = encodeMessageChunks(message)
      if (replacing.has(message.type)) replace(message.type, chunks)
      put(chunks)
    },
    addBytes: (chunk: Uint8Array) => put([chunk]),
    take() {
      const taken = [...waiting].flat()
      waiting = new Set()
      newest.clear()
      bytes = 0
      return taken
    },
    isEmpty: () => waiting.size === 0,
    bytes: () => bytes,
  }
}

function bytesOf(chunks: Uint8Array[]): number {
  return chunks.reduce((sum, { length }) => sum + length, 0)
}
