import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError } from '@flash/protocol'
import { incomingOf, MARKER, type RpcHandler, type ServerRoutes } from '@flash/server'
import { H3 } from 'h3'
import { toNodeHandler } from 'h3/node'
import { NodeRequest } from 'srvx/node'
import { checkPeer, type Peer } from '../guard.ts'
import { answerInServer } from '../in-server/answer.ts'
import { isDocsPage } from '../openapi/page.ts'
import { addDocsRoutes, type DocsHost } from '../openapi/routes.ts'
import { answerBalanced, type BalancedRoutesHost, refuseMethod } from './balanced.ts'
import { findPlace, type Place } from './find.ts'
import type { BalancedMatch } from './match.ts'
import { errorResponse, refuse } from './problem.ts'
import { addQueueRoutes, type QueueRoutesHost } from './queue.ts'

export type Middleware = (request: IncomingMessage, response: ServerResponse, next: () => void) => void

export interface AppOptions extends QueueRoutesHost, BalancedRoutesHost, DocsHost {
  token: string
  /** Throws when the host takes no calls of this kind. */
  admit?(request: Request): void
  rpc: RpcHandler
  /** Routes that the app's own server runs; there are none without it. */
  serverRoutes?: ServerRoutes
  /** Looks for functions again; false when that was just done, or would find nothing new. */
  rescan(): Promise<boolean>
}

/** A request below the prefix that may be answered. */
interface Visit {
  peer: Peer
  /** Path below the prefix and query, as they were sent. */
  url: string
  request: IncomingMessage
  response: ServerResponse
}

/** Who asks, of requests that h3 answers. */
const peers = new WeakMap<IncomingMessage, Peer>()

/** The routes below the prefix, as a middleware of the app's own server; other paths pass it. */
export function createMiddleware(options: AppOptions): Middleware {
  const handler = toNodeHandler(createApp(options))
  const pass = async ({ request, response, url, peer }: Visit) => {
    const seen = request.url
    peers.set(request, peer)
    request.url = url
    await Promise.resolve(handler(request as never, response as never)).finally(() => (request.url = seen))
  }
  return (request, response, next) => {
    const url = belowPrefix(request, options.prefix)
    if (url === null) return next()
    const answer = async () => {
      try {
        await visit(options, pass, { url, request, response, peer: admit(options, request, response, url) })
      } catch (error) {
        refuse(response, error, options.onInternal)
      }
    }
    void answer()
  }
}

/** What follows the prefix in the address that was asked for; `null` for what is not below it. */
export function belowPrefix(request: IncomingMessage, prefix: string): string | null {
  const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
  const path = url.split('?', 1)[0]!
  if (path !== prefix && !path.startsWith(`${prefix}/`)) return null
  return url.slice(prefix.length) || '/'
}

/** Before anything else is done for a request: whoever may not ask learns nothing. */
function admit(options: AppOptions, request: IncomingMessage, response: ServerResponse, url: string): Peer {
  checkReadable(url)
  const web = new NodeRequest({ req: request, res: response })
  options.admit?.(web)
  return checkPeer(web, request, options.token, isDocsPage(request.method, url))
}

/** What cannot be decoded is no address of anybody's. */
export function checkReadable(url: string): void {
  try {
    decodeURIComponent(url.split('?', 1)[0]!)
  } catch {
    throw new AppError('BAD_REQUEST', { message: 'the address is not percent-encoded text' })
  }
}

async function visit(
  options: AppOptions,
  pass: (visit: Visit) => Promise<void>,
  given: Visit,
): Promise<void> {
  const { request, response, url } = given
  const place = await findPlaceAgain(options, request.method!, url)
  if (place.kind === 'balanced') return answerRoute(options, place.match, given)
  if (place.kind === 'method')
    return refuseMethod(request, response, { path: url.split('?', 1)[0]!, allow: place.allow })
  return pass(given)
}

function answerRoute(options: AppOptions, match: BalancedMatch, given: Visit): Promise<void> {
  const { serverRoutes } = options
  return serverRoutes?.has(match.route.fact.id)
    ? answerInServer({ ...options, serverRoutes }, match, given)
    : answerBalanced(options, match, given)
}

/** A function of another package is found when a module imports it, which no change of a file tells. */
export async function findPlaceAgain(
  { table, rescan }: Pick<AppOptions, 'table' | 'rescan'>,
  method: string,
  url: string,
): Promise<Place> {
  const place = findPlace(table(), method, url)
  return place.kind === 'nobody' && (await rescan()) ? findPlace(table(), method, url) : place
}

function createApp(options: AppOptions): H3 {
  const app = new H3({ silent: true, onError: (error) => errorResponse(error, options.onInternal) })
  // Answers are private to the caller, and marked, so that a stub knows them from those of a proxy.
  app.use((event, next) => {
    event.context.peer = peers.get(incomingOf(event.req)!)
    // The rpc route has these itself; to add them to a finished answer, h3 would make it a stream.
    if (!event.url.pathname.startsWith('/rpc/')) {
      event.res.headers.set(MARKER, '1')
      event.res.headers.set('cache-control', 'private, no-store')
    }
    return next()
  })
  const health = () => {
    const { routes, balanced } = options.table()
    return { status: 'ok', functions: routes.length + balanced.length }
  }
  app.get('/', health).get('/ping', health)
  app.all('/rpc/:path', (event) =>
    options.rpc(event.req, event.context.params!.path!, { kind: 'page', subject: null }),
  )
  addDocsRoutes(app, options)
  addQueueRoutes(app, options)
  return app
}
