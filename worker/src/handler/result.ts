import { AppError, type JobResult, writeForeign } from '@flash/protocol'

/** Who runs, for those who read an error. */
export interface ErrorSource {
  hostname: string
  workerId: string
  version: string
}

/**
 * The result of what a handler returned. The keys `error` and `refresh_worker` of an object are taken out of it, whatever
 * their values; an object with no other key is no output.
 *
 * - throws `OUTPUT_NOT_JSON` with the path of what plain JSON cannot say.
 *
 * Source: runpod-python 1.12, serverless worker, `run_job`.
 */
export async function toResult(value: unknown, source: ErrorSource): Promise<JobResult> {
  const plain = await writeForeign(withErrorText(value, source))
  if (!isRecord(plain)) return { output: plain }
  const { error, refresh_worker: refresh, ...output } = plain
  return {
    ...(Object.keys(output).length > 0 && { output }),
    ...(isTruthy(error) && { error }),
    ...(isTruthy(refresh) && { stopPod: true }),
  }
}

/** One item of a generator: its JSON, or why the stream ends here. */
export async function toItem(
  value: unknown,
  source: ErrorSource,
): Promise<{ json: string } | { error: string }> {
  const plain = await writeForeign(withErrorText(value, source))
  const error = isRecord(plain) ? plain.error : undefined
  if (isTruthy(error)) return { error: typeof error === 'string' ? error : JSON.stringify(error) }
  return { json: JSON.stringify(plain) }
}

/** `error` of a job whose handler threw: JSON text with the platform's keys. Never throws. */
export function toErrorText(thrown: unknown, { hostname, workerId, version }: ErrorSource): string {
  const { type, message, stack } = readThrown(thrown)
  return JSON.stringify({
    error_type: type,
    error_message: message,
    error_traceback: stack,
    hostname,
    worker_id: workerId,
    runpod_version: version,
  })
}

/** `error` of a job whose generator threw. Never throws. */
export function toStreamErrorText(thrown: unknown): string {
  const { message, stack } = readThrown(thrown)
  return `handler: ${message} \ntraceback: ${stack}`
}

/** An error that is returned says as much as one that is thrown. */
function withErrorText(value: unknown, source: ErrorSource): unknown {
  if (!isRecord(value) || !(value.error instanceof Error)) return value
  return { ...value, error: toErrorText(value.error, source) }
}

/** What is thrown may be anything, also what cannot be read. */
function readThrown(thrown: unknown): { type: string; message: string; stack: string } {
  try {
    if (!(thrown instanceof Error)) return { type: typeof thrown, ...wordsOf(new Error(describe(thrown))) }
    return { type: nameOf(thrown), ...wordsOf(thrown) }
  } catch {
    return { type: typeof thrown, ...wordsOf(new Error(unreadable)) }
  }
}

function wordsOf(error: Error): { message: string; stack: string } {
  return { message: String(error.message), stack: String(error.stack ?? error) }
}

/** Of our own errors the code says more than their class. */
function nameOf(error: Error): string {
  if (error instanceof AppError) return error.code
  const { constructor } = error
  return (typeof constructor === 'function' && constructor.name) || error.name
}

const unreadable = 'a value that cannot be shown'

function describe(thrown: unknown): string {
  try {
    return typeof thrown === 'object' ? JSON.stringify(thrown) : String(thrown)
  } catch {
    return unreadable
  }
}

/** As Python judges it, where JSON has such values: empty lists and objects are nothing. */
function isTruthy(value: unknown): boolean {
  return typeof value === 'object' && value !== null ? Object.keys(value).length > 0 : Boolean(value)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
