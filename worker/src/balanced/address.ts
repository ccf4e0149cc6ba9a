import type { IncomingMessage } from 'node:http'

export interface Address {
  /** As `new URL` has them. */
  pathname: string
  search: string
  /** Both as they came. */
  target: string
}

/** A path and a query that `new URL` leaves as they are: no segment that it resolves, no character that it encodes. */
const settled = /^((?:\/(?![.%])[\w.~!$&'()*+,;=:@%-]*)+)(\?[\w.~!$&()*+,;=:@%/?-]+)?$/

/** What of a request's line says where it leads; nothing when that cannot be read. A host in it does not matter. */
export function findAddress(line: string): Address | undefined {
  const found = settled.exec(line)
  if (found) return { pathname: found[1]!, search: found[2] ?? '', target: line }
  const isOwn = line.startsWith('/')
  const text = isOwn ? `http://localhost${line}` : line
  if (!URL.canParse(text, 'http://localhost')) return undefined
  const { pathname, search } = new URL(text, 'http://localhost')
  return { pathname, search, target: isOwn ? line : pathname + search }
}

/** By which it was asked. */
export function hostOf({ headers: { host } }: IncomingMessage): string {
  return host !== undefined && isHost(host) ? host : 'localhost'
}

function isHost(host: string): boolean {
  return /^[\w.:[\]-]+$/.test(host) && URL.canParse(`http://${host}`)
}
