import { MARKER } from './problem.ts'

/** How long a browser may remember what a preflight answered. */
const preflightSeconds = 600

/** An origin as browsers write it: scheme, host and port, and nothing behind. */
export function isOrigin(text: unknown): boolean {
  if (typeof text !== 'string' || text.includes('*') || !URL.canParse(text)) return false
  const { protocol, origin } = new URL(text)
  return /^https?:$/.test(protocol) && origin === text
}

/** The origin that an answer has to name, nothing when the request is not from one of `allowed`. */
export function listedOrigin({ headers }: Request, allowed: ReadonlySet<string>): string | undefined {
  const origin = headers.get('origin')
  return origin !== null && allowed.has(origin) ? origin : undefined
}

export function isPreflight({ method, headers }: Request): boolean {
  return method === 'OPTIONS' && headers.has('access-control-request-method')
}

/** Allows what stubs send, and nothing else. */
export function answerPreflight(ResponseClass: typeof Response): Response {
  return new ResponseClass(null, {
    status: 204,
    headers: {
      'access-control-allow-methods': 'POST',
      'access-control-allow-headers': `content-type, ${MARKER}`,
      'access-control-max-age': String(preflightSeconds),
      'cache-control': 'private, no-store',
    },
  })
}

/** Lets a page of `origin` read the answer, and send its visitor's cookies for this server with the call. */
export function allowOrigin(response: Response, origin: string | undefined): Response {
  const { headers } = response
  headers.append('vary', 'origin')
  if (origin === undefined) return response
  headers.set('access-control-allow-origin', origin)
  headers.set('access-control-allow-credentials', 'true')
  headers.set('access-control-expose-headers', MARKER)
  return response
}
