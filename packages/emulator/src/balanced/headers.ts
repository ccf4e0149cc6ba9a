import { TOKEN_HEADER } from '@flash/protocol'

/** They are about one connection, and each side of the balancer has its own. */
const hopByHop = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

/** The pairs of `rawHeaders` without those of the connection, and without the named ones. */
export function endToEnd(rawHeaders: readonly string[], without: readonly string[] = []): string[] {
  const named = namedByConnection(rawHeaders)
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!.toLowerCase()
    // Names with a colon are HTTP/2's own.
    const isGone =
      hopByHop.has(name) || without.includes(name) || named.includes(name) || name.startsWith(':')
    if (!isGone) kept.push(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  return kept
}

function namedByConnection(rawHeaders: readonly string[]): string[] {
  const named: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    if (rawHeaders[at]!.toLowerCase() !== 'connection') continue
    for (const name of rawHeaders[at + 1]!.split(',')) named.push(name.trim().toLowerCase())
  }
  return named
}

/** Headers of a request that are for the balancer and not for the worker: the key opens the account. */
export const forBalancer: readonly string[] = ['authorization', 'expect', 'x-runpod-worker-id', TOKEN_HEADER]

/** Which worker has answered, and in a request, which one should. */
export const workerHeader = 'X-Runpod-Worker-Id'
