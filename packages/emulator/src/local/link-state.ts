import {
  type Clock,
  encodeMessageChunks,
  FrameType,
  type Message,
  type ToWorker,
  type WireError,
} from '@flash/protocol'
import type { Launched } from './launch.ts'
import { createTail } from './tail.ts'

/** What a worker says about one call. */
export interface CallListener {
  progress(message: Message): void
  item(message: Message): void
  log(stream: 'stdout' | 'stderr', text: string): void
  done(message: Message): void
  failed(error: WireError): void
}

export const silent: CallListener = { progress() {}, item() {}, log() {}, done() {}, failed() {} }

/** What the two directions of a link share. */
export interface LinkState {
  calls: Map<number, CallListener>
  tail: ReturnType<typeof createTail>
  state: {
    next: number
    lastBeat: number
    requests: number
    ready: boolean
    retired: boolean
    gone: boolean
  }
  ended: Promise<Error>
  tellEnd(error: Error): void
  send(message: ToWorker, parts?: Uint8Array[]): void
  busy(): number
  /** Lets the process wait for this worker as long as it does something. */
  hold(): void
}

export function createLinkState({ launched, clock }: { launched: Launched; clock: Clock }): LinkState {
  let tellEnd: (error: Error) => void
  const ended = new Promise<Error>((resolve) => (tellEnd = resolve))
  const shared: LinkState = {
    calls: new Map(),
    tail: createTail(),
    state: { next: 1, lastBeat: clock.now(), requests: 0, ready: false, retired: false, gone: false },
    ended,
    tellEnd: (error) => tellEnd(error),
    send(message, parts = []) {
      if (shared.state.gone) return
      const text = JSON.stringify(message)
      // Chunk by chunk: parts can be large, and need no copy on their way.
      for (const chunk of encodeMessageChunks({ type: FrameType.channel, rich: false, text, parts }))
        launched.send(chunk)
    },
    busy: () => shared.calls.size + shared.state.requests,
    hold: () => launched.hold(shared.busy() > 0),
  }
  return shared
}

/** Counts a request that goes past the channel; returns how to say that it has ended. */
export function occupy({ state, hold }: LinkState, onFree: () => void): () => void {
  let isBusy = true
  state.requests++
  hold()
  return () => {
    if (!isBusy) return
    isBusy = false
    state.requests--
    hold()
    onFree()
  }
}

/** Counts a call; the number is its name for the worker. */
export function addCall({ calls, state, hold }: LinkState, listener: CallListener): number {
  const number = state.next++
  calls.set(number, listener)
  hold()
  return number
}
