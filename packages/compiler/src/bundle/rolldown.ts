import { join } from 'node:path'
import type { Rolldown } from 'vite'
import { loadRolldown } from '../evaluate/rolldown.ts'
import { mayNameAsset } from './asset-urls.ts'
import { type Engine, type EngineJob, EXTENSIONS, MAP_FOLDER, TARGET } from './engine.ts'
import { DIRNAME, FILENAME } from './head.ts'
import type { ImportRequest, Loaded } from './hooks.ts'
import { mergeOptions } from './input-options.ts'
import { plainSource } from './load.ts'

/** Rolldown: TypeScript, JSX, tsconfig paths, JSON, CommonJS and definitions are its own. */
export const bundleWithRolldown: Engine = async (job) => {
  const { rolldown } = await loadRolldown(job.root)
  const bundle = await rolldown(mergeOptions(inputOptions(job), job.inputOptions))
  try {
    const { output } = await bundle.generate({
      dir: join(job.root, MAP_FOLDER),
      format: 'esm',
      codeSplitting: false,
      sourcemap: 'hidden',
      sourcemapExcludeSources: true,
      minify: job.minify,
      comments: { legal: true, annotation: false, jsdoc: false },
    })
    const { code, map, modules, imports, dynamicImports } = output[0]
    return {
      code,
      map: map!,
      imports: [...imports, ...dynamicImports],
      modules: Object.entries(modules).map(([id, { renderedLength }]) => ({ id, bytes: renderedLength })),
      files: await bundle.watchFiles,
    }
  } finally {
    await bundle.close()
  }
}

function inputOptions(job: EngineJob): Rolldown.InputOptions {
  return {
    input: job.entry,
    cwd: job.root,
    platform: 'node',
    tsconfig: true,
    logLevel: 'silent',
    // Comments with paths would differ between machines.
    experimental: { attachDebugInfo: 'none' },
    resolve: {
      extensions: EXTENSIONS,
      extensionAlias: {
        '.js': ['.js', '.ts', '.tsx'],
        '.jsx': ['.jsx', '.tsx'],
        '.mjs': ['.mjs', '.mts'],
        '.cjs': ['.cjs', '.cts'],
      },
    },
    transform: {
      target: TARGET,
      define: { ...job.defines, __dirname: DIRNAME, __filename: FILENAME },
    },
    plugins: [job.plugins as Rolldown.RolldownPluginOption, sourcePlugin(job), assetsPlugin(job)],
  }
}

const kinds: Record<string, ImportRequest['kind']> = {
  'require-call': 'require',
  'dynamic-import': 'dynamic',
}

function sourcePlugin({ hooks, words }: EngineJob): Rolldown.Plugin {
  return {
    name: 'flash:source',
    async resolveId(specifier, importer, { kind }) {
      const request: ImportRequest = { specifier, importer, kind: kinds[kind] ?? 'import' }
      return hooks.resolve(
        request,
        async (wanted, from) =>
          (await this.resolve(wanted, from, { skipSelf: true, kind })) as { id: string } | null,
      )
    },
    load: {
      filter: { id: { exclude: [/^\0(?!flash:)/, plainSource] } },
      handler: async (id) => toSource(await hooks.load(id)),
    },
    transform: {
      order: 'pre',
      filter: { id: /^[^\0]/, code: words },
      handler: (code, id) => hooks.rewrite(code, id) as Promise<Rolldown.TransformResult>,
    },
  }
}

function toSource(loaded: Loaded | null): Rolldown.LoadResult {
  if (!loaded) return null
  const { code, map, open } = loaded
  // Of a CommonJS module any name can be imported.
  if (open) return { code: `module.exports = { default: '', __esModule: true }`, moduleType: 'js' }
  return map ? { code, map: { mappings: '', sources: [], names: [], version: 3 }, moduleType: 'js' } : code
}

function assetsPlugin({ hooks }: EngineJob): Rolldown.Plugin {
  return {
    name: 'flash:assets',
    transform: {
      order: 'post',
      filter: { id: /^[^\0]/, code: mayNameAsset },
      handler: (code, id) => hooks.placeAssets(code, id) as Promise<Rolldown.TransformResult>,
    },
  }
}
