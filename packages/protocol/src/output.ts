import { decodeInline } from './codec/decode.ts'
import { type Encoded, type EncodeOptions, encodeValue, inlineText } from './codec/encode.ts'
import type { WireError } from './codec/error.ts'
import { writeForeign } from './codec/foreign.ts'
import type { PlainJson } from './codec/json.ts'

/** The text of a result, of an item or of progress: rich for our callers, plain JSON for all others. */
export function encodeOutput(
  value: unknown,
  options: EncodeOptions & { foreign: boolean },
): Encoded | Promise<Encoded> {
  if (!options.foreign) return encodeValue(value, 'out', options)
  const finish = (plain: PlainJson): Encoded => ({ rich: false, text: JSON.stringify(plain), parts: [] })
  const plain = writeForeign(value)
  return plain instanceof Promise ? plain.then(finish) : finish(plain)
}

/**
 * JSON text of `output` on the queue: plain JSON as it is, all else as `{ "flash:value": "<devalue text>" }`.
 * So are objects the platform would alter: with a key `error` or `refresh_worker`, or with no key at all.
 */
export function writeOutput(encoded: Encoded): string {
  if (encoded.rich) return JSON.stringify({ 'flash:value': inlineText(encoded) })
  // Only an object begins so, and only one that has such a key, or none, can look like this.
  if (!/^\{(?:\}|.*"(?:error|refresh_worker|flash:value)")/s.test(encoded.text)) return encoded.text
  const value: object = JSON.parse(encoded.text)
  if (!isAltered(value)) return encoded.text
  const rich = encodeValue(value, 'out', { rich: true }) as Encoded
  return JSON.stringify({ 'flash:value': rich.text })
}

function isAltered(value: object): boolean {
  const keys = Object.keys(value)
  return (
    keys.length === 0 ||
    keys.some((key) => key === 'error' || key === 'refresh_worker' || key === 'flash:value')
  )
}

/** The text of an `output` that came over the queue, with what is in it: to be passed on without reading it. */
export function openOutput(output: unknown): Encoded {
  const text = richTextOf(output)
  return text === undefined
    ? { rich: false, text: JSON.stringify(output ?? null), parts: [] }
    : { rich: true, text, parts: [] }
}

/** The value of an `output` that came over the queue; throws `BAD_RESULT`. */
export function readOutput(output: unknown): unknown {
  const text = richTextOf(output)
  return text === undefined ? output : decodeInline(text)
}

function richTextOf(output: unknown): string | undefined {
  if (typeof output !== 'object' || output === null || !Object.hasOwn(output, 'flash:value')) return undefined
  const text = (output as Record<string, unknown>)['flash:value']
  return typeof text === 'string' && Object.keys(output).length === 1 ? text : undefined
}

/** Who failed, in the platform's words; `unknown` where it is not said. */
export interface FailureSource {
  hostname?: string
  workerId?: string
  version?: string
}

/** `error` of a failed job: a JSON text with the platform's own keys, and under `flash` what they do not say. */
export function writeFailure(wire: WireError, source: FailureSource = {}): string {
  const { message, stack, ...flash } = wire
  return JSON.stringify({
    error_type: wire.name,
    error_message: message,
    error_traceback: stack ?? headline(wire),
    hostname: source.hostname ?? 'unknown',
    worker_id: source.workerId ?? 'unknown',
    runpod_version: source.version ?? 'unknown',
    flash,
  })
}

/** The `error` of a failed job, whoever wrote it: our worker, Python's, or the platform. */
export function readFailure(error: unknown): WireError {
  const failure = typeof error === 'string' ? parseFailure(error) : error
  if (typeof failure !== 'object' || failure === null)
    return failed(text(failure) || 'the job failed without saying why')
  const fields = failure as Record<string, unknown>
  const message = text(fields.error_message)
  if (message === undefined) return failed(JSON.stringify(failure))
  const name = pythonName(text(fields.error_type))
  const wire: WireError = { ...readFlash(fields.flash, name), message }
  const stack = text(fields.error_traceback)
  if (stack !== undefined && stack !== headline(wire)) wire.stack = stack
  return wire
}

function readFlash(flash: unknown, name: string): Omit<WireError, 'message'> {
  if (typeof flash !== 'object' || flash === null || Array.isArray(flash))
    return { name, code: 'FUNCTION_FAILED' }
  return { name, ...flash, stack: undefined }
}

/** What stands for a stack where none travels. */
function headline({ name, message }: WireError): string {
  return `${name}: ${message}`
}

function parseFailure(error: string): unknown {
  try {
    const value: unknown = JSON.parse(error)
    return typeof value === 'object' ? (value ?? error) : error
  } catch {
    return error
  }
}

/** `<class 'torch.cuda.OutOfMemoryError'>` is called `OutOfMemoryError`. */
function pythonName(type: string | undefined): string {
  return /^<class '(?:.*\.)?([^.']+)'>$/.exec(type ?? '')?.[1] ?? type ?? 'RemoteError'
}

function failed(message: string): WireError {
  return { name: 'RemoteError', message, code: 'FUNCTION_FAILED' }
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
