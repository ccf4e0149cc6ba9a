import { AppError } from '@flash/protocol'

const loopbackNames = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/

/**
 * Tells why a request is refused for where it comes from: pages of other sites may reach this machine too.
 *
 * - `isLocal`: only this machine is listened to, so the server is asked for by one of its names.
 * - `Sec-Fetch-Site`, where a browser sends it, must be `same-origin`, or `none` for what only reads; else `Origin`, where
 *   there is one, must be the served one. Programs send neither.
 */
export function checkCaller({ headers, method, url }: Request, isLocal: boolean): AppError | undefined {
  const served = new URL(url)
  if (isLocal && !loopbackNames.test(served.hostname))
    return refused(`it asks for the host ${served.hostname}`)
  const site = headers.get('sec-fetch-site')
  const origin = headers.get('origin')
  if (site !== null) {
    const isFine = site === 'same-origin' || (site === 'none' && method === 'GET')
    return isFine ? undefined : refused(`a page of ${origin ?? `another site (${site})`} sent it`)
  }
  return origin === null || origin === served.origin ? undefined : refused(`a page of ${origin} sent it`)
}

function refused(why: string): AppError {
  return new AppError('FORBIDDEN', {
    message: `the request is refused: ${why}`,
    hint: 'call the worker from a program of this machine, at http://127.0.0.1 and its port',
  })
}
