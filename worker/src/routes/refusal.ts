import { AppError } from '@flash/protocol'
import type { Visit } from '../balanced/visit.ts'
import { toFailureResponse } from './failure.ts'
import { toOwn } from './own.ts'
import type { Found } from './router.ts'

/** Nobody answers; OPTIONS is told by what methods somebody would. */
export function refuse(
  { method, pathname }: Pick<Visit, 'method' | 'pathname'>,
  found: Exclude<Found<unknown>, { kind: 'route' | 'web' }>,
): Response {
  const path = shorten(pathname)
  if (found.kind === 'nothing') {
    return toFailureResponse(
      new AppError('NOT_FOUND', {
        message: `no route of this endpoint answers at ${path}`,
        hint: 'look at the paths of its routes; a `/` at the end is another path',
      }),
    )
  }
  const verbs = found.allow.filter((one) => one !== 'WS')
  if (verbs.length === 0) return refuseWithout(path)
  const methods = new Set([...verbs, ...(verbs.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])
  const allow = Array.from(methods).sort().join(', ')
  if (method === 'OPTIONS') return toOwn(new Response(null, { status: 204, headers: { allow } }))
  const message = `${path} does not answer to ${method}`
  const response = toFailureResponse(new AppError('METHOD_NOT_ALLOWED', { message, hint: `use ${allow}` }))
  response.headers.set('allow', allow)
  return response
}

/** A plain request where only WebSockets are answered. */
function refuseWithout(path: string): Response {
  const hint = 'open it with a WebSocket client, or with connect() of its stub'
  return toFailureResponse(new AppError('UPGRADE_REQUIRED', { message: `${path} is a WebSocket`, hint }))
}

/** A request for a WebSocket where only plain ones are answered. */
export function refuseSocket({ url }: Request): Response {
  const message = `${shorten(new URL(url).pathname)} is no WebSocket`
  return toFailureResponse(new AppError('WEBSOCKET_UNSUPPORTED', { message, hint: 'send a plain request' }))
}

function shorten(path: string): string {
  return path.slice(0, 200)
}
