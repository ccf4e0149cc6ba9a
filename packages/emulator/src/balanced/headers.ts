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
  const gone = new Set([...hopByHop, ...without, ...namedByConnection(rawHeaders)])
  const kept: string[] = []
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    // Names with a colon are HTTP/2's own.
    if (!gone.has(rawHeaders[at]!.toLowerCase()) && !rawHeaders[at]!.startsWith(':'))
      kept.push(rawHeaders[at]!, rawHeaders[at + 1]!)
  }
  return kept
}

function namedByConnection(rawHeaders: readonly string[]): string[] {
  return rawHeaders.flatMap((name, at) => {
    if (at % 2 === 1 || name.toLowerCase() !== 'connection') return []
    return rawHeaders[at + 1]!.split(',').map((one) => one.trim().toLowerCase())
  })
}

/** Headers of a request that are for the balancer and not for the worker: the key opens the account. */
export const forBalancer: readonly string[] = ['authorization', 'expect', 'x-runpod-worker-id', TOKEN_HEADER]

/** Which worker has answered, and in a request, which one should. */
export const workerHeader = 'X-Runpod-Worker-Id'
