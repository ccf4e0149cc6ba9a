import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@flash/protocol'
import { MARKER, type RpcHandler } from '@flash/server'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import { checkPeer } from '../guard.ts'
import { addQueueRoutes, errorResponse, type QueueRoutesHost } from './queue.ts'

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

export interface AppOptions extends QueueRoutesHost {
  prefix: string
  token: string
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
    const seen = request.url
    request.url = url.slice(prefix.length) || '/'
    void Promise.resolve(handler(request as never, response as never)).finally(() => (request.url = seen))
  }
}

function createApp(options: AppOptions): H3 {
  const app = new H3({ onError: (error) => errorResponse(unwrap(error), options.onInternal) })
  // Answers are private to the caller, and marked, so that a stub knows them from those of a proxy.
  app.use(async (event, next) => {
    checkPeer(event.req, incomingOf(event.req), options.token)
    event.res.headers.set(MARKER, '1')
    event.res.headers.set('cache-control', 'private, no-store')
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

/** h3 wraps what a handler throws. */
function unwrap(error: unknown): unknown {
  const cause = (error as Error).cause
  return cause instanceof AppError ? cause : error
}

function incomingOf(request: Request): IncomingMessage | undefined {
  return (request as { runtime?: { node?: { req?: IncomingMessage } } }).runtime?.node?.req
}
