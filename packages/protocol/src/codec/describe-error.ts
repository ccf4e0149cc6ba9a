import { AppError } from '../error.ts'
import { causeDepth, errorLimit, type WireError } from './error.ts'

export interface DescribeOptions {
  /** Whether stacks travel: in development only. */
  stack: boolean
  /** How data travels; `null` when it cannot. */
  encodeData(data: unknown): { data: unknown } | { rich: string } | null
}

/** Characters of a message or stack; more would push the error itself over the wire's limit. */
const TEXT_LIMIT = 65_536

/** Whatever was thrown, as data. Reads with care: properties of thrown things may throw themselves. */
export function describeError(thrown: unknown, options: DescribeOptions): WireError {
  const budget = { left: errorLimit }
  const describe = (error: unknown, depth: number): WireError => {
    budget.left--
    return isError(error) ? describeReal(error, depth) : describeOther(error, options)
  }
  const describeReal = (error: Error, depth: number): WireError => {
    const wire: WireError = { name: nameOf(error), message: textOf(error, 'message') ?? '' }
    addFields(wire, error, options)
    const below =
      depth > 1
        ? (inner: unknown) => (budget.left > 0 ? describe(inner, depth - 1) : undefined)
        : () => undefined
    const cause = read(error, 'cause')
    const errors = wire.name === 'AggregateError' ? read(error, 'errors') : undefined
    if (cause !== undefined) wire.cause = below(cause)
    if (Array.isArray(errors)) wire.errors = errors.map(below).filter((each) => each !== undefined)
    return wire
  }
  return describe(thrown, causeDepth)
}

export function isError(value: unknown): value is Error {
  if (value instanceof Error) return true
  const tag = Object.prototype.toString.call(value)
  return tag === '[object Error]' || tag === '[object DOMException]'
}

/** An error of the product is thrown at the call as what the caller's types promise. */
function nameOf(error: Error): string {
  return error instanceof AppError ? 'RemoteError' : textOf(error, 'name') || 'Error'
}

function addFields(wire: WireError, error: Error, options: DescribeOptions): void {
  // A DOMException's code is a number of old, its name says the same.
  const code =
    Object.prototype.toString.call(error) === '[object DOMException]' ? undefined : read(error, 'code')
  if (typeof code === 'string' || typeof code === 'number') wire.code = String(code)
  const hint = textOf(error, 'hint')
  if (hint) wire.hint = hint
  const data = read(error, 'data')
  if (data !== undefined) addData(wire, data, options)
  const stack = options.stack ? textOf(error, 'stack') : undefined
  if (stack) wire.stack = stack
}

function addData(wire: WireError, data: unknown, options: DescribeOptions): void {
  const encoded = options.encodeData(data)
  if (encoded) Object.assign(wire, encoded)
  else
    wire.hint = [wire.hint, 'the `data` of this error was left out: it holds something that does not travel']
      .filter(Boolean)
      .join('; ')
}

function describeOther(thrown: unknown, options: DescribeOptions): WireError {
  const wire: WireError = {
    name: 'RemoteError',
    message: `${sort(thrown)} was thrown instead of an Error${preview(thrown)}`,
    code: 'FUNCTION_FAILED',
    hint: 'throw an Error, or a RemoteError with a code',
  }
  const encoded = thrown === undefined ? null : options.encodeData(thrown)
  return encoded ? Object.assign(wire, encoded) : wire
}

function sort(thrown: unknown): string {
  if (thrown === null || thrown === undefined) return String(thrown)
  if (Array.isArray(thrown)) return 'an array'
  return typeof thrown === 'object' ? 'an object' : `a ${typeof thrown}`
}

function preview(thrown: unknown): string {
  if (typeof thrown === 'string') return `: ${JSON.stringify(thrown.slice(0, 200))}`
  return typeof thrown === 'number' || typeof thrown === 'boolean' || typeof thrown === 'bigint'
    ? `: ${String(thrown).slice(0, 200)}`
    : ''
}

function textOf(error: Error, key: string): string | undefined {
  const value = read(error, key)
  if (typeof value !== 'string') return undefined
  if (value.length <= TEXT_LIMIT) return value
  return `${value.slice(0, TEXT_LIMIT)}… (${value.length - TEXT_LIMIT} more characters)`
}

function read(error: Error, key: string): unknown {
  try {
    return (error as unknown as Record<string, unknown>)[key]
  } catch {
    return undefined
  }
}
