import { randomBytes } from 'node:crypto'
import type { Project } from '@flash/compiler'
import { type AppError, type Clock, systemClock } from '@flash/protocol'
import {
  type Capability,
  createLocalBackend,
  createRpcHandler,
  type Listener,
  openListener,
  type RpcHandler,
} from '@flash/server'
import { FastResponse } from 'srvx/node'
import type { DevEnvironment } from 'vite'
import { announce, devEntries } from './discover.ts'
import { createEndpoints, type Endpoints } from './endpoints.ts'
import { createModuleServer, type ModuleServer } from './modules.ts'
import { createMiddleware, type Middleware } from './routes/app.ts'
import { createRouteTable, type RouteTable } from './routes/table.ts'
import type { Isolation, LaunchOptions } from './workers/launch.ts'

/** What a (re)started Vite server brings. */
export interface DevHost {
  project: Project
  environment: DevEnvironment
  /** Vite's `.env*` files of the mode. */
  envFiles: Record<string, string>
  capability: Capability
}

export interface DevServerOptions {
  root: string
  /** Path below which the routes are, such as `/_flash`. */
  prefix: string
  entry: LaunchOptions['entry']
  isolation: Isolation
  inspect: boolean
  maxBodyBytes: number
  log: DevLog
  clock?: Clock
}

/** Where the dev server's own words go. */
export interface DevLog {
  output(endpoint: string, stream: 'stdout' | 'stderr', text: string): void
  error(error: unknown): void
  /** A module that does not load, and `null` when it does again. */
  problem(error: AppError | null): void
}

/** The development runtime of one project; it outlives restarts of the Vite server it is attached to. */
export interface DevServer {
  attach(host: DevHost): void
  middleware: Middleware
  routes(): RouteTable
  /** Files that changed, absolute; the next call runs their new code. */
  invalidate(files: string[]): void
  /** Opens the runtime's own listener, so that other processes find it. */
  open(): Promise<Listener>
  close(): Promise<void>
}

interface Attached extends DevHost {
  modules: ModuleServer
  rpc: RpcHandler
}

export function createDevServer(options: DevServerOptions): DevServer {
  const clock = options.clock ?? systemClock
  const token = randomBytes(24).toString('base64url')
  let attached: Attached | null = null
  let table: RouteTable | null = null
  const host = () => attached!
  const address = createAddress(options.root, token, () => host().rpc)
  const endpoints = createEndpoints({
    context: { ...options, clock, modules: forwardModules(host), onOutput: options.log.output },
    config: (name) => host().project.config(name),
    envFiles: () => host().envFiles,
    address: async () => ({ FLASH_DEV_URL: (await address.open()).url, FLASH_DEV_TOKEN: token }),
  })
  const routes = () => {
    const facts = host().project.functions()
    // A function of another package is found when a module imports it, which no change of a file tells.
    if (table?.size !== facts.length) table = null
    return (table ??= createRouteTable(facts))
  }
  const rescan = createRescan(host, clock)
  return {
    attach(next) {
      attached = attach(next, options, endpoints, rescan)
      table = null
      // Another Vite configuration may compile the same files differently.
      endpoints.retire()
    },
    middleware: createMiddleware({
      prefix: options.prefix,
      token,
      rpc: (...call) => host().rpc(...call),
      onInternal: options.log.error,
      route: async (path) => routes().find(path) ?? ((await rescan()) ? routes().find(path) : undefined),
      knownPaths: () => routes().routes.map((route) => route.path),
      endpoint: ({ fact }) => endpoints.get(fact),
    }),
    routes,
    invalidate(files) {
      table = null
      endpoints.invalidate(files)
    },
    open: address.open,
    async close() {
      devEntries().delete(options.root)
      endpoints.close()
      await address.close()
    },
  }
}

/** Looks through the project once more, for what no watcher told; not more often than each second. */
function createRescan(host: () => Attached, clock: Clock): () => Promise<boolean> {
  let last = Number.NEGATIVE_INFINITY
  return async () => {
    if (clock.now() - last < 1_000) return false
    last = clock.now()
    await host().project.scan()
    return true
  }
}

/** Makes what depends on the Vite server, and lets server code of this process find it. */
function attach(
  host: DevHost,
  { root, log, maxBodyBytes }: DevServerOptions,
  endpoints: Endpoints,
  rescan: () => Promise<boolean>,
): Attached {
  const { project, environment, capability } = host
  const modules = createModuleServer({ root, environment, project })
  modules.onProblem(log.problem)
  const find = (id: string) => project.get(id) ?? null
  const backend = createLocalBackend({
    rescan,
    function: find,
    endpoint: endpoints.get,
    find: endpoints.find,
    all: endpoints.all,
    maxBodyBytes,
  })
  const rpc = createRpcHandler({
    capability,
    backend,
    // Under load a call may wait that long for its turn; one whole answer costs less than a stream.
    graceMs: 50,
    Response: FastResponse as unknown as typeof Response,
    onInternal: log.error,
  })
  devEntries().set(root, {
    has: (id) => find(id) !== null,
    fetch: (request) => answerInProcess(request, rpc),
  })
  return { ...host, modules, rpc }
}

/** The modules of whichever Vite server is attached now. */
function forwardModules(host: () => Attached): ModuleServer {
  return {
    fetchModule: (...args) => host().modules.fetchModule(...args),
    builtins: () => host().modules.builtins(),
    setupHash: (id) => host().modules.setupHash(id),
    moduleOf: (...args) => host().modules.moduleOf(...args),
    onProblem: (listener) => host().modules.onProblem(listener),
  }
}

/** The runtime's own listener, opened at the first need. */
function createAddress(root: string, token: string, rpc: () => RpcHandler) {
  let listener: Promise<Listener> | null = null
  let withdraw = () => {}
  return {
    open: () =>
      (listener ??= openListener((...call) => rpc()(...call), {
        token,
        tokenPlace: '.flash/dev.json',
      }).then((opened) => {
        withdraw = announce(root, { url: opened.url, token })
        return opened
      })),
    async close() {
      withdraw()
      await listener?.then((opened) => opened.close())
    },
  }
}

/** A call from server code of this very process: no socket, so nothing to check. */
function answerInProcess(request: Request, rpc: RpcHandler): Promise<Response> {
  const path = new URL(request.url).pathname.split('/').at(-1) ?? ''
  return rpc(request, path, { kind: 'server', subject: null })
}
