import {
  type Clock,
  createMessageReader,
  FrameType,
  type FromWorker,
  fromWireError,
  type LocalCall,
  type LocalServe,
  type Message,
  toWireError,
  type WireError,
} from '@flash/protocol'
import { crashError } from './crash-error.ts'
import type { Exit, Launched } from './launch.ts'
import { addCall, type CallListener, createLinkState, type LinkState, occupy, silent } from './link-state.ts'
import { toAppError } from './to-app-error.ts'

export interface LinkOptions {
  id: string
  launched: Launched
  root: string
  endpoint: string
  /** Variables of `.env` files that the worker does not get. */
  unnamed: string[]
  clock: Clock
  /** Answers what the worker asks of its host. */
  answer(name: string, data: unknown[]): Promise<unknown>
  /** Why a worker ended before it was ready, when the host knows better than its exit code. */
  explainExit?(exit: Exit): Error | undefined
  /** Output that belongs to no call. */
  onOutput(stream: 'stdout' | 'stderr', text: string): void
  onFree(): void
  onExit(link: WorkerLink, exit: Exit): void
}

/** One connected worker: calls go in, what they say comes out, and its pulse tells whether its loop turns. */
export interface WorkerLink {
  readonly id: string
  readonly pid: number | undefined
  /** What it does now: calls, and requests that go past the channel. */
  readonly calls: number
  /** The loop has not turned for two seconds, as far as this process has heard. */
  isSilent(): boolean
  /** The same while it has something to do. */
  isStuck(): boolean
  /** Asked for a fresh process after the calls in flight. */
  readonly retired: boolean
  run(call: Omit<LocalCall, 't' | 'call'>, parts: Uint8Array[], listener: CallListener): number
  /**
   * Tells it what its HTTP server answers from now on; the server is there afterwards.
   *
   * - rejects with what the modules or their state failed with, as the worker said it.
   */
  serve(request: Omit<LocalServe, 't' | 'call'>): Promise<{ port: number }>
  /** A request has begun that goes past the channel; returns how to say that it has ended. */
  occupy(): () => void
  warm(request: { fn: string; module: string; setup: string | null; endpoint: string }): Promise<void>
  cancel(call: number, reason: string): void
  /** A call that was cancelled and does not end is not waited for. */
  abandon(call: number): void
  invalidate(files: string[]): void
  /** The last lines it wrote, for the report of a crash. */
  lastOutput(): string
  /** Resolves with what its calls failed with when it ended. */
  ended: Promise<Error>
  kill(): void
}

const STUCK_AFTER_MS = 2_000

/** Far above what a result may have; a worker that says more is broken. */
const MESSAGE_LIMIT_BYTES = 512 * 1024 * 1024

export function createLink(options: LinkOptions): WorkerLink {
  const { launched, clock } = options
  const shared = createLinkState(options)
  const { calls, state, send, tail, busy } = shared
  const isSilent = () => state.ready && clock.now() - state.lastBeat > STUCK_AFTER_MS
  listen(options, shared)
  const link: WorkerLink = {
    id: options.id,
    pid: launched.pid,
    get calls() {
      return busy()
    },
    get retired() {
      return state.retired
    },
    isSilent,
    isStuck: () => busy() > 0 && isSilent(),
    run(call, parts, listener) {
      const number = addCall(shared, listener)
      send({ t: 'call', call: number, ...call }, parts)
      return number
    },
    warm: (request) =>
      new Promise((resolve, reject) => {
        const failed = (error: WireError) => reject(fromWireError(error))
        send({ t: 'warm', call: addCall(shared, { ...silent, done: () => resolve(), failed }), ...request })
      }),
    serve: (request) =>
      new Promise((resolve, reject) => {
        const done = ({ text }: Message) => resolve(JSON.parse(text) as { port: number })
        const failed = (error: WireError) => reject(toAppError(error))
        send({ t: 'serve', call: addCall(shared, { ...silent, done, failed }), ...request })
      }),
    occupy: () => occupy(shared, options.onFree),
    cancel: (call, reason) => send({ t: 'cancel', call, reason }),
    abandon(call) {
      calls.delete(call)
      shared.hold()
    },
    invalidate: (files) => send({ t: 'invalidate', files }),
    lastOutput: tail.text,
    ended: shared.ended,
    kill: () => launched.kill(),
  }
  void endWith(link, options, shared)
  shared.hold()
  send({ t: 'start', root: options.root, endpoint: options.endpoint, unnamed: options.unnamed })
  return link
}

function listen(options: LinkOptions, shared: LinkState): void {
  const { launched, clock } = options
  const { state, tail } = shared
  const handle = createHandlers(options, shared)
  const reader = createMessageReader(
    (message) => {
      state.lastBeat = clock.now()
      handle(JSON.parse(message.text) as FromWorker, message.parts)
    },
    { bytes: MESSAGE_LIMIT_BYTES },
  )
  launched.onData((bytes) => {
    try {
      if (!state.gone) reader.push(bytes)
    } catch (error) {
      // Nothing more can be understood of it.
      state.gone = true
      tail.add(`${(error as Error).message}\n`)
      launched.kill()
    }
  })
  launched.onOutput((stream, text) => {
    tail.add(text)
    options.onOutput(stream, text)
  })
}

/** When the worker ends, so do its calls. */
async function endWith(
  link: WorkerLink,
  options: LinkOptions,
  { calls, state, tail, tellEnd }: LinkState,
): Promise<void> {
  const exit = await options.launched.exited
  state.gone = true
  const known = state.ready ? undefined : options.explainExit?.(exit)
  const reason = known ?? crashError(options.endpoint, exit, tail.text())
  const error = toWireError(reason, { stack: false })
  tellEnd(reason)
  const listeners = [...calls.values()]
  calls.clear()
  for (const listener of listeners) listener.failed(error)
  options.onExit(link, exit)
}

function createHandlers(options: LinkOptions, { calls, state, send, tail, hold }: LinkState) {
  const finish = (call: number) => {
    const listener = calls.get(call)
    calls.delete(call)
    hold()
    return listener
  }
  const reply = async (request: number, name: string, data: unknown[]) => {
    try {
      send({ t: 'reply', request, ok: await options.answer(name, data) })
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
      calls.get(call)?.progress({ type: FrameType.progress, rich, text, parts }),
    item: ({ call, rich, text }, parts) => calls.get(call)?.item({ type: FrameType.item, rich, text, parts }),
    log({ call, stream, text }) {
      const listener = call === null ? undefined : calls.get(call)
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
