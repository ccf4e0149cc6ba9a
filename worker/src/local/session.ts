import { AppError, type Clock } from '@flash/protocol'
import { contextStorage, type FunctionContext } from '../execute/context.ts'
import type { Capture, OutputOwner } from '../execute/output.ts'
import type { Worker } from '../execute/worker.ts'
import type { Conversation } from './channel.ts'
import type { Places } from './places.ts'
import type { Ask } from './requests.ts'

/** Where modules come from. */
export interface Loader {
  load(module: string): Promise<Record<string, unknown>>
  /** Absolute files that changed: they and what imports them are loaded again when they are next asked for. */
  invalidate(files: string[]): void
}

export type CreateLoader = (options: { root: string; ask: Ask }) => Promise<Loader>

/** The call a piece of output belongs to. */
export interface CallOwner extends OutputOwner {
  call: number
}

/** A call in flight. */
export interface RunningCall {
  owner: CallOwner
  signal: AbortSignal
  /** Rejects when a cancelled function has taken too long to end. */
  abandoned: Promise<never>
  /** Once the function has one: what listens to the signal runs in it. */
  context: FunctionContext | null
  cancel(reason: string): void
}

/** What the calls of one channel share. */
export interface Session {
  clock: Clock
  graceMs: number
  worker: Worker
  places: Places
  loader: Promise<Loader>
  /** Goes up with each change of code. */
  generation: number
  calls: Map<number, RunningCall>
  owners: WeakMap<FunctionContext, CallOwner>
  capture: Capture<CallOwner>
  say: Conversation['say']
  sayLater: Conversation['sayLater']
}

export interface Deferred<T> {
  promise: Promise<T>
  resolve(value: T): void
  reject(error: unknown): void
}

/** A promise to be settled from outside; nobody has to look at it. */
export function createDeferred<T>(): Deferred<T> {
  let settle: Pick<Deferred<T>, 'resolve' | 'reject'>
  const promise = new Promise<T>((resolve, reject) => (settle = { resolve, reject }))
  promise.catch(() => {})
  return { promise, ...settle! }
}

export function createCall(call: number, clock: Clock, graceMs: number): RunningCall {
  const abort = new AbortController()
  const abandoned = createDeferred<never>()
  const running: RunningCall = {
    owner: { call, ended: false },
    signal: abort.signal,
    abandoned: abandoned.promise,
    context: null,
    cancel(reason) {
      if (abort.signal.aborted) return
      const error = cancelReason(reason)
      clock.after(graceMs, () => abandoned.reject(error))
      if (running.context) contextStorage().run(running.context, () => abort.abort(error))
      else abort.abort(error)
    },
  }
  return running
}

/** Cancels the call with a signal; returns what lets go of it. */
export function followSignal(signal: AbortSignal, call: RunningCall): () => void {
  const cancel = () => call.cancel(signal.reason instanceof Error ? signal.reason.message : 'the worker ends')
  if (signal.aborted) cancel()
  else signal.addEventListener('abort', cancel, { once: true })
  return () => signal.removeEventListener('abort', cancel)
}

/** What `signal.reason` is after a message `cancel`. */
function cancelReason(reason: string): AppError {
  if (reason === 'timed-out') {
    return new AppError('TIMEOUT', {
      message: 'the call ran longer than its execution timeout',
      hint: 'raise executionTimeoutMs in the config of the endpoint, or for the call',
    })
  }
  return new AppError('CANCELLED', { message: `the call was cancelled: ${reason}` })
}
