import {
  AppError,
  type Clock,
  createMessageReader,
  encodeMessageChunks,
  FrameType,
  type FromWorker,
  fromWireError,
  type LocalCall,
  type Message,
  type ToWorker,
  toWireError,
  type WireError,
} from '@flash/protocol'
import type { Exit, Launched } from './launch.ts'
import { createTail } from './tail.ts'

/** What a worker says about one call. */
export interface CallListener {
  progress(message: Message): void
  item(message: Message): void
  log(stream: 'stdout' | 'stderr', text: string): void
  done(message: Message): void
  failed(error: WireError): void
}

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
  readonly calls: number
  /** The loop has not turned for two seconds. */
  isStuck(): boolean
  /** Asked for a fresh process after the calls in flight. */
  readonly retired: boolean
  run(call: Omit<LocalCall, 't' | 'call'>, parts: Uint8Array[], listener: CallListener): number
  warm(request: { fn: string; module: string; setup: string | null; endpoint: string }): Promise<void>
  cancel(call: number, reason: string): void
  /** A call that was cancelled and does not end is not waited for. */
  abandon(call: number): void
  invalidate(files: string[]): void
  /** The last lines it wrote, for the report of a crash. */
  lastOutput(): string
  kill(): void
}

const STUCK_AFTER_MS = 2_000

/** Far above what a result may have; a worker that says more is broken. */
const MESSAGE_LIMIT_BYTES = 512 * 1024 * 1024

export function createLink(options: LinkOptions): WorkerLink {
  const { launched, clock } = options
  const shared: Shared = {
    calls: new Map(),
    tail: createTail(),
    state: { next: 1, lastBeat: clock.now(), ready: false, retired: false, gone: false },
    send(message, parts = []) {
      if (shared.state.gone) return
      const text = JSON.stringify(message)
      // Chunk by chunk: parts can be large, and need no copy on their way.
      for (const chunk of encodeMessageChunks({ type: FrameType.channel, rich: false, text, parts }))
        launched.send(chunk)
    },
    hold: () => launched.hold(shared.calls.size > 0),
  }
  const { calls, state, send, tail } = shared
  listen(options, shared)
  const link: WorkerLink = {
    id: options.id,
    pid: launched.pid,
    get calls() {
      return calls.size
    },
    get retired() {
      return state.retired
    },
    isStuck: () => state.ready && calls.size > 0 && clock.now() - state.lastBeat > STUCK_AFTER_MS,
    run(call, parts, listener) {
      const number = add(shared, listener)
      send({ t: 'call', call: number, ...call }, parts)
      return number
    },
    warm: (request) =>
      new Promise((resolve, reject) => {
        const failed = (error: WireError) => reject(fromWireError(error))
        send({ t: 'warm', call: add(shared, { ...silent, done: () => resolve(), failed }), ...request })
      }),
    cancel: (call, reason) => send({ t: 'cancel', call, reason }),
    abandon(call) {
      calls.delete(call)
      shared.hold()
    },
    invalidate: (files) => send({ t: 'invalidate', files }),
    lastOutput: tail.text,
    kill: () => launched.kill(),
  }
  void endWith(link, options, shared)
  shared.hold()
  send({ t: 'start', root: options.root, endpoint: options.endpoint, unnamed: options.unnamed })
  return link
}

/** What the two directions of a link share. */
interface Shared {
  calls: Map<number, CallListener>
  tail: ReturnType<typeof createTail>
  state: { next: number; lastBeat: number; ready: boolean; retired: boolean; gone: boolean }
  send(message: ToWorker, parts?: Uint8Array[]): void
  /** Lets the process wait for this worker as long as calls run in it. */
  hold(): void
}

function add({ calls, state, hold }: Shared, listener: CallListener): number {
  const number = state.next++
  calls.set(number, listener)
  hold()
  return number
}

function listen(options: LinkOptions, shared: Shared): void {
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
  { calls, state, tail }: Shared,
): Promise<void> {
  const exit = await options.launched.exited
  state.gone = true
  const known = state.ready ? undefined : options.explainExit?.(exit)
  const error = toWireError(known ?? crashError(options.endpoint, exit, tail.text()), { stack: false })
  const listeners = [...calls.values()]
  calls.clear()
  for (const listener of listeners) listener.failed(error)
  options.onExit(link, exit)
}

const silent: CallListener = { progress() {}, item() {}, log() {}, done() {}, failed() {} }

function createHandlers(options: LinkOptions, { calls, state, send, tail, hold }: Shared) {
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

/** What a call in flight fails with when its worker ends: how it ended and the last it said. */
function crashError(endpoint: string, exit: Exit, lastOutput: string): AppError {
  const how = exit.signal
    ? `was ended by ${exit.signal}`
    : exit.code === null
      ? 'could not be started'
      : `exited with code ${exit.code}`
  const said = [exit.reason, lastOutput].filter(Boolean).join('\n').trim()
  return new AppError('WORKER_CRASHED', {
    message: `the worker of "${endpoint}" ${how} while this call ran${said ? `; its last output:\n${said}` : ''}`,
    hint: 'the next call starts a fresh worker',
    data: { exitCode: exit.code, signal: exit.signal, lastOutput },
  })
}
