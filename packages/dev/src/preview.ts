import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, type FunctionFact, type Manifest, systemClock } from '@flash/protocol'
import {
  createCapability,
  createHandler,
  type FlashHandler,
  isLocalVisitor,
  issuePreviewToken,
  type LocalBundles,
} from '@flash/server'
import { FastResponse, toNodeHandler } from 'srvx/node'
import { createPreviewRoutes } from './in-server/preview.ts'
import { createKeptDocument } from './openapi/kept-document.ts'
import { belowPrefix, createMiddleware, type Middleware } from './routes/app.ts'
import { toLimits } from './routes/limits.ts'
import { createRouteTable, type Route, type RouteTable } from './routes/table.ts'
import { createUpgrade, type Upgrade } from './routes/upgrade.ts'

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
  /** Comes behind everything else that the preview serves: says what nobody answered. */
  last: Middleware
  upgrade: Upgrade
  routes: RouteTable
}

/** The routes of a built app on this machine: those of production for its pages, those of development for programs. */
export function createPreview(options: PreviewOptions): Preview {
  const { prefix, bundles } = options
  const routes = createRouteTable(readFacts(bundles.manifest))
  const handler = createProductionRoute(options)
  const pages = toNodeHandler(handler) as (request: IncomingMessage, response: ServerResponse) => void
  const hosted = {
    prefix,
    // Nobody is told it: a preview is for this machine.
    token: randomBytes(24).toString('base64url'),
    admit,
    clock: systemClock,
    limits: toLimits(options.maxBodyBytes),
    rpc: (request: Request) => handler(request),
    onInternal: options.log.error,
    table: () => routes,
    rescan: async () => false,
    endpoint: ({ fact }: Route) => bundles.endpoint(fact.endpoint),
    balanced: async ({ endpoint }: FunctionFact) => bundles.balanced(endpoint),
    // The sources need not be there, so what a document knows of types is missing.
    document: createKeptDocument(() => {
      const noSources = { signature: async () => null, schemas: async () => new Map<string, never>() }
      return { table: routes, ...noSources, title: bundles.manifest.app, version: '0.0.0' }
    }),
  }
  const ofServer = createPreviewRoutes(bundles.manifest, createCapability(options.key), {
    prefix,
    onInternal: options.log.error,
  })
  const programs = createMiddleware(hosted)
  const sockets = createUpgrade({ ...hosted, allowedHosts: () => [] })
  return {
    routes,
    last: ofServer.refuse,
    upgrade(request, socket, head) {
      // The production route has its own checks, and takes pages of other names than those of this machine.
      if (belowPrefix(request, prefix)?.startsWith('/rpc/')) handler.upgrade(request, socket, head)
      else sockets(request, socket, head)
    },
    middleware(request, response, next) {
      const url = (request as { originalUrl?: string }).originalUrl ?? request.url ?? '/'
      if (!url.startsWith(`${prefix}/rpc/`)) return programs(request, response, next)
      if (ofServer.isOne(url)) return next()
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
