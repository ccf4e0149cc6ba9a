import type { ErrorCode } from './codes.ts'
import type { SourcePosition } from './facts.ts'

export interface AppErrorOptions {
  message: string
  /** The next step, as one sentence. */
  hint?: string
  at?: SourcePosition
  /** The lines around `at`, with a marker, for terminals and the overlay. */
  frame?: string
  data?: unknown
  cause?: unknown
}

/** An error of the product itself: a code that programs compare, a sentence, and the next step. */
export class AppError extends Error {
  override name = 'AppError'
  readonly code: ErrorCode
  readonly hint?: string
  readonly at?: SourcePosition
  readonly frame?: string
  readonly data?: unknown

  constructor(code: ErrorCode, options: AppErrorOptions) {
    super(options.message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
    this.at = options.at
    this.frame = options.frame
    this.data = options.data
  }
}

export interface RemoteErrorOptions {
  data?: unknown
  hint?: string
  cause?: unknown
}

/**
 * What a remote function throws on purpose, and what a call rejects with.
 *
 * - `code`: the author's own, or one of the product's codes (`TIMEOUT`, `BAD_INPUT`, …).
 * - `data`: anything the codec carries.
 */
export class RemoteError extends Error {
  override name = 'RemoteError'
  readonly code: string
  readonly data?: unknown
  readonly hint?: string

  constructor(code: string, message: string, options: RemoteErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.data = options.data
    this.hint = options.hint
  }
}
