import type { IncomingMessage } from 'node:http'
import { AppError } from '@flash/protocol'
import { hasToken, isLoopback } from '@flash/server'
import { isLoopbackName } from './hosts.ts'

export interface Peer {
  /** The request came over a loopback socket. */
  loopback: boolean
  /** A browser page of this app, or something that is no browser. */
  kind: 'page' | 'program'
}

/**
 * Decides whether a request may reach the development routes; every method, before anything of it is read.
 *
 * - a page must be of the served origin: `Sec-Fetch-Site: same-origin`, or an `Origin` or a `Referer` of it.
 * - a program needs the session token, or a loopback socket and a name of this machine, by which no browser is taken for one.
 * - `isPage`: what is asked for is a page of our own, which may be opened from the address bar.
 * - throws `FORBIDDEN` with what was wrong.
 */
export function checkPeer(
  request: Request,
  incoming: IncomingMessage | undefined,
  token: string,
  isPage = false,
): Peer {
  const { headers } = request
  const host = headers.get('host') ?? new URL(request.url).host
  const loopback = incoming === undefined || isLoopback(incoming.socket.remoteAddress)
  const site = headers.get('sec-fetch-site')
  if (site === 'none' && isPage) return { loopback, kind: 'page' }
  if (site !== null) return checkSite(site, headers, loopback)
  const origin = headers.get('origin')
  if (origin !== null) return checkOrigin(origin, host, isEncrypted(incoming), loopback)
  if (originOf(headers.get('referer')) === servedOrigin(host, isEncrypted(incoming)))
    return { loopback, kind: 'page' }
  checkProgram(loopback, host, hasToken(headers, token))
  return { loopback, kind: 'program' }
}

/** Of a page that loads something by another name of this machine, browsers may tell no more than of a program. */
function checkProgram(loopback: boolean, host: string, hasToken: boolean): void {
  if (hasToken || (loopback && isLoopbackName(host))) return
  if (!loopback)
    throw forbidden('a program on another machine needs the session token', `send ${tokenHeader}`)
  throw forbidden(
    `a program that asks for "${host.slice(0, 200)}" needs the session token`,
    `ask for localhost, or send ${tokenHeader}`,
  )
}

const tokenHeader = '"Authorization: Bearer <token>"; the token is in .flash/dev.json'

function originOf(address: string | null): string | undefined {
  return address !== null && URL.canParse(address) ? new URL(address).origin : undefined
}

function servedOrigin(host: string, encrypted: boolean): string {
  return `${encrypted ? 'https' : 'http'}://${host}`
}

/**
 * The same for an upgrade, which no preflight protects: an `Origin` that is there must be the served one, whatever else is said.
 */
export function checkUpgradePeer(request: Request, incoming: IncomingMessage, token: string): Peer {
  const peer = checkPeer(request, incoming, token)
  const { headers } = request
  const origin = headers.get('origin')
  if (origin === null) return peer
  return checkOrigin(origin, headers.get('host') ?? '', isEncrypted(incoming), peer.loopback)
}

function checkSite(site: string, headers: Headers, loopback: boolean): Peer {
  if (site === 'same-origin') return { loopback, kind: 'page' }
  if (site === 'none')
    throw forbidden(
      'this address is not for the address bar',
      'call it from the app, or from a program such as curl',
    )
  const from = headers.get('origin') ?? 'another site'
  throw forbidden(
    `a page of ${from} may not call this development server (${site})`,
    'call it from the app itself, or from a program such as curl',
  )
}

function checkOrigin(origin: string, host: string, encrypted: boolean, loopback: boolean): Peer {
  const served = servedOrigin(host, encrypted)
  if (origin === served) return { loopback, kind: 'page' }
  throw forbidden(
    `the origin "${origin}" is not ${served}`,
    'call it from the app itself, or from a program such as curl',
  )
}

function isEncrypted(incoming: IncomingMessage | undefined): boolean {
  return Boolean((incoming?.socket as { encrypted?: boolean } | undefined)?.encrypted)
}

function forbidden(message: string, hint: string): AppError {
  return new AppError('FORBIDDEN', { message, hint })
}
