import { AppError, isFinalState, type JobStatus, type Message } from '@flash/protocol'
import type { News } from '@flash/runtime/server'
import { errorMessage, itemMessage, lastMessage, progressMessage, statusMessage } from '../messages.ts'

/** Everything a job said, as far as it may be asked for again. */
export interface Transcript {
  /** Keeps what is new in it; gives the messages that tell it. */
  take(news: News): Message[]
  /** What a reader that has `from` items is told first. */
  since(from: number): Message[]
  hasEnded(): boolean
  /** Of the items that are kept. */
  bytes(): number
}

/** The items of one job that are kept for readers that come back. */
const keptBytes = 64 * 1024 * 1024

/** - `streamed`: the job is a generator's. */
export function createTranscript(endpoint: string, streamed: boolean): Transcript {
  const items = createItems()
  let state: JobStatus | undefined
  let progress: Message | undefined
  let last: Message | undefined
  const takeStatus = (status: JobStatus): Message[] => {
    if (isFinalState(status.status)) return [(last = lastMessage(endpoint, status, streamed))]
    const told: Message[] = []
    if (status.status !== state?.status || status.workerId !== state.workerId)
      told.push(statusMessage(status))
    state = status
    const next = status.output === undefined ? undefined : progressMessage(status.output)
    if (next && (next.text !== progress?.text || next.rich !== progress.rich)) told.push((progress = next))
    return told
  }
  return {
    take({ status, items: outputs }) {
      const unseen = streamed ? missingItems(status, items.count() + outputs.length) : []
      if (!unseen) return [(last = errorMessage(streamLost(endpoint, items.count())))]
      const messages = [...outputs, ...unseen].map(itemMessage)
      items.add(messages)
      const told = takeStatus(status)
      return last ? [...messages, ...told] : [...told, ...messages]
    },
    since(from) {
      const kept = items.since(from)
      if (!kept) return [errorMessage(streamLost(endpoint, from))]
      const before = last || !state ? [] : [statusMessage(state)]
      if (progress) before.push(progress)
      return last ? [...before, ...kept, last] : [...before, ...kept]
    },
    hasEnded: () => last !== undefined,
    bytes: items.bytes,
  }
}

/**
 * The items of a whole result that were not seen one by one; `undefined` when it is not known which those are.
 * A worker may leave the result empty, which says nothing.
 */
function missingItems({ status, output }: JobStatus, seen: number): unknown[] | undefined {
  if (status !== 'COMPLETED' || !Array.isArray(output) || output.length <= seen) return []
  return seen === 0 ? output : undefined
}

/** Items in their order; over the limit the oldest leave. */
function createItems() {
  let first = 0
  let kept: Message[] = []
  let bytes = 0
  return {
    add(messages: Message[]) {
      for (const message of messages) {
        kept.push(message)
        bytes += message.text.length
      }
      let gone = 0
      while (bytes > keptBytes && gone < kept.length) bytes -= kept[gone++]!.text.length
      kept = gone > 0 ? kept.slice(gone) : kept
      first += gone
    },
    /** `undefined` when they are not all there. */
    since(from: number): Message[] | undefined {
      return from < first || from > first + kept.length ? undefined : kept.slice(from - first)
    },
    count: () => first + kept.length,
    bytes: () => bytes,
  }
}

export function streamLost(endpoint: string, from: number): AppError {
  return new AppError('STREAM_LOST', {
    message: `endpoint "${endpoint}": the stream cannot be continued at item ${from}, it was not read by this server, or is not kept any more`,
    hint: 'call again; with several servers, send a visitor always to the same one',
  })
}
