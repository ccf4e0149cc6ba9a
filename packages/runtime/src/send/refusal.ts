import { AppError } from '@flash/protocol'
import { excerpt, nameOf, notOurs, type QueueContext } from './context.ts'
import type { HttpAnswer } from './exchange.ts'
import type { Passing } from './patience.ts'

/** Statuses of a host or proxy that is starting, overloaded or broken for the moment. */
export function toPassing({ status, retryAfterMs }: HttpAnswer): Passing | undefined {
  if (status === 429) return { reason: '429', retryAfterMs, busy: true }
  const passes = status === 408 || status === 425 || (status >= 500 && status !== 501 && status !== 505)
  return passes ? { reason: `status ${status}`, retryAfterMs } : undefined
}

/** Why another try would get the same answer. */
export function toRefusal(context: QueueContext, answer: HttpAnswer, jobId?: string): AppError {
  const { status, text } = answer
  const about = nameOf(context, jobId)
  if (isRedirect(status)) return redirected(about, status)
  if (status === 401 || status === 403) return keyRefused(context, about, status)
  if (status === 404) return jobId === undefined ? notDeployed(context) : jobNotFound(context, jobId)
  if (status === 413) return tooLarge(about, excerpt(context, text))
  if (/^\s*</.test(text)) return notOurs(context, status, text, jobId)
  return new AppError('BAD_REQUEST', {
    message: `${about}: refused with ${status}: ${excerpt(context, text) || 'no reason given'}`,
    data: { status },
  })
}

/** A 404 of the endpoint itself. */
function notDeployed({ address }: QueueContext): AppError {
  return new AppError('ENDPOINT_NOT_DEPLOYED', {
    message: `endpoint "${address.endpoint}" is not deployed: nothing is known by this name or id in ${address.place}`,
    hint: address.hint,
  })
}

function jobNotFound(context: QueueContext, jobId: string): AppError {
  return new AppError('JOB_NOT_FOUND', {
    message: `${nameOf(context, jobId)} is not known, or not any more`,
    hint: 'results are kept 30 minutes; a job whose time to live is over is removed, also while it runs',
  })
}

function tooLarge(about: string, text: string): AppError {
  return new AppError('PAYLOAD_TOO_LARGE', {
    message: `${about}: the queue says that the request is too large: ${text || 'no more than that'}`,
    hint: 'send less in one call, or put large data in a volume and send where it is',
    data: { status: 413 },
  })
}

/** Browsers show a redirect that is not followed as status 0. */
function isRedirect(status: number): boolean {
  return status < 200 || (status >= 300 && status < 400)
}

function redirected(about: string, status: number): AppError {
  return new AppError('TRANSPORT', {
    message: `${about}: the address answers with a redirect (${status}), which is not followed`,
    hint: 'give the address that it leads to',
    data: { status },
  })
}

function keyRefused({ address }: QueueContext, about: string, status: number): AppError {
  const { keyName } = address
  const key = keyName === undefined ? 'the account key' : `the key of ${keyName}`
  if (address.key === undefined) {
    return new AppError('ACCOUNT_REFUSED', {
      message: `${about}: the address asks for a key (${status}), and none is sent there`,
      hint: `${key} goes to ids, to hosts of RUNPOD_ENDPOINT_BASE_URL and to this machine, to no other address`,
      data: { status },
    })
  }
  return new AppError('ACCOUNT_REFUSED', {
    message:
      status === 401
        ? `${about}: the platform does not accept ${key} (401)`
        : `${about}: ${key} may not use this endpoint (403)`,
    hint:
      status === 401
        ? `look whether ${keyName ?? 'RUNPOD_API_KEY'} is complete and was not revoked`
        : 'use a key of the account that has the endpoint, with the right to call it',
    data: { status },
  })
}
