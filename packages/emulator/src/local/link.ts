import {
  type Clock,
  createMessageReader,
  type FromWorker,
  fromWireError,
  type LocalCall,
  type LocalServe,
  type Message,
  type ToWorker,
  toWireError,
  type WireError,
} from '@flash/protocol'
import { crashError } from './crash-error.ts'
import { createHandlers, type HearOptions } from './hear.ts'
import type { Exit, Launched } from './launch.ts'
import {
  addCall,
  type CallListener,
  createLinkState,
  type LinkState,
  type Occupied,
  occupy,
  silent,
} from './link-state.ts'
import { toAppError } from './to-app-error.ts'

export interface LinkOptions extends HearOptions {
  id: string
  launched: Launched
  root: string
  endpoint: string
  /** Variables of `.env` files that the worker does not get. */
  unnamed: string[]
  clock: Clock
  /** Why a worker ended before it was ready, when the host knows better than its exit code. */
  explainExit?(exit: Exit): Error | undefined
  onExit(link: WorkerLink, exit: Exit): void
}

/** One connected worker: calls go in, what they say comes out, and its pulse tells whether its loop turns. */
export interface WorkerLink {
  readonly id: string
  readonly pid: number | undefined
  /** What it does now: calls, and requests that go past the channel. */
  readonly calls: number
  /** When it last said something. */
  readonly heardAt: number
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
  /** A request has begun that goes past the channel. */
  occupy(): Occupied
  warm(request: { fn: string; module: string; setup: string | null; endpoint: string }): Promise<void>
  cancel(call: number, reason: string): void
  /** A call that was cancelled and does not end is not waited for. */
  abandon(call: number): void
  invalidate(files: string[]): void
  /** Whether it has got the code of one of these files. */
  hasLoaded(files: string[]): boolean
  kill(): void
}

const STUCK_AFTER_MS = 2_000

/** Far above what a result may have; a worker that says more is broken. */
const MESSAGE_LIMIT_BYTES = 512 * 1024 * 1024

export function createLink(options: LinkOptions): WorkerLink {
  const { launched, clock } = options
  const shared = createLinkState(options)
  const { calls, state, send, busy } = shared
  const isSilent = () => state.ready && clock.now() - state.lastBeat > STUCK_AFTER_MS
  listen(options, shared)
  const link: WorkerLink = {
    id: options.id,
    pid: launched.pid,
    get calls() {
      return busy()
    },
    get heardAt() {
      return state.lastBeat
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
    async warm(request) {
      await ask(shared, (call) => ({ t: 'warm', call, ...request }), fromWireError)
    },
    async serve(request) {
      const { text } = await ask(shared, (call) => ({ t: 'serve', call, ...request }), toAppError)
      return JSON.parse(text) as { port: number }
    },
    occupy: () => occupy(shared, options.onFree),
    cancel: (call, reason) => send({ t: 'cancel', call, reason }),
    abandon(call) {
      calls.delete(call)
      shared.hold()
    },
    invalidate: (files) => send({ t: 'invalidate', files }),
    hasLoaded: (files) => files.some((file) => shared.files.has(file.replaceAll('\\', '/'))),
    kill: () => launched.kill(),
  }
  void endWith(link, options, shared)
  shared.hold()
  send({ t: 'start', root: options.root, endpoint: options.endpoint, unnamed: options.unnamed })
  return link
}

/** Something to be done once, which is no call of a function. */
function ask(
  shared: LinkState,
  toMessage: (call: number) => ToWorker,
  toError: (error: WireError) => Error,
): Promise<Message> {
  return new Promise((done, reject) => {
    const failed = (error: WireError) => reject(toError(error))
    shared.send(toMessage(addCall(shared, { ...silent, done, failed })))
  })
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
  const toCrash = (mark: number) => known ?? crashError(options.endpoint, exit, tail.text(mark))
  tellEnd(toCrash)
  const running = [...calls.values()]
  calls.clear()
  for (const { listener, mark } of running) listener.failed(toWireError(toCrash(mark), { stack: false }))
  options.onExit(link, exit)
}
