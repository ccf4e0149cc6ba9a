import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { AppError, type Clock, type ServerFacts } from '@flash/protocol'
import { createGate } from './authorize.ts'
import type { RpcBackend } from './backend.ts'
import { createCapability } from './capability.ts'
import { allowOrigin, answerPreflight, isPreflight, listedOrigin } from './cors.ts'
import { giveBackRest } from './give-back.ts'
import { guardBackend } from './guard-backend.ts'
import { type FlashHandlerOptions, parseHandlerOptions } from './handler-options.ts'
import { isLocalVisitor, type PreviewToken, redeemPreviewToken } from './local-visitor.ts'
import { checkOrigin, checkSocketOrigin } from './origin.ts'
import { createPrefix, type Prefix } from './prefix.ts'
import { problemResponse } from './problem.ts'
import { createErrorFilter, type ErrorFilter } from './redact-error.ts'
import { createRpcHandler, type RpcHandler } from './rpc.ts'
import { createRpcUpgrade, type RpcUpgrade, type UpgradeConnection } from './rpc/upgrade.ts'
import { isWebSocket, noWebSockets, offersWebSocket, refuseUpgrade, toUpgradeRequest } from './upgrade.ts'

/** The production route. Everything below the app's prefix belongs to it. */
export type FlashHandler = ((request: Request) => Promise<Response>) & {
  /**
   * Answers an upgrade request of Node's server when it is a WebSocket of the route. All others are left to whoever else listens
   * for them; where nobody does, and for other protocols, the server answers as if they had offered nothing.
   */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void
}

export interface HandlerOptions extends FlashHandlerOptions {
  /** The project key. */
  key: Uint8Array
  backend: RpcBackend
  /** Of `issuePreviewToken()`: visitors of this machine may call everything while there is no `authorize`. */
  previewToken?: PreviewToken
  clock?: Clock
  /** A faster class than the global one, where the host has it. */
  Response?: typeof Response
  /** Where warnings go; the console when omitted. */
  warn?: (text: string) => void
}

interface HandlerContext {
  prefix: Prefix
  origins: ReadonlySet<string>
  rpc: RpcHandler
  upgrade: RpcUpgrade
  /** Whether visitors of this machine are let in as they are. */
  preview: boolean
  errors: ErrorFilter
  Response: typeof Response
}

/**
 * The route that browsers call in production: `{prefix}/rpc/{id}.{tag}`, `rpc/resume` and `rpc/cancel`.
 *
 * - checks in this order: the address, the page's origin, the function's tag, `authorize`, the body.
 * - refusals are problem JSON with our marker header; of errors only what is meant for browsers is told.
 * - throws `BAD_OPTION`.
 */
export function createHandler(facts: ServerFacts, options: HandlerOptions): FlashHandler {
  const context = createContext(facts, options)
  return Object.assign((request: Request) => answer(context, request), {
    upgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer) {
      const [pathname = '/'] = (incoming.url ?? '/').split('?', 1)
      const isOurs = context.prefix.covers(pathname)
      const isAsked = isOurs && offersWebSocket(incoming.headers.upgrade ?? '')
      const isGivenBack = !isAsked && giveBackRest(incoming, socket, head, isOurs)
      if (isOurs && !isGivenBack) void upgrade(context, pathname, { incoming, socket, head })
    },
  })
}

function createContext(
  facts: ServerFacts,
  { key, backend, previewToken, ...options }: HandlerOptions,
): HandlerContext {
  const { clock, Response = globalThis.Response, warn = printWarning, ...own } = options
  const { authorize, allowedOrigins, maxBodyBytes = 10_000_000, onError } = parseHandlerOptions(own)
  const errors = createErrorFilter(onError)
  const functions = new Map(facts.functions.map((fact) => [fact.id, fact]))
  const preview = redeemPreviewToken(previewToken)
  const parts = {
    capability: createCapability(key),
    backend: guardBackend(backend, { functions, maxBodyBytes, errors }),
    gate: createGate({ authorize, preview, functions, errors, warn }),
    clock,
    onInternal: errors.report,
  }
  return {
    prefix: createPrefix(facts.prefix),
    origins: new Set(allowedOrigins),
    rpc: createRpcHandler({ ...parts, Response }),
    upgrade: createRpcUpgrade({ ...parts, hide: errors.toPublic }),
    preview,
    errors,
    Response,
  }
}

function printWarning(text: string): void {
  console.warn(`[flash] ${text}`)
}

async function answer(context: HandlerContext, request: Request): Promise<Response> {
  const { origins, errors, Response } = context
  // A handler that rejects would take the whole server down in most hosts.
  const response = await answerRequest(context, request).catch((error) =>
    problemResponse(errors.toPublic(error), Response),
  )
  return origins.size > 0 ? allowOrigin(response, listedOrigin(request, origins)) : response
}

async function answerRequest(
  { prefix, origins, rpc, Response }: HandlerContext,
  request: Request,
): Promise<Response> {
  // Of Node servers the address has what the header Host says.
  if (!URL.canParse(request.url)) return problemResponse(noAddress(), Response)
  const { pathname } = new URL(request.url)
  if (isWebSocket(request) && prefix.covers(pathname)) return problemResponse(noWebSockets(), Response)
  const path = prefix.call(pathname)
  if (path === undefined) return problemResponse(notFound(pathname), Response)
  const foreign = checkOrigin(request, origins)
  if (foreign) return problemResponse(foreign, Response)
  if (isPreflight(request) && listedOrigin(request, origins)) return answerPreflight(Response)
  return rpc(request, path, { kind: 'page', subject: null })
}

async function upgrade(
  { prefix, origins, preview, errors, upgrade }: HandlerContext,
  pathname: string,
  connection: UpgradeConnection,
): Promise<void> {
  try {
    const request = toUpgradeRequest(connection.incoming)
    if (!request) throw noAddress()
    const foreign = checkSocketOrigin(request, origins, preview && isLocalVisitor(request))
    if (foreign) throw foreign
    const path = prefix.call(pathname)
    if (path === undefined) throw notFound(pathname)
    await upgrade(request, path, { kind: 'page', subject: null }, connection)
  } catch (error) {
    const known = error instanceof AppError ? error : errors.toPublic(error)
    await refuseUpgrade(connection.socket, problemResponse(known, Response))
  }
}

function noAddress(): AppError {
  return new AppError('BAD_REQUEST', {
    message: 'the header Host names no host',
    hint: 'send the name of the server, with its port at most',
  })
}

function notFound(pathname: string): AppError {
  return new AppError('NOT_FOUND', {
    message: `nothing answers at ${pathname.slice(0, 200)}`,
    hint: 'calls go to rpc/<id>.<tag>; the routes of the development server do not exist here',
  })
}
