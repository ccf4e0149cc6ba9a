import {
  type Clock,
  encodeMessageChunks,
  FrameType,
  type Message,
  type ToWorker,
  type WireError,
} from '@flash/protocol'
import type { Launched } from './launch.ts'
import { createTail, type Tail } from './tail.ts'

/** What a worker says about one call. */
export interface CallListener {
  progress(message: Message): void
  item(message: Message): void
  log(stream: 'stdout' | 'stderr', text: string): void
  done(message: Message): void
  failed(error: WireError): void
}

export const silent: CallListener = { progress() {}, item() {}, log() {}, done() {}, failed() {} }

export interface LinkedCall {
  listener: CallListener
  /** What the worker had written when it began. */
  mark: number
}

/** A request that goes past the channel. */
export interface Occupied {
  /** It has ended. */
  release(): void
  /** Resolves with what it fails with when the worker ends. */
  ended(): Promise<Error>
}

/** What a call fails with that began at a mark of the tail. */
export type ToCrash = (mark: number) => Error

/** What the two directions of a link share. */
export interface LinkState {
  calls: Map<number, LinkedCall>
  tail: Tail
  /** Files of the modules it has got, absolute, with `/`. */
  files: Set<string>
  state: {
    next: number
    lastBeat: number
    requests: number
    ready: boolean
    retired: boolean
    gone: boolean
  }
  ended: Promise<ToCrash>
  tellEnd(toCrash: ToCrash): void
  send(message: ToWorker, parts?: Uint8Array[]): void
  busy(): number
  /** Lets the process wait for this worker as long as it does something. */
  hold(): void
}

export function createLinkState({ launched, clock }: { launched: Launched; clock: Clock }): LinkState {
  let isHeld: boolean | undefined
  let tellEnd: (toCrash: ToCrash) => void
  const ended = new Promise<ToCrash>((resolve) => (tellEnd = resolve))
  const shared: LinkState = {
    calls: new Map(),
    tail: createTail(),
    files: new Set(),
    state: { next: 1, lastBeat: clock.now(), requests: 0, ready: false, retired: false, gone: false },
    ended,
    tellEnd: (toCrash) => tellEnd(toCrash),
    send(message, parts = []) {
      if (shared.state.gone) return
      const text = JSON.stringify(message)
      // Chunk by chunk: parts can be large, and need no copy on their way.
      for (const chunk of encodeMessageChunks({ type: FrameType.channel, rich: false, text, parts }))
        launched.send(chunk)
    },
    busy: () => shared.calls.size + shared.state.requests,
    hold() {
      const isNeeded = shared.busy() > 0
      if (isNeeded !== isHeld) launched.hold(isNeeded)
      isHeld = isNeeded
    },
  }
  return shared
}

/** Counts a request that goes past the channel, until it is released. */
export function occupy({ state, hold, tail, ended }: LinkState, onFree: () => void): Occupied {
  let isBusy = true
  const mark = tail.mark()
  state.requests++
  hold()
  return {
    release() {
      if (!isBusy) return
      isBusy = false
      state.requests--
      hold()
      onFree()
    },
    ended: async () => (await ended)(mark),
  }
}

/** Counts a call; the number is its name for the worker. */
export function addCall({ calls, state, hold, tail }: LinkState, listener: CallListener): number {
  const number = state.next++
  calls.set(number, { listener, mark: tail.mark() })
  hold()
  return number
}
