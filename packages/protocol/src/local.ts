import type { WireError } from './codec/error.ts'
import type { FunctionFact } from './facts.ts'
import type { InputShape, QueueInput } from './input.ts'

/**
 * The conversation between the dev server and a worker on the same machine.
 * Each message is one frame message of type `channel`: JSON text, and byte parts where bytes travel.
 */
export type ToWorker =
  /** `unnamed`: variables of `.env` files that the worker does not get. */
  | { t: 'start'; root: string; endpoint: string; unnamed: string[] }
  | LocalCall
  | { t: 'warm'; call: number; fn: string; module: string; setup: string | null; endpoint: string }
  /**
   * Aborts the signal of the call. `failed` still follows: when the function has ended, or a second later, when nobody
   * waits for it any more. `timed-out` as reason makes it a `TIMEOUT`, all else is `CANCELLED`.
   */
  | { t: 'cancel'; call: number; reason: string }
  | LocalServe
  /** Absolute files that changed; the next call imports them again. */
  | { t: 'invalidate'; files: string[] }
  | { t: 'reply'; request: number; ok?: unknown; error?: WireError }

export interface LocalCall {
  t: 'call'
  call: number
  jobId: string
  attempt: number
  /** Milliseconds since the epoch, `null` without one. */
  deadline: number | null
  /** Function id. */
  fn: string
  /** What the worker's module loader imports to get `fn`. */
  module: string
  input: QueueInput
  /** Names and forms of what can be called, by which `input` is read. */
  shape: InputShape
  /** The caller is not one of our stubs and gets plain JSON back. */
  foreign: boolean
  setup: string | null
  endpoint: string
  instances: number
  idempotencyKey?: string
}

/**
 * Opens the HTTP server of a worker on 127.0.0.1, or tells the open one what it answers from now on.
 *
 * `done` follows with `{"port":41234}` once state and modules are there; `failed` when they cannot be made, and the next `serve`
 * tries again.
 */
export interface LocalServe {
  t: 'serve'
  call: number
  endpoint: string
  /** What each request has to carry in the header `TOKEN_HEADER`. */
  token: string
  functions: ServedFunction[]
}

/** A route, or a web app. */
export interface ServedFunction extends Pick<FunctionFact, 'id' | 'exportPath' | 'kind' | 'route' | 'setup'> {
  /** What the worker's module loader imports to get it. */
  module: string
}

export type FromWorker =
  | { t: 'ready' }
  /** Sent each 500 ms while the event loop turns. */
  | { t: 'beat'; turn: number }
  | { t: 'request'; request: number; name: 'fetchModule' | 'getBuiltins' | 'setupKey'; data: unknown[] }
  /** Input and state are there, and the function begins; comes with whatever is said next. */
  | { t: 'started'; call: number }
  | { t: 'progress'; call: number; rich: boolean; text: string }
  | { t: 'item'; call: number; rich: boolean; text: string }
  /** `call` is `null` for output that belongs to no call. */
  | { t: 'log'; call: number | null; stream: 'stdout' | 'stderr'; text: string }
  /** The text is empty when the result is the items that went before. */
  | { t: 'done'; call: number; rich: boolean; text: string }
  | { t: 'failed'; call: number; error: WireError }
  /** The function asked for a fresh worker after this call. */
  | { t: 'refresh'; call: number }
