import { isIP } from 'node:net'
import { AppError } from '@flash/protocol'

/** Vite's `server.allowedHosts`: names, `.name` for all below it too, or `true` for any. */
export type AllowedHosts = readonly string[] | true

/**
 * Makes sure that the server was asked by a name that is its own: a page of another name can make that name point here.
 * Addresses and `localhost` cannot be made to.
 *
 * - throws `FORBIDDEN`.
 */
export function checkHost(header: string | undefined, allowed: AllowedHosts): void {
  const name = toName(header)
  if (allowed === true || isOurs(name) || allowed.some((one) => isNamed(name, one.toLowerCase()))) return
  throw new AppError('FORBIDDEN', {
    message: `this server is not known as "${name.slice(0, 200)}"`,
    hint: 'add the name to `server.allowedHosts` of the Vite configuration',
  })
}

/**
 * Whether a name is this machine's own wherever it is asked. Only there browsers say which page a request comes from: of
 * `0.0.0.0`, and of a name that somebody let point here, they may say nothing.
 */
export function isLoopbackName(header: string): boolean {
  const name = toName(header)
  return isLocalhost(name) || name === '[::1]' || (isIP(name) === 4 && name.startsWith('127.'))
}

/** Of the header Host, without its port; empty for what is none. */
function toName(header = ''): string {
  return /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/.exec(header)?.[1]?.toLowerCase() ?? ''
}

function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost')
}

function isOurs(name: string): boolean {
  const address = name.replace(/^\[(.*)\]$/, '$1')
  return isLocalhost(name) || isIP(address) !== 0
}

function isNamed(name: string, allowed: string): boolean {
  if (!allowed.startsWith('.')) return name === allowed
  return name === allowed.slice(1) || name.endsWith(allowed)
}
