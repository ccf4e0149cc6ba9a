import { AppError, type Clock } from '@flash/protocol'
import { dispose } from './dispose.ts'

/** A state in use; it is not disposed before `release`. */
export interface SetupHold {
  state: unknown
  release(): void
}

export interface SetupRequest {
  /** Functions with the same slot share a state. */
  slot: string
  endpoint: string
  /** Changes when the code of `setup` changed; asked again each time it matters. */
  version(): string | Promise<string>
  /** Runs `setup`; the signal aborts when nobody wants the state any more. */
  make(signal: AbortSignal): unknown
  /** Of the call: one that is cancelled waits no longer. */
  signal: AbortSignal
}

export interface Setups {
  /**
   * The state, made by the first call that wants it while the others wait.
   * After a change the calls in flight finish with the old state; then it is disposed, then the new one is made.
   *
   * - throws `SETUP_FAILED` when `setup` threw; the next call tries again.
   */
  acquire(request: SetupRequest): Promise<SetupHold>
  /** Disposes all states; one that somebody holds for too long is left as it is. */
  close(): Promise<void>
}

export interface SetupOptions {
  clock: Clock
  report(error: unknown): void
  /** How long disposing may keep the next state waiting. */
  disposeMs?: number
}

interface Entry {
  version: string
  users: number
  made: Promise<unknown>
  abort: AbortController
  /** Set when the state is to go; resolves when it is gone. */
  gone: Promise<void> | null
  letGo: () => void
}

export function createSetups({ clock, report, disposeMs = 10_000 }: SetupOptions): Setups {
  const entries = new Map<string, Entry>()
  const patience = (work: Promise<void>): Promise<void> =>
    new Promise((resolve) => {
      const disarm = clock.after(disposeMs, resolve)
      void work.then(disarm).then(resolve)
    })
  const end = (entry: Entry): Promise<void> => {
    entry.abort.abort(new Error('the state of setup is not wanted any more'))
    const disposed = entry.made.then(
      (state) => dispose(state, report),
      () => {},
    )
    return patience(disposed)
  }
  const leave = async (slot: string, entry: Entry) => {
    await untilIdle(entry)
    await end(entry)
    if (entries.get(slot) === entry) entries.delete(slot)
  }
  const retire = (slot: string, entry: Entry): Promise<void> => {
    entry.gone ??= leave(slot, entry)
    return entry.gone
  }
  const create = (request: SetupRequest, version: string): Entry => {
    const abort = new AbortController()
    const made = (async () => request.make(abort.signal))()
    const entry: Entry = { version, users: 0, made, abort, gone: null, letGo: () => {} }
    entries.set(request.slot, entry)
    made.catch(() => {
      if (entries.get(request.slot) === entry) entries.delete(request.slot)
    })
    return entry
  }
  return {
    async acquire(request) {
      for (;;) {
        const version = await request.version()
        request.signal.throwIfAborted()
        const known = entries.get(request.slot)
        if (!known || (known.version === version && !known.gone))
          return use(known ?? create(request, version), request)
        await withSignal(retire(request.slot, known), request.signal)
      }
    },
    async close() {
      await Promise.all(Array.from(entries, ([slot, entry]) => patience(retire(slot, entry))))
    },
  }
}

async function use(entry: Entry, { signal, endpoint }: SetupRequest): Promise<SetupHold> {
  entry.users++
  let released = false
  const release = () => {
    if (released) return
    released = true
    entry.users--
    if (entry.users === 0) entry.letGo()
  }
  try {
    return { state: await withSignal(entry.made, signal), release }
  } catch (cause) {
    release()
    if (signal.aborted) throw cause
    throw new AppError('SETUP_FAILED', {
      message: `setup of "${endpoint}" threw: ${cause instanceof Error ? cause.message : String(cause)}`,
      hint: 'correct setup; the next call runs it again',
      cause,
    })
  }
}

function untilIdle(entry: Entry): Promise<void> {
  return entry.users === 0 ? Promise.resolve() : new Promise((resolve) => (entry.letGo = resolve))
}

function withSignal<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    wanted.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort))
  })
}
