import { createRequire } from 'node:module'
import { resolve } from 'node:path'
import { createDevServer, type DevLog, type DevServer, takeUpgrades } from '@flash/dev'
import type { AppError } from '@flash/protocol'
import type { UnpluginOptions } from 'unplugin'
import type { DevEnvironment, RunnableDevEnvironment, ViteDevServer } from 'vite'
import type { PluginContext } from '../context.ts'
import { createLog, printTable } from '../print.ts'
import { findServerEnvironment } from '../server-output.ts'
import { untilWritten } from '../until-written.ts'

/** Dev servers of this process by root: they outlive restarts of the Vite server, which makes new plugins. */
const servers = sharedMap<Running>('unplugin-flash.servers')

interface Running {
  dev: DevServer
  /** The Vite server it answers for now. */
  attachedTo: object
  log: DevLog
  /** What it was made with; another one is made when the configuration says otherwise. */
  settings: string
}

function sharedMap<T>(name: string): Map<string, T> {
  const holder = globalThis as unknown as Record<symbol, Map<string, T> | undefined>
  return (holder[Symbol.for(name)] ??= new Map())
}

/** Hosts the development routes on the app's own server, and keeps what they run up to date. */
export function serveDev(context: PluginContext): UnpluginOptions {
  let dev: DevServer | null = null
  /** Where code of the app's own server runs. */
  let own: RunnableDevEnvironment | null = null
  let vite: ViteDevServer | null = null
  let log: DevLog | null = null
  return {
    name: 'flash:dev',
    vite: {
      async configureServer(server) {
        const environment = server.environments.flash
        if (context.testing || !environment) return
        const entry = await openOrReuse(context, server)
        const attachment = {}
        entry.attachedTo = attachment
        dev = entry.dev
        log = entry.log
        vite = server
        own = context.setup.hasServer ? await findServerEnvironment(server) : null
        dev.attach({
          project: context.project,
          environment,
          server: own,
          envFiles: context.setup.envFiles,
          capability: context.capability,
          // As Vite itself checks them: behind TLS no page of another name gets here.
          allowedHosts: server.config.server.https ? true : server.config.server.allowedHosts,
        })
        server.middlewares.use(dev.middleware)
        onListening(server, dev, context)
        onClose(server, async () => {
          // After a restart this is an old server's end, and a new one is attached.
          if (entry.attachedTo !== attachment) return
          servers.delete(context.root)
          await entry.dev.close()
        })
      },
      async watchChange(id, { event }) {
        if (!dev) return
        if (event !== 'delete') await untilWritten(id)
        await context.project.update(id)
        if (event === 'delete') context.stubs.delete(id)
        // A module that imports more of a file with functions than before changes what its worker gets of that file.
        const others = await context.project.changedDemand()
        const files = [id, ...others]
        for (const file of files) forgetFile(file, [vite?.environments.flash, own])
        dev.invalidate(files)
        log?.problem(problemIn(context, id))
      },
    },
  }
}

/** Vite does this a little later; a call in between would get the old code and keep it. */
function forgetFile(file: string, environments: (DevEnvironment | null | undefined)[]): void {
  for (const environment of environments) environment?.moduleGraph.onFileChange(file)
}

/** What is wrong with a file as it was just saved; calls tell what else is. */
function problemIn({ project, root }: PluginContext, file: string): AppError | null {
  return project.problems().find(({ at }) => at && resolve(root, at.file) === resolve(file)) ?? null
}

/** The dev server of before a restart, unless what it was made with changed. */
async function openOrReuse(context: PluginContext, server: ViteDevServer): Promise<Running> {
  const settings = JSON.stringify([context.options, context.prefix])
  const before = servers.get(context.root)
  if (before?.settings === settings) return before
  await before?.dev.close()
  return open(context, server, settings)
}

function open(context: PluginContext, server: ViteDevServer, settings: string): Running {
  const { isolation, inspect, maxBodyBytes } = context.options
  const resolveFile = createRequire(import.meta.url).resolve
  const log = createLog(server)
  const dev = createDevServer({
    root: context.root,
    prefix: context.prefix,
    entry: {
      program: resolveFile('unplugin-flash/internal/worker'),
      inline: resolveFile('unplugin-flash/internal/inline'),
    },
    isolation,
    inspect,
    maxBodyBytes,
    log,
  })
  const entry = { dev, log, attachedTo: server, settings }
  servers.set(context.root, entry)
  return entry
}

/** The table, once there is an address, and the address for other processes. */
function onListening(server: ViteDevServer, dev: DevServer, context: PluginContext): void {
  const tell = () => {
    const open = dev.open()
    open.catch((error: unknown) => server.config.logger.error(String(error)))
    printTable(server, dev.routes(), context)
  }
  if (server.httpServer?.listening) tell()
  else server.httpServer?.once('listening', tell)
  if (server.httpServer) takeUpgrades(server.httpServer, context.prefix, dev.upgrade)
}

/** Vite has a hook for this only from 8.3 on. */
function onClose(server: ViteDevServer, run: () => Promise<void>): void {
  const close = server.close.bind(server)
  server.close = async () => {
    await run()
    await close()
  }
}
