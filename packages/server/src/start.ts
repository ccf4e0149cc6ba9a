import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { resolve } from 'node:path'
import { AppError, type Clock, type ServerFacts, systemClock } from '@flash/protocol'
import { FastResponse, toNodeHandler } from 'srvx/node'
import type { RpcBackend } from './backend.ts'
import { createDrain } from './drain.ts'
import { type AppFacts, readFacts } from './facts.ts'
import { openBuild } from './address/build.ts'
import { createForwardBackend } from './forward.ts'
import { giveBack } from './give-back.ts'
import { createHandler, type FlashHandler } from './handler.ts'
import type { FlashHandlerOptions } from './handler-options.ts'
import { refuseServerRoutes } from './in-server/built.ts'
import { isBelow } from './prefix.ts'
import { findProjectKey } from './project-key.ts'
import { createStaticFiles, type StaticFiles } from './static-files.ts'
import { offersWebSocket } from './upgrade.ts'

export interface StartOptions {
  root: string
  /** The folder of the built app, from `root`. */
  dist: string
  /** 0 is any that is free. */
  port: number
  host: string
  handler: FlashHandlerOptions
  /** Aborting it stops the server: what runs may end, within `graceMs`. */
  signal?: AbortSignal
  /** 30 seconds when omitted. */
  graceMs?: number
  env?: Record<string, string | undefined>
  clock?: Clock
  /** Where calls go; wherever their endpoints answer when omitted. */
  createBackend?: (facts: ServerFacts) => RpcBackend
}

export interface StartedServer {
  /** Where the app is, for a browser on this machine. */
  url: string
  host: string
  port: number
  facts: AppFacts
  /** Resolves when the server has stopped. */
  stopped: Promise<void>
}

/**
 * Serves a built app and its production route from this process.
 *
 * - throws `BUILD_MISSING` without a built app, `BAD_PROJECT_KEY` without the key of the build, `LOCAL_NEEDS_SERVER` for an app with
 *   a server of its own, `BAD_OPTION` for an address that cannot be listened at and for options of the handler.
 */
export async function startServer(options: StartOptions): Promise<StartedServer> {
  const { root, host, signal, graceMs = 30_000, env = process.env, clock = systemClock } = options
  const key = findProjectKey(root, env)
  const dist = resolve(root, options.dist)
  const facts = readFacts(dist, key)
  refuseServerRoutes(facts)
  const base = facts.prefix.slice(0, facts.prefix.lastIndexOf('/') + 1)
  const forward = (given: ServerFacts) =>
    createForwardBackend({ facts: given, env, clock: options.clock, local: openBuild })
  const backend = (options.createBackend ?? forward)(facts)
  const handler = createHandler(facts, {
    maxBodyBytes: facts.maxBodyBytes,
    ...options.handler,
    key,
    backend,
    clock,
    Response: FastResponse as unknown as typeof Response,
  })
  const files = createStaticFiles({
    dist,
    base: new URL(base, 'http://host').pathname,
    appType: facts.appType,
  })
  const server = createAppServer(facts, handler, files)
  const drain = createDrain(server, { clock, graceMs })
  const port = await listen(server, options.port, host)
  const stopped = untilAborted(signal).then(drain.stop)
  return { url: `http://${shownHost(host)}:${port}${base}`, host, port, facts, stopped }
}

function createAppServer({ prefix }: ServerFacts, handler: FlashHandler, files: StaticFiles): Server {
  const path = new URL(prefix, 'http://host').pathname
  const answer = async (request: Request) => {
    try {
      return await (isForHandler(request, path) ? handler(request) : files(request))
    } catch (error) {
      console.error('[flash] a request could not be answered:', error)
      return new Response('something failed on the server\n', { status: 500 })
    }
  }
  const server = createServer(toNodeHandler(answer) as RequestListener)
  server.on('upgrade', (request, socket, head) => {
    const isOurs = isBelow(request.url!.split('?', 1)[0]!, path)
    if (isOurs && offersWebSocket(request.headers.upgrade ?? '')) handler.upgrade(request, socket, head)
    else giveBack(server, request, socket, head)
  })
  // Longer than what sits in front usually waits, so that it never sends on a connection that closes just then.
  server.keepAliveTimeout = 65_000
  return server
}

/** What has no address at all is refused there as well. */
function isForHandler({ url }: Request, path: string): boolean {
  return !URL.canParse(url) || isBelow(new URL(url).pathname, path)
}

function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(cannotListen(error, port, host)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function cannotListen(cause: NodeJS.ErrnoException, port: number, host: string): AppError {
  const why = {
    EADDRINUSE: 'something else listens there already',
    EACCES: 'this process may not open it',
    EADDRNOTAVAIL: 'this machine has no such address',
    ENOTFOUND: 'nothing has this name',
  }[cause.code ?? '']
  return new AppError('BAD_OPTION', {
    message: `cannot listen at port ${port} of ${host}: ${why ?? cause.message}`,
    hint: 'choose another with --port and --host, or the variables PORT and HOST',
    cause,
  })
}

function untilAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve()
    else signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}

function shownHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return 'localhost'
  return host.includes(':') ? `[${host}]` : host
}
