import { statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, resolve } from 'node:path'
import type { UnpluginOptions } from 'unplugin'
import { type PluginContext, setUp } from '../context.ts'
import { wordsFilter } from '../filter.ts'

/** What Rollup and rolldown give to hooks. */
interface HookContext {
  resolve(
    specifier: string,
    importer: string,
    options: { skipSelf: true },
  ): Promise<{ id: string; external?: unknown } | null>
}

/** Rollup and rolldown have no configuration of an app: the project is the working directory, the rest are our options. */
export function adaptRollup(context: PluginContext): UnpluginOptions {
  const { options } = context
  const mode = process.env.NODE_ENV ?? 'production'
  const hooks = {
    options() {
      context.testing = false
      setUp(context, {
        root: process.cwd().replaceAll('\\', '/'),
        command: 'build',
        mode,
        base: '/',
        define: {},
        env: { MODE: mode, BASE_URL: '/', PROD: true, DEV: false, SSR: true },
        envFiles: {},
        serverOutput: options.role === 'server',
        hasServer: options.server ?? options.role === 'server',
        appType: 'spa',
      })
    },
    // Hooks of a kind begin in the order of plugins, so the others already see what is set before the first pause.
    async buildStart(this: HookContext) {
      context.resolve = async (specifier, importer) =>
        (await findByPlugins(this, specifier, importer)) ?? findFile(specifier, importer)
      await (context.scanned ??= context.project.scan())
      context.filter.code = wordsFilter(context.project.aliases())
    },
    resolveId: (id: string, importer: string | undefined) =>
      id.startsWith('unplugin-flash/') && importer?.startsWith('\0virtual:flash/')
        ? createRequire(import.meta.url).resolve(id)
        : null,
  } as never
  return { name: 'flash:rollup', rollup: hooks, rolldown: hooks }
}

async function findByPlugins(hook: HookContext, specifier: string, importer: string): Promise<string | null> {
  const found = await hook.resolve(specifier, importer, { skipSelf: true })
  if (!found || found.external || found.id.startsWith('\0')) return null
  const file = found.id.replace(/\?.*$/, '').replaceAll('\\', '/')
  return file.includes('/node_modules/') || !isFile(file) ? null : file
}

const ENDINGS = ['', '.ts', '.tsx', '.mts', '.js', '.jsx', '.mjs', '/index.ts', '/index.tsx', '/index.js']

/** As TypeScript finds files, for projects whose plugin does so only when it compiles. */
function findFile(specifier: string, importer: string): string | null {
  if (!/^\.{0,2}\//.test(specifier)) return null
  const base = resolve(dirname(importer), specifier)
  const bases = [base, base.replace(/\.([cm]?)js(x?)$/, '.$1ts$2')]
  const found = bases.flatMap((one) => ENDINGS.map((ending) => one + ending)).find(isFile)
  return found?.replaceAll('\\', '/') ?? null
}

function isFile(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false })?.isFile() ?? false
}
