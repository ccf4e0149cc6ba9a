import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createPreview, type Preview } from '@flash/dev'
import { FACTS_FILE, openBundles } from '@flash/server'
import type { UnpluginOptions } from 'unplugin'
import type { PreviewServer } from 'vite'
import type { PluginContext } from '../context.ts'
import { printError } from '../host-error.ts'
import { createOutput, printRoutes } from '../print.ts'

/** Answers calls of the built app with the built bundles. */
export function servePreview(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:preview',
    vite: {
      async configurePreviewServer(server) {
        const { root, build } = server.config
        const folder = join(root, '.flash', 'build')
        const isBuilt = existsSync(join(folder, 'flash_manifest.json'))
        // An app without functions has no bundles either.
        if (!isBuilt && !existsSync(resolve(root, build.outDir, FACTS_FILE))) return
        await open(context, server, folder)
      },
    },
  }
}

async function open(context: PluginContext, server: PreviewServer, folder: string): Promise<void> {
  const { logger } = server.config
  const bundles = await openBundles({
    folder,
    root: context.root,
    envFiles: context.setup.envFiles,
    onOutput: createOutput(logger),
    onError: (error) => logger.error(printError(error)),
  })
  const preview = createPreview({
    prefix: context.prefix,
    key: context.key,
    maxBodyBytes: context.options.maxBodyBytes,
    bundles,
    log: {
      warn: (text) => logger.warn(`  flash  ${text}`),
      error: (error) => logger.error(printError(error)),
    },
  })
  server.middlewares.use(preview.middleware)
  server.httpServer.on('upgrade', preview.upgrade)
  server.httpServer.once('listening', () => printPreview(server, preview, context))
  server.httpServer.once('close', () => void bundles.close())
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
