import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError } from '@flash/protocol'
import { incomingOf, MARKER, problemBody, problemHeaders, type RpcHandler, toProblem } from '@flash/server'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import { checkPeer } from '../guard.ts'
import { addQueueRoutes, errorResponse, type QueueRoutesHost } from './queue.ts'

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

export interface AppOptions extends QueueRoutesHost {
  token: string
  /** Throws when the host takes no calls of this kind. */
  admit?(request: Request): void
  rpc: RpcHandler
  onInternal(error: unknown): void
}

/** The routes below the prefix, as a middleware of the app's own server; other paths pass it. */
export function createMiddleware(options: AppOptions): Middleware {
  const app = createApp(options)
  const handler = toNodeHandler(app)
  const { prefix } = options
  return (request, response, next) => {
    const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
    const path = url.split('?', 1)[0]!
    if (path !== prefix && !path.startsWith(`${prefix}/`)) return next()
    if (!isReadable(path)) return refuseAddress(response)
    const seen = request.url
    request.url = url.slice(prefix.length) || '/'
    void Promise.resolve(handler(request as never, response as never)).finally(() => (request.url = seen))
  }
}

function isReadable(path: string): boolean {
  try {
    return decodeURIComponent(path).length > 0
  } catch {
    return false
  }
}

/** Before h3, which cannot route it: whoever asks learns nothing but that. */
function refuseAddress(response: ServerResponse): void {
  const problem = toProblem(
    new AppError('BAD_REQUEST', { message: 'the address is not percent-encoded text' }),
  )
  response.writeHead(problem.status, problemHeaders).end(problemBody(problem))
}

/**
 * Answers upgrade requests below the prefix, where nothing upgrades.
 * Vite leaves those of others open, so an unanswered one would hang.
 */
export function refuseUpgrades(server: EventEmitter, prefix: string): void {
  server.on('upgrade', (request: IncomingMessage, socket: Duplex) => {
    const path = request.url?.split('?', 1)[0] ?? '/'
    if (path !== prefix && !path.startsWith(`${prefix}/`)) return
    socket.end('HTTP/1.1 426 Upgrade Required\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
  })
}

function createApp(options: AppOptions): H3 {
  const app = new H3({ silent: true, onError: (error) => errorResponse(error, options.onInternal) })
  // Answers are private to the caller, and marked, so that a stub knows them from those of a proxy.
  app.use(async (event, next) => {
    options.admit?.(event.req)
    event.context.peer = checkPeer(event.req, incomingOf(event.req), options.token)
    // The rpc route has these itself; to add them to a finished answer, h3 would make it a stream.
    if (!event.url.pathname.startsWith('/rpc/')) {
      event.res.headers.set(MARKER, '1')
      event.res.headers.set('cache-control', 'private, no-store')
    }
    return next()
  })
  const health = () => ({ status: 'ok', functions: options.knownPaths().length })
  app.get('/', health).get('/ping', health)
  app.all('/rpc/:path', (event) =>
    options.rpc(event.req, event.context.params!.path!, { kind: 'page', subject: null }),
  )
  addQueueRoutes(app, options)
  return app
}
