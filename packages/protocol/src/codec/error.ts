import { RemoteError } from '../error.ts'

/** An error as it travels: data only. */
export interface WireError {
  name: string
  message: string
  code?: string
  /** The next step, as one sentence. */
  hint?: string
  /** Present when the data is plain JSON. */
  data?: unknown
  /** Devalue text of data that is not plain JSON, bytes inline. */
  rich?: string
  cause?: WireError
  /** Of an AggregateError. */
  errors?: WireError[]
  stack?: string
}

/** An error, its cause, the cause's cause, …: five in all. */
export const causeDepth = 5

/** Errors in one wire error, causes and members together; lists that contain themselves would multiply without it. */
export const errorLimit = 100

/**
 * The error to throw at the call. Standard names become instances of their own constructors, all others a
 * `RemoteError` with the name kept.
 *
 * - `decode`: reads data that is not plain JSON (`decodeInline`); without it such data is left out.
 */
export function fromWireError(wire: WireError, decode?: (text: string) => unknown): Error {
  let left = errorLimit
  const revive = (given: unknown, depth: number): Error | undefined => {
    if (typeof given !== 'object' || given === null || depth === 0 || left-- <= 0) return undefined
    const wire = given as WireError
    const errors = Array.isArray(wire.errors)
      ? wire.errors.map((each) => revive(each, depth - 1)).filter((each) => each !== undefined)
      : []
    const error = construct(wire, readData(wire, decode), errors)
    const cause = revive(wire.cause, depth - 1)
    if (cause) define(error, 'cause', cause)
    if (typeof wire.stack === 'string') define(error, 'stack', wire.stack)
    return error
  }
  return revive(wire, causeDepth) ?? new RemoteError('INTERNAL', 'the error of this call could not be read')
}

function construct(wire: WireError, data: unknown, errors: Error[]): Error {
  const name = text(wire.name) ?? 'RemoteError'
  const message = text(wire.message) ?? ''
  const code = text(wire.code)
  const hint = text(wire.hint)
  // What aborting and timing out throw; programs compare these by name and by class.
  if (name === 'AbortError' || name === 'TimeoutError') return new DOMException(message, name)
  const error = name === 'AggregateError' ? new AggregateError(errors, message) : standardError(name, message)
  if (!error) {
    const remote = new RemoteError(code ?? 'FUNCTION_FAILED', message, { data, hint })
    remote.name = name
    return remote
  }
  for (const [key, value] of Object.entries({ code, hint, data }))
    if (value !== undefined) define(error, key, value, true)
  return error
}

function standardError(name: string, message: string): Error | undefined {
  const standard = { Error, TypeError, RangeError, SyntaxError, ReferenceError, EvalError, URIError }
  return Object.hasOwn(standard, name) ? new standard[name as keyof typeof standard](message) : undefined
}

function readData(wire: WireError, decode: ((text: string) => unknown) | undefined): unknown {
  if (typeof wire.rich !== 'string') return wire.data
  try {
    return decode?.(wire.rich)
  } catch {
    // The error itself matters more than the data beside it.
    return undefined
  }
}

function define(error: Error, key: string, value: unknown, enumerable = false): void {
  Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable })
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
