import { randomBytes } from 'node:crypto'
import type { Project } from '@flash/compiler'
import { type AppError, type Clock, type FunctionFact, systemClock } from '@flash/protocol'
import {
  type Capability,
  createImages,
  createLocalBackend,
  createRpcHandler,
  createRpcUpgrade,
  IMAGES_PATH,
  type Images,
  type Listener,
  type RpcHandler,
  type RpcUpgrade,
  type ServerRoutes,
  withServerRoutes,
} from '@flash/server'
import { FastResponse } from 'srvx/node'
import type { DevEnvironment } from 'vite'
import { type Address, createAddress } from './address.ts'
import { devEntries } from './discover.ts'
import { createEndpoints, type Endpoints, envPlace } from './endpoints.ts'
import type { AllowedHosts } from './hosts.ts'
import { createServerRoutes, type ServerRoutesHost } from './in-server/routes.ts'
import { createModuleServer, type ModuleServer } from './modules.ts'
import { createKeptDocument } from './openapi/kept-document.ts'
import { readProjectInfo } from './openapi/project-info.ts'
import { createMiddleware, type Middleware } from './routes/app.ts'
import { toLimits } from './routes/limits.ts'
import { createRouteTable, type Route, type RouteTable } from './routes/table.ts'
import { createUpgrade, type Upgrade } from './routes/upgrade.ts'
import type { Isolation, LaunchOptions } from './workers/launch.ts'

/** What a (re)started Vite server brings. */
export interface DevHost {
  project: Project
  environment: DevEnvironment
  /** Where code of the app's own server runs; nothing where there is none. */
  server?: ServerRoutesHost['server']
  /** Vite's `.env*` files of the mode. */
  envFiles: Record<string, string>
  capability: Capability
  /** Of its configuration; none beside `localhost` and addresses when omitted. */
  allowedHosts?: AllowedHosts
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
  /** Answers upgrade requests below the prefix, and leaves all others alone. */
  upgrade: Upgrade
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
  upgrade: RpcUpgrade
  serverRoutes: ServerRoutes
}

export function createDevServer(options: DevServerOptions): DevServer {
  const clock = options.clock ?? systemClock
  const token = randomBytes(24).toString('base64url')
  let attached: Attached | null = null
  const host = () => attached!
  const images = createImages({
    root: options.root,
    sources: () => ({ process: process.env, files: host().envFiles, place: envPlace }),
    onOutput: options.log.output,
    onError: options.log.error,
    clock,
  })
  const address = createAddress(options.root, token, { host, images })
  const endpoints = createEndpoints({
    context: { ...options, clock, modules: forwardModules(host), onOutput: options.log.output },
    config: (name) => host().project.config(name),
    functions: () => host().project.functions(),
    envFiles: () => host().envFiles,
    address: async () => ({ FLASH_DEV_URL: (await address.open()).url, FLASH_DEV_TOKEN: token }),
  })
  const table = keepTable(() => host().project.functions())
  const rescan = createRescan(host, clock)
  const hosted = { ...createHosted(options, host, endpoints, table.get), clock, token, rescan }
  return {
    attach(next) {
      attached = attach(next, options, { endpoints, rescan, address, images })
      table.forget()
      // Another Vite configuration may compile the same files differently.
      endpoints.retire()
    },
    middleware: createMiddleware(hosted),
    upgrade: createUpgrade(hosted),
    routes: table.get,
    invalidate(files) {
      table.forget()
      endpoints.invalidate(files)
    },
    open: address.open,
    async close() {
      devEntries().delete(options.root)
      endpoints.close()
      await Promise.all([address.close(), images.close()])
    },
  }
}

/**
 * The table of the functions as they are now: a module that is imported may bring some, without any change of a file.
 *
 * - `forget`: the next one is another, for what is made of the table and of more than the functions.
 */
function keepTable(functions: () => FunctionFact[]) {
  let kept: { facts: FunctionFact[]; table: RouteTable } | null = null
  return {
    get(): RouteTable {
      const facts = functions()
      const isSame =
        facts.length === kept?.facts.length && facts.every((fact, at) => fact === kept!.facts[at])
      if (!kept || !isSame) kept = { facts, table: createRouteTable(facts) }
      return kept.table
    },
    forget: () => void (kept = null),
  }
}

/** What the app's own server answers with. */
function createHosted(
  { root, prefix, maxBodyBytes, log }: DevServerOptions,
  host: () => Attached,
  endpoints: Endpoints,
  table: () => RouteTable,
) {
  return {
    prefix,
    table,
    limits: toLimits(maxBodyBytes),
    rpc: (...call: Parameters<RpcHandler>) => host().rpc(...call),
    rpcUpgrade: (...call: Parameters<RpcUpgrade>) => host().upgrade(...call),
    onInternal: log.error,
    endpoint: ({ fact }: Route) => endpoints.get(fact),
    balanced: endpoints.balanced,
    serverRoutes: {
      has: (id: string) => host().serverRoutes.has(id),
      answer: (id: string, request: Request) => host().serverRoutes.answer(id, request),
    },
    document: describeProject(root, () => host().project, table),
    allowedHosts: () => host().allowedHosts ?? [],
  }
}

/** What answers to what, and with which values, as the sources tell it. */
function describeProject(root: string, project: () => Project, table: () => RouteTable) {
  return createKeptDocument(() => {
    const { signature, schemas } = project()
    return { table: table(), signature, schemas, ...readProjectInfo(root) }
  })
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
  { root, log, maxBodyBytes, clock = systemClock }: DevServerOptions,
  parts: { endpoints: Endpoints; rescan: () => Promise<boolean>; address: Address; images: Images },
): Attached {
  const { endpoints, rescan, address, images } = parts
  const { project, environment, capability, server = null } = host
  const modules = createModuleServer({ root, environment, project })
  modules.onProblem(log.problem)
  const find = (id: string) => project.get(id) ?? null
  const serverRoutes = createServerRoutes({ root, project, server })
  const workers = createLocalBackend({
    rescan,
    function: find,
    functions: () => project.functions(),
    endpoint: endpoints.get,
    balanced: endpoints.balanced,
    find: endpoints.find,
    all: endpoints.all,
    maxBodyBytes,
    clock,
  })
  const backend = withServerRoutes(workers, serverRoutes)
  const upgrade = createRpcUpgrade({ capability, backend, onInternal: log.error })
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
    fetch: (request) => answerInProcess(request, rpc, images),
    open: async () => ({ url: (await address.open()).url, token: address.token }),
  })
  return { ...host, modules, rpc, upgrade, serverRoutes }
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

/** A call from server code of this very process: no socket, so nothing to check. */
function answerInProcess(request: Request, rpc: RpcHandler, images: Images): Promise<Response> {
  const { pathname } = new URL(request.url)
  if (pathname === IMAGES_PATH) return images.answer(request)
  const path = pathname.split('/').at(-1) ?? ''
  return rpc(request, path, { kind: 'server', subject: null })
}
