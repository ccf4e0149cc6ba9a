import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, ServerResponse } from 'node:http'

/** A request that a server of this process got, in the order in which they came. */
export interface Recorded {
  method: string
  /** Path and query. */
  url: string
  host: string
  headers: IncomingMessage['headers']
  body: string
  /** 0 until it was answered. */
  status: number
}

export interface Recorder {
  all(): Recorded[]
  /** What changes the account, in words: `PUT /upload`, `createFlashApp`, `DELETE /v2/serverless`. */
  changes(): string[]
  /** Forgets what came so far. */
  clear(): void
  stop(): void
}

/** Listens to what Node says of every request to any of its servers, so that nothing stands between client and server. */
export function recordRequests(): Recorder {
  let all: Recorded[] = []
  const onRequest = (message: unknown) => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const recorded = {
      method: request.method!,
      url: request.url!,
      host: request.headers.host ?? '',
      headers: request.headers,
      body: '',
      status: 0,
    }
    all.push(recorded)
    const push = request.push.bind(request)
    request.push = (chunk: Buffer | null, ...rest) => {
      if (chunk && recorded.body.length < 100_000) recorded.body += chunk.toString()
      return push(chunk, ...rest)
    }
    response.once('finish', () => (recorded.status = response.statusCode))
  }
  subscribe('http.server.request.start', onRequest)
  return {
    all: () => all,
    changes: () => all.flatMap(toChange),
    clear: () => (all = []),
    stop: () => void unsubscribe('http.server.request.start', onRequest),
  }
}

function toChange({ method, url, body }: Recorded): string[] {
  const [path] = url.split('?') as [string]
  if (path === '/graphql') return [operationIn(body)]
  const isAccount = /^\/v2\/(serverless|network-volumes|registries|pods)\b/.test(path)
  if (method === 'PUT' || (isAccount && method !== 'GET'))
    return [`${method} ${path.replace(/\/[^/]+$/, '')}`]
  return []
}

/** The field that a document asks for; the operation's own name differs between clients. */
function operationIn(body: string): string {
  const { query } = JSON.parse(body) as { query: string }
  return /\{\s*(\w+)/.exec(query)![1]!
}
