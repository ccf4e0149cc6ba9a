import { isIP } from 'node:net'

/** The address of a request, taken apart. */
export interface Target {
  /** As it was sent: path and query. */
  url: string
  /** Decoded, without the empty one before the first slash. */
  segments: string[]
  query: string
}

/** `null` for an address that cannot be read. */
export function parseTarget(url: string | undefined): Target | null {
  const local = toLocal(url ?? '')
  if (local === null) return null
  const mark = local.indexOf('?')
  const path = mark === -1 ? local : local.slice(0, mark)
  const segments = path.slice(1).split('/')
  try {
    return {
      url: local,
      segments: path.includes('%') ? segments.map(decodeURIComponent) : segments,
      query: mark === -1 ? '' : local.slice(mark + 1),
    }
  } catch {
    return null
  }
}

/** Proxies are asked with whole URLs, and some clients believe they talk to one. */
function toLocal(url: string): string | null {
  if (url.startsWith('/')) return url
  if (!URL.canParse(url)) return null
  const { pathname, search } = new URL(url)
  return pathname.startsWith('/') ? `${pathname}${search}` : null
}

/** One value of a query; parsed only where one is asked for. */
export function queryValue(query: string, name: string): string | null {
  return query === '' ? null : new URLSearchParams(query).get(name)
}

export interface HostName {
  /** What stands before the first dot of a name with several parts: an endpoint's id, or `flash`. */
  label: string | null
  /** The name is of this machine, or one that only its own network has. */
  isLocal: boolean
}

/** Reads the header `Host`; `null` for what cannot be one. */
export function parseHost(header = ''): HostName | null {
  const found = /^([\w.-]*|\[[\da-f:.]+\])(?::\d*)?$/i.exec(header)
  if (!found) return null
  const name = found[1]!.toLowerCase()
  if (name === '' || isAddress(name) || !name.includes('.')) return { label: null, isLocal: true }
  const dot = name.indexOf('.')
  const rest = name.slice(dot + 1)
  const isLocal = name.endsWith('.localhost') || isAddress(rest) || name === 'host.docker.internal'
  return { label: name.slice(0, dot), isLocal }
}

function isAddress(name: string): boolean {
  return isIP(name) !== 0 || (name.startsWith('[') && name.endsWith(']'))
}
