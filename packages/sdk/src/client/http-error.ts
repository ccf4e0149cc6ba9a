import { createRedact, RemoteError } from '@flash/protocol'
import { readText } from './answer.ts'
import type { BalancedCall } from './call.ts'

/** How much of a failed request's body its error has. */
const errorCharacters = 10_000

/** Why a request failed: what the platform or the worker says, with status and text in `data`. */
export async function toHttpError(call: BalancedCall, response: Response): Promise<RemoteError> {
  const { status, headers } = response
  const text = await readText(call, response).catch(() => '')
  const body = createRedact([call.address.key])(text.slice(0, errorCharacters))
  const data = { status, body }
  // Only what a worker answered has its name.
  const refusal = headers.has('x-runpod-worker-id') ? ofWorker(text) : ofPlatform(call, status, text)
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
function ofWorker(text: string): Refusal | undefined {
  const { code, message, error, hint } = parseObject(text)
  const said = typeof message === 'string' ? message : error
  if (typeof code !== 'string' || typeof said !== 'string') return undefined
  return { code, message: said, hint: typeof hint === 'string' ? hint : undefined }
}

function ofPlatform({ label, address }: BalancedCall, status: number, text: string): Refusal | undefined {
  const about = `endpoint "${label}"`
  const { hint, place } = address.queue
  if (status === 401 || status === 403) {
    const message = `${about}: the platform does not accept the account key here (${status})`
    return {
      code: 'ACCOUNT_REFUSED',
      message,
      hint: 'look whether RUNPOD_API_KEY is complete and may use the endpoint',
    }
  }
  if (status === 404)
    return { code: 'ENDPOINT_NOT_DEPLOYED', message: `${about} is not known in ${place}`, hint }
  if (/no workers available/i.test(text)) {
    const message = `${about}: no worker was healthy as long as a request may wait`
    return { code: 'NO_WORKERS', message, hint: 'try again, or give the endpoint more workers' }
  }
  if (/not allowed for QB API/i.test(text)) {
    const message = `${about} has a queue and takes no HTTP requests`
    return { code: 'BAD_REQUEST', message, hint: 'use `run` or `runSync`' }
  }
  return undefined
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
