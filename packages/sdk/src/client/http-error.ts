import { RemoteError, RESULT_HEADER } from '@flash/protocol'
import { readPlatformRefusal } from '@flash/runtime/server'
import { readText } from './answer.ts'
import { type BalancedCall, redactFor } from './call.ts'

/** How much of a failed request's body its error has. */
const errorCharacters = 10_000

/**
 * Why a request failed: what the platform or the worker says, with status and text in `data`. What a route of ours threw
 * has its own `data`.
 */
export async function toHttpError(call: BalancedCall, response: Response): Promise<RemoteError> {
  const { status, headers } = response
  const text = redactFor(call, await readText(call, response).catch(() => ''))
  const thrown = headers.get(RESULT_HEADER) === 'error' ? parseObject(text) : undefined
  const own = thrown && ofWorker(thrown)
  if (own) return new RemoteError(own.code, own.message, { hint: own.hint, data: thrown.data })
  const body = text.slice(0, errorCharacters)
  const data = { status, body }
  // What a worker answers has its name on the platform, and a mark where the worker is one of ours.
  const isOfWorker = call.address.isDirect || headers.has('x-runpod-worker-id') || headers.has(RESULT_HEADER)
  const refusal = isOfWorker
    ? ofWorker(parseObject(text))
    : readPlatformRefusal(`endpoint "${call.label}"`, call.address, { status, text })
  if (refusal) return new RemoteError(refusal.code, refusal.message, { hint: refusal.hint, data })
  const where = status >= 300 && status < 400 ? ', which is a redirect and not followed' : ''
  const about = `endpoint "${call.label}": ${call.verb} ${call.path.split('?', 1)[0]!.slice(0, 200)}`
  return new RemoteError('HTTP_ERROR', `${about} answered ${status}${where}: ${shorten(body)}`, { data })
}

interface Refusal {
  code: string
  message: string
  hint?: string
}

/** `{ code, message }`, or `{ code, error }`: an error that has a code already keeps it. */
function ofWorker({ code, message, error, hint }: Record<string, unknown>): Refusal | undefined {
  const said = typeof message === 'string' ? message : error
  if (typeof code !== 'string' || typeof said !== 'string') return undefined
  return { code, message: said, hint: typeof hint === 'string' ? hint : undefined }
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

function shorten(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length > 200 ? `${line.slice(0, 200)}…` : line || 'nothing more'
}
