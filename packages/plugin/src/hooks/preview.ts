import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createPreview, type Preview, takeUpgrades } from '@flash/dev'
import { AppError, parseManifest } from '@flash/protocol'
import { FACTS_FILE, findProjectKey, type LocalBundles, openBundles } from '@flash/server'
import type { UnpluginOptions } from 'unplugin'
import type { PreviewServer } from 'vite'
import type { PluginContext } from '../context.ts'
import { printError, toHostError } from '../host-error.ts'
import { createOutput, printRoutes } from '../print.ts'

const MANIFEST = 'flash_manifest.json'

/** Answers calls of the built app with the built bundles. */
export function servePreview(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:preview',
    vite: {
      async configurePreviewServer(server) {
        const { root, build } = server.config
        const folder = join(root, '.flash', 'build')
        const dist = resolve(root, build.outDir)
        if (!existsSync(dist) && isAlone(server)) throw plainly(notBuilt(build.outDir), root)
        const isBuilt = existsSync(join(folder, MANIFEST))
        // An app without functions has no bundles either.
        if (!isBuilt && !existsSync(join(dist, FACTS_FILE))) return undefined
        const preview = await open(context, server, folder).catch((error: unknown) => {
          throw plainly(error, root)
        })
        // Behind what frameworks mount, which may be the server of the app.
        return () => void server.middlewares.use((...given) => preview().last(...given))
      },
    },
  }
}

/** The stack of what a user can mend says nothing that the sentence does not say. */
function plainly(error: unknown, root: string): Error {
  const told = toHostError(error, root)
  if (error instanceof AppError) told.stack = told.message
  return told
}

/** Whether no other plugin could serve something where there is no built app. Vite asks the same, and counts us. */
function isAlone({ config }: PreviewServer): boolean {
  return config.plugins.filter(({ configurePreviewServer }) => configurePreviewServer).length === 1
}

function notBuilt(outDir: string): AppError {
  return new AppError('BUILD_MISSING', {
    message: `there is no built app: the folder "${outDir}" does not exist`,
    hint: 'run `vite build` first',
  })
}

async function open(context: PluginContext, server: PreviewServer, folder: string): Promise<() => Preview> {
  const { logger } = server.config
  context.key = findProjectKey(context.root)
  const bundles = await openBundles({
    folder,
    root: context.root,
    envFiles: context.setup.envFiles,
    maxBodyBytes: context.options.maxBodyBytes,
    onOutput: createOutput(logger),
    onError: (error) => logger.error(printError(error)),
  })
  const preview = followBuild(context, server, bundles)
  server.middlewares.use((request, response, next) => preview().middleware(request, response, next))
  takeUpgrades(server.httpServer, context.prefix, (request, socket, head) =>
    preview().upgrade(request, socket, head),
  )
  server.httpServer.once('listening', () => printPreview(server, preview(), context))
  server.httpServer.once('close', () => void bundles.close())
  return preview
}

/** The routes of the newest build: pages are served from it as soon as it is there. */
function followBuild(context: PluginContext, server: PreviewServer, bundles: LocalBundles): () => Preview {
  const { logger } = server.config
  const file = join(context.root, '.flash', 'build', MANIFEST)
  const make = () => makePreview(context, server, bundles)
  let seen = stampOf(file)
  let preview = make()
  return () => {
    const stamp = stampOf(file)
    // While a build runs there is none.
    if (stamp === null || stamp === seen) return preview
    seen = stamp
    try {
      bundles.restart(parseManifest(readFileSync(file, 'utf8'), `.flash/build/${MANIFEST}`))
      preview = make()
      logger.info('  flash  the app was built again; calls run in the new bundles', { timestamp: true })
    } catch (error) {
      logger.error(printError(error))
    }
    return preview
  }
}

function stampOf(file: string): string | null {
  const stat = statSync(file, { throwIfNoEntry: false })
  return stat ? `${stat.mtimeMs} ${stat.ino} ${stat.size}` : null
}

function makePreview(context: PluginContext, { config }: PreviewServer, bundles: LocalBundles): Preview {
  const { logger } = config
  return createPreview({
    prefix: context.prefix,
    key: context.key,
    maxBodyBytes: context.options.maxBodyBytes,
    bundles,
    log: {
      warn: (text) => logger.warn(`  flash  ${text}`),
      error: (error, requestId) =>
        logger.error(requestId ? `request ${requestId} failed: ${printError(error)}` : printError(error)),
    },
  })
}

function printPreview(
  { config: { logger } }: PreviewServer,
  { routes }: Preview,
  context: PluginContext,
): void {
  logger.info(
    '\n  flash  functions run in their built bundles (.flash/build), on this machine; nothing is billed',
  )
  printRoutes(logger, routes, context.prefix, 'bundle')
  logger.info('')
}
