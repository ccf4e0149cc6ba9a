import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, type FunctionFact, type Manifest } from '@flash/protocol'
import {
  createHandler,
  type FlashHandler,
  isLocalVisitor,
  issuePreviewToken,
  type LocalBundles,
} from '@flash/server'
import { FastResponse, toNodeHandler } from 'srvx/node'
import { createMiddleware, type Middleware } from './routes/app.ts'
import { createRouteTable, type RouteTable } from './routes/table.ts'

export interface PreviewOptions {
  /** Path below which the routes are, such as `/_flash`. */
  prefix: string
  /** The project key. */
  key: Uint8Array
  maxBodyBytes: number
  bundles: LocalBundles
  log: { warn(text: string): void; error(error: unknown, requestId?: string): void }
}

export interface Preview {
  middleware: Middleware
  upgrade: FlashHandler['upgrade']
  routes: RouteTable
}

/** The routes of a built app on this machine: those of production for its pages, those of development for programs. */
export function createPreview(options: PreviewOptions): Preview {
  const { prefix, bundles } = options
  const routes = createRouteTable(readFacts(bundles.manifest))
  const handler = createProductionRoute(options)
  const pages = toNodeHandler(handler) as (request: IncomingMessage, response: ServerResponse) => void
  const programs = createMiddleware({
    prefix,
    // Nobody is told it: a preview is for this machine.
    token: randomBytes(24).toString('base64url'),
    admit,
    rpc: (request) => handler(request),
    onInternal: options.log.error,
    route: async (path) => routes.find(path),
    knownPaths: () => routes.routes.map(({ path }) => path),
    endpoint: ({ fact }) => bundles.endpoint(fact.endpoint),
  })
  return {
    routes,
    upgrade: handler.upgrade,
    middleware(request, response, next) {
      const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
      if (!url.startsWith(`${prefix}/rpc/`)) return programs(request, response, next)
      request.url = url
      return pages(request, response)
    },
  }
}

function createProductionRoute({ prefix, key, maxBodyBytes, bundles, log }: PreviewOptions): FlashHandler {
  const { app, endpoints } = bundles.manifest
  const functions = Object.entries(endpoints).flatMap(([endpoint, { functions }]) =>
    functions.map((one) => ({ ...one, endpoint })),
  )
  return createHandler(
    { app, prefix, functions },
    {
      key,
      backend: bundles.backend,
      maxBodyBytes,
      previewToken: issuePreviewToken(),
      Response: FastResponse as unknown as typeof Response,
      warn: log.warn,
      onError: log.error,
    },
  )
}

function admit(request: Request): void {
  if (isLocalVisitor(request)) return
  throw new AppError('FORBIDDEN', {
    message: 'a preview answers programs of this machine only, without a proxy in between',
    hint: 'ask for it by localhost, 127.0.0.1 or [::1]',
  })
}

/** The facts that routes are made of; a build knows nothing of files outside of it. */
function readFacts({ endpoints }: Manifest): FunctionFact[] {
  return Object.entries(endpoints).flatMap(([endpoint, { functions }]) =>
    functions.map((one) => {
      const [, file, line] = /^(.*):(\d+)$/.exec(one.source) ?? [null, one.source, '1']
      const at = { file: file!, line: Number(line), column: 1 }
      return { ...one, endpoint, at, file: file!, path: file!, package: '', exported: true }
    }),
  )
}
