import { isBuiltin } from 'node:module'
import { join } from 'node:path'
import type * as Esbuild from 'esbuild'
import type * as Rollup from 'rollup'
import { parseSync } from 'oxc-parser'
import { patternNames } from '../bindings.ts'
import { mayNameAsset } from './asset-urls.ts'
import { type Engine, type EngineBundle, type EngineJob, EXTENSIONS, MAP_FOLDER, TARGET } from './engine.ts'
import { ENTRY } from './entry.ts'
import { type Compiler, createCompiler } from './esbuild.ts'
import { REQUIRE } from './head.ts'
import type { ImportRequest, Resolved } from './hooks.ts'
import { mergeOptions } from './input-options.ts'
import { loadInstalled } from './installed.ts'

/** Rollup with esbuild: the same bundles where there is no Vite. */
export const bundleWithRollup: Engine = async (job) => {
  const { rollup } = await loadInstalled<typeof Rollup>(job.root, 'rollup')
  const esbuild = await loadInstalled<typeof Esbuild>(job.root, 'esbuild')
  const { root, tsconfigs } = job
  const compiler = createCompiler({ root, esbuild, defines: job.defines, tsconfigs })
  const own: Rollup.InputOptions = {
    input: job.entry,
    onLog: () => {},
    plugins: [
      job.plugins as Rollup.InputPluginOption,
      sourcePlugin(job),
      ...(await librariesOf(job, compiler)),
      assetsPlugin(job),
    ],
  }
  const bundle = await rollup(mergeOptions(own, job.inputOptions))
  try {
    const { output } = await bundle.generate({
      dir: join(job.root, MAP_FOLDER),
      format: 'esm',
      inlineDynamicImports: true,
      sourcemap: 'hidden',
      sourcemapExcludeSources: true,
      plugins: job.minify ? [minifyPlugin(esbuild)] : [],
    })
    const { code, map, modules, imports, dynamicImports } = output[0]
    return {
      ...withRequire(code, map!),
      imports: [...imports, ...dynamicImports],
      modules: Object.entries(modules).map(([id, { renderedLength }]) => ({ id, bytes: renderedLength })),
      files: bundle.watchFiles,
    }
  } finally {
    await bundle.close()
  }
}

const requireStub = /^flash:require\/(.*)\.cjs$/

function sourcePlugin({ hooks, words, tsconfigs }: EngineJob): Rollup.Plugin {
  const resolve = async (
    context: Rollup.PluginContext,
    request: ImportRequest,
    extra: { custom?: Rollup.CustomPluginOptions },
  ): Promise<Resolved | null> => {
    // What plugins made up is theirs.
    if (request.specifier.startsWith('\0') && request.specifier !== ENTRY) return null
    const next = (specifier: string, importer: string | undefined) =>
      context.resolve(specifier, importer, { skipSelf: true, ...extra }) as Promise<Resolved | null>
    const found = await hooks.resolve(request, async (specifier, importer) => {
      for (const candidate of importer ? tsconfigs.candidates(specifier, importer) : []) {
        const file = await next(candidate, importer)
        if (file) return file
      }
      return next(specifier, importer)
    })
    // An import would run before anything else, and fail the bundle where the package is missing.
    const isRequired = request.kind === 'require' && found?.external
    return isRequired ? { id: `flash:require/${found.id}.cjs` } : found
  }
  return {
    name: 'flash:source',
    resolveId(specifier, importer, extra) {
      const { isRequire } = (extra.custom?.['node-resolve'] ?? {}) as { isRequire?: boolean }
      return resolve(this, { specifier, importer, kind: isRequire ? 'require' : 'import' }, extra)
    },
    resolveDynamicImport(specifier, importer) {
      if (typeof specifier !== 'string') return null
      return resolve(this, { specifier, importer, kind: 'dynamic' }, {})
    },
    async load(id) {
      const required = requireStub.exec(id)?.[1]
      if (required !== undefined)
        return { code: `module.exports = ${REQUIRE}(${JSON.stringify(required)})`, map: { mappings: '' } }
      const loaded = await hooks.load(id)
      return (
        loaded && {
          code: loaded.code,
          map: loaded.map,
          syntheticNamedExports: loaded.open ? 'default' : false,
        }
      )
    },
    transform: {
      order: 'pre',
      filter: { id: /^[^\0]/, code: words },
      handler: (code, id) => hooks.rewrite(code, id) as Promise<Rollup.TransformResult>,
    },
  }
}

async function librariesOf({ hooks }: EngineJob, compiler: Compiler): Promise<Rollup.Plugin[]> {
  const [{ nodeResolve }, { default: json }, { default: commonjs }] = await Promise.all([
    import('@rollup/plugin-node-resolve'),
    import('@rollup/plugin-json'),
    import('@rollup/plugin-commonjs'),
  ])
  return [
    nodeResolve({ extensions: EXTENSIONS, exportConditions: ['node'], mainFields: ['main', 'module'] }),
    toFunction(json)({ preferConst: true }),
    {
      name: 'flash:esbuild',
      transform: (code, id) =>
        compiler.compile(code, id).catch(hooks.fail) as Promise<Rollup.TransformResult>,
    },
    {
      name: 'flash:define',
      transform: (code, id) => compiler.fillIn(code, id) as Rollup.TransformResult,
    },
    toFunction(commonjs)({
      extensions: ['.js', '.cjs', '.ts', '.cts'],
      transformMixedEsModules: true,
      ignoreDynamicRequires: true,
      ignoreTryCatch: false,
      // An import of these would run first, also where the code only tries whether Node has them.
      ignore: (specifier) => isBuiltin(specifier),
    }),
  ]
}

/** These packages are CommonJS, and say nothing of it in their types. */
function toFunction<T>(loaded: T | { default: T }): T {
  return typeof loaded === 'function' ? (loaded as T) : (loaded as { default: T }).default
}

function assetsPlugin({ hooks }: EngineJob): Rollup.Plugin {
  return {
    name: 'flash:assets',
    transform: {
      order: 'post',
      filter: { id: /^[^\0]/, code: mayNameAsset },
      handler: (code, id) => hooks.placeAssets(code, id) as Promise<Rollup.TransformResult>,
    },
  }
}

function minifyPlugin(esbuild: typeof Esbuild): Rollup.Plugin {
  return {
    name: 'flash:minify',
    async renderChunk(code) {
      const result = await esbuild.transform(code, {
        minify: true,
        sourcemap: 'external',
        format: 'esm',
        target: TARGET,
        charset: 'utf8',
        legalComments: 'inline',
      })
      return { code: result.code, map: result.map }
    },
  }
}

/** What `require` is left of CommonJS modules: dynamic ones, and those of Node's own modules. */
function withRequire(code: string, map: EngineBundle['map']): Pick<EngineBundle, 'code' | 'map'> {
  if (!/(?<![\w$.])require(?![\w$])/.test(code) || declaresRequire(code)) return { code, map }
  return { code: `const require = ${REQUIRE};\n${code}`, map: { ...map, mappings: `;${map.mappings}` } }
}

/** A module that makes a `require` of its own has the name to itself. */
function declaresRequire(code: string): boolean {
  const { program, module } = parseSync('main.mjs', code)
  const imported = module.staticImports.flatMap(({ entries }) =>
    entries.map(({ localName }) => localName.value),
  )
  const declared = program.body.flatMap((node) => {
    if (node.type === 'VariableDeclaration') return node.declarations.flatMap(({ id }) => patternNames(id))
    return node.type === 'FunctionDeclaration' ? (node.id?.name ?? []) : []
  })
  return [...imported, ...declared].includes('require')
}
