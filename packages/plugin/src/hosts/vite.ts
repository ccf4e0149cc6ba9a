import { isBuiltin } from 'node:module'
import { resolve, sep } from 'node:path'
import { createUnplugin, type UnpluginOptions } from 'unplugin'
import type { Plugin, UserConfig } from 'vite'
import { type PluginContext, setUp } from '../context.ts'
import { wordsFilter } from '../filter.ts'
import { replaceBodies, replaceForScan } from '../hooks/transform.ts'
import { serveModules } from '../hooks/virtual.ts'
import { hasServerOutput } from '../server-output.ts'

/** Files the dev server never serves: Vite's own list, which a list of a plugin replaces, and ours. */
const DENIED = [
  '.env',
  '.env.*',
  '*.{crt,pem,key,p12,pfx,cer,der}',
  '.npmrc',
  '.yarnrc.yml',
  '.netrc',
  '**/.git/**',
  '**/.flash/**',
]

/** Reads Vite's configuration, and adds the environment in which functions are compiled. */
export function adaptVite(context: PluginContext): UnpluginOptions {
  return {
    name: 'flash:vite',
    vite: {
      config(config, { command, isPreview = false }) {
        context.previewing = isPreview
        return isPreview ? undefined : addEnvironment(context, config, command)
      },
      async configResolved(config) {
        const { appType, logger } = config
        context.print = (line) => logger.info(line)
        context.hasPreview = true
        // Only here is it sure that there is a Vite.
        const { loadEnv } = await import('vite')
        const folder = config.envDir || config.root
        setUp(context, {
          root: config.root,
          command: config.command,
          mode: config.mode,
          base: config.base,
          define: config.define ?? {},
          env: { ...config.env, ...loadEnv(config.mode, folder, config.envPrefix) },
          envFiles: withoutOwn(loadEnv(config.mode, folder, '')),
          serverOutput: hasServerOutput(config),
          hasServer: context.options.server ?? hasServerOutput(config),
          appType,
        })
        const folders = Object.values(config.environments).map((environment) => environment.build.outDir)
        context.outDirs =
          config.command === 'build' ? ownFolders(config.root, config.build.emptyOutDir, folders) : []
        context.publicDir = config.build.copyPublicDir ? config.publicDir : ''
        const find = config.createResolver()
        context.resolve = async (specifier, importer) =>
          // Functions run on servers, so what they import is found as it is for servers.
          isBuiltin(specifier) ? null : toFile(await find(specifier, importer, false, true))
        if (context.testing || context.previewing) return
        await (context.scanned = context.project.scan())
        // A dev server runs long: a name that is made while it runs must count too, so it looks at every module itself.
        context.filter.code = config.command === 'serve' ? /(?:)/ : wordsFilter(context.project.aliases())
      },
    },
  }
}

function addEnvironment(
  context: PluginContext,
  config: UserConfig,
  command: 'serve' | 'build',
): UserConfig | undefined {
  if (context.testing) return undefined
  const ours = ['unplugin-flash']
  if (command === 'serve') {
    // First, because a host may take the last environment for the server's own.
    config.environments = {
      flash: { consumer: 'server', resolve: { external: ours } },
      ...config.environments,
    }
  }
  return {
    optimizeDeps:
      command === 'serve'
        ? {
            include: ['unplugin-flash', 'unplugin-flash/client'],
            rolldownOptions: { plugins: [replaceForScan(context)] },
          }
        : {},
    ssr: command === 'serve' ? { external: ours } : {},
    // Programs that a page runs beside itself are built on their own, by the plugins named for them.
    worker: { plugins: () => replaceInWorkers(context) },
    server: {
      fs: { deny: [...new Set([...DENIED, ...(config.server?.fs?.deny ?? [])])] },
      watch: config.server?.watch === null ? null : { ignored: ['**/.flash/**'] },
    },
  }
}

/** What web workers need of the plugin: stubs instead of functions. */
function replaceInWorkers(context: PluginContext): Plugin[] {
  return createUnplugin(() => [replaceBodies(context), serveModules(context)]).vite(undefined) as Plugin[]
}

/** What only the files say: Vite's reader adds the variables of the process. */
function withoutOwn(all: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(all).filter(([name]) => process.env[name] === undefined))
}

/** Folders a failed build may empty: those that Vite empties by itself, below the project and never the project. */
export function ownFolders(root: string, emptyOutDir: boolean | null, outDirs: string[]): string[] {
  if (emptyOutDir === false) return []
  const folders = outDirs.map((folder) => resolve(root, folder))
  return [...new Set(folders)].filter((folder) => folder.startsWith(resolve(root) + sep))
}

/** A file of the project's own code, or nothing: packages are not looked into. */
function toFile(id: string | undefined): string | null {
  if (!id || id.startsWith('\0') || (!id.startsWith('/') && !/^[A-Za-z]:/.test(id))) return null
  const file = id.replace(/\?.*$/, '')
  return file.includes('/node_modules/') ? null : file
}
