import { FrameType, type FromWorker, toWireError } from '@flash/protocol'
import type { LinkState } from './link-state.ts'

export interface HearOptions {
  /** Answers what the worker asks of its host. */
  answer(name: string, data: unknown[]): Promise<unknown>
  /** Output that belongs to no call. */
  onOutput(stream: 'stdout' | 'stderr', text: string): void
  onFree(): void
}

/** What is done with each message of a worker. */
export function createHandlers(options: HearOptions, { calls, state, send, tail, files, hold }: LinkState) {
  const listenerOf = (call: number) => calls.get(call)?.listener
  const finish = (call: number) => {
    const listener = listenerOf(call)
    calls.delete(call)
    hold()
    return listener
  }
  const reply = async (request: number, name: string, data: unknown[]) => {
    try {
      const ok = await options.answer(name, data)
      if (name === 'fetchModule') noteFile(files, ok)
      send({ t: 'reply', request, ok })
    } catch (error) {
      send({ t: 'reply', request, error: toWireError(error, { stack: true }) })
    }
  }
  const table: {
    [T in FromWorker['t']]?: (message: Extract<FromWorker, { t: T }>, parts: Uint8Array[]) => void
  } = {
    ready: () => void (state.ready = true),
    request: (message) => void reply(message.request, message.name, message.data),
    progress: ({ call, rich, text }, parts) =>
      listenerOf(call)?.progress({ type: FrameType.progress, rich, text, parts }),
    item: ({ call, rich, text }, parts) =>
      listenerOf(call)?.item({ type: FrameType.item, rich, text, parts }),
    log({ call, stream, text }) {
      const listener = call === null ? undefined : listenerOf(call)
      tail.add(text)
      listener?.log(stream, text)
      options.onOutput(stream, text)
    },
    done({ call, rich, text }, parts) {
      finish(call)?.done({ type: FrameType.value, rich, text, parts })
      options.onFree()
    },
    failed({ call, error }) {
      finish(call)?.failed(error)
      options.onFree()
    },
    refresh: () => void (state.retired = true),
  }
  return (message: FromWorker, parts: Uint8Array[]) =>
    (table[message.t] as ((message: FromWorker, parts: Uint8Array[]) => void) | undefined)?.(message, parts)
}

/** A module that is run in the worker says which file it is of. */
function noteFile(files: Set<string>, module: unknown): void {
  const { file } = Object(module) as { file?: unknown }
  if (typeof file === 'string') files.add(file)
}
