import { readFile } from 'node:fs/promises'
import { isBuiltin } from 'node:module'
import { extname, isAbsolute } from 'node:path'
import { MagicString } from 'magic-string'
import { parseSync } from 'oxc-parser'
import type { Rolldown } from 'vite'
import { isInstalled } from '../locate.ts'
import { withoutQuery } from '../parse.ts'
import type { CompilerHost } from '../types.ts'
import { type Edited, pinPlaces } from './meta.ts'
import { loadOwn, resolveOwn } from './ours.ts'
import { loadRolldown } from './rolldown.ts'

/** Text that is not needed, and what stands in its place. */
export interface Cut {
  start: number
  end: number
  text: string
}

export interface BundleOptions {
  root: string
  host: Pick<CompilerHost, 'resolve' | 'load'>
  /** The program; its imports are resolved as if it were in `file`. */
  entry: string
  file: string
  /** Code of configs that other modules hold, by file. */
  cuts: ReadonlyMap<string, readonly Cut[]>
  /** The text of a module of the project for this purpose; `null` when it stays as it is. */
  rewrite(code: string, file: string): Promise<{ code: string; map: unknown } | null>
  /** What `specifier` in `importer` leads to does not exist. */
  onMissing(specifier: string, importer: string): never
  define: Record<string, string>
}

export interface Bundle {
  code: string
  map: Rolldown.SourceMap
  /** Absolute files that it is made of. */
  files: string[]
  /** It imports nothing, so it depends on nothing but its text. */
  closed: boolean
}

const ENTRY = '\0flash:entry'

/**
 * One self-contained module out of a program and everything it needs to run.
 *
 * Packages are first taken as outside; only those that the result still names are then bundled, so a package that only bodies
 * or `setup` use is never opened, nor does it have to be installed.
 */
export async function bundleModule(options: BundleOptions): Promise<Bundle> {
  const inside = new Set<string>()
  for (;;) {
    const files = new Set<string>()
    const chunk = await build(options, inside, files)
    const imports = importsOf(chunk.code)
    const outside = imports.filter((name) => !isBuiltin(name) && !inside.has(name))
    for (const name of outside) inside.add(name)
    const closed = imports.length === 0
    if (outside.length === 0) return { code: chunk.code, map: chunk.map!, files: [...files], closed }
  }
}

/** What the text imports; the bundler's own list still has what it dropped. */
function importsOf(code: string): string[] {
  return parseSync('bundle.mjs', code).module.staticImports.map(({ moduleRequest }) => moduleRequest.value)
}

async function build(
  options: BundleOptions,
  inside: ReadonlySet<string>,
  files: Set<string>,
): Promise<Rolldown.OutputChunk> {
  const { rolldown } = await loadRolldown(options.root)
  const failure: { error?: unknown } = {}
  const bundle = await rolldown({
    input: ENTRY,
    cwd: options.root,
    platform: 'node',
    tsconfig: false,
    logLevel: 'silent',
    treeshake: { moduleSideEffects: false },
    transform: { define: options.define },
    plugins: [projectPlugin(options, { inside, files, failure }), placesPlugin],
  })
  try {
    const { output } = await bundle.generate({ format: 'esm', sourcemap: true, codeSplitting: false })
    return output[0]
  } catch (error) {
    throw failure.error ?? error
  } finally {
    await bundle.close()
  }
}

const placesPlugin: Rolldown.Plugin = {
  name: 'flash:places',
  transform: { filter: { id: /^[^\0]*\.[cm]?[jt]sx?$/ }, handler: pinPlaces },
}

interface BuildState {
  inside: ReadonlySet<string>
  /** Filled with what is read. */
  files: Set<string>
  failure: { error?: unknown }
}

function projectPlugin(options: BundleOptions, { inside, files, failure }: BuildState): Rolldown.Plugin {
  // Rolldown writes a code of its own into what a hook throws, so it gets something else to throw.
  const keep = (error: unknown): never => {
    failure.error ??= error
    throw new Error('a module cannot be used')
  }
  return {
    name: 'flash:project',
    async resolveId(specifier, importer) {
      if (specifier === ENTRY) return ENTRY
      try {
        return await resolve(this, options, inside, specifier, importer)
      } catch (error) {
        return keep(error)
      }
    },
    load: (id) => (id === ENTRY ? options.entry : load(options, files, id).catch(keep)),
    transform: {
      filter: { id: /^[^\0]/ },
      handler: (code, id) =>
        isInstalled(options.root, id) || id.includes('?')
          ? null
          : (options.rewrite(code, id).catch(keep) as Promise<Rolldown.TransformResult>),
    },
  }
}

type Resolved = Promise<Rolldown.ResolveIdResult> | Rolldown.ResolveIdResult

function resolve(
  context: Rolldown.PluginContext,
  options: BundleOptions,
  inside: ReadonlySet<string>,
  specifier: string,
  from: string | undefined,
): Resolved {
  const own = specifier === options.file ? specifier : resolveOwn(specifier)
  if (own) return own
  if (isBuiltin(specifier)) return outside(specifier)
  const importer = !from || from.startsWith('\0') ? options.file : withoutQuery(from)
  // Packages know their own files; what they miss, they may never ask for.
  return isInstalled(options.root, importer)
    ? null
    : resolveInProject(context, options, inside, specifier, importer)
}

async function resolveInProject(
  context: Rolldown.PluginContext,
  { root, host, onMissing }: BundleOptions,
  inside: ReadonlySet<string>,
  specifier: string,
  importer: string,
): Promise<Rolldown.ResolveIdResult> {
  const found = await host.resolve(withoutQuery(specifier), importer)
  if (found !== null && !isInstalled(root, found)) return specifier.endsWith('?raw') ? `${found}?raw` : found
  if (/^[./]/.test(specifier)) return onMissing(specifier, importer)
  if (!inside.has(specifier)) return outside(specifier)
  const resolved = await context.resolve(specifier, importer, { skipSelf: true })
  return resolved && !resolved.external ? resolved : onMissing(specifier, importer)
}

function outside(specifier: string): Rolldown.PartialResolvedId {
  return { id: specifier, external: true, moduleSideEffects: false }
}

async function load(
  { root, cuts, host }: BundleOptions,
  files: Set<string>,
  id: string,
): Promise<Rolldown.LoadResult> {
  const own = loadOwn(id)
  if (own !== null) return { code: own, moduleType: 'js' }
  const file = withoutQuery(id)
  if (isAbsolute(file)) files.add(file)
  if (id.endsWith('?raw'))
    return { code: `export default ${JSON.stringify(await readFile(file, 'utf8'))}`, moduleType: 'js' }
  if (isInstalled(root, file)) return null
  // Style sheets, pictures and the like give nothing that a config could use.
  if (!codeExtensions.has(extname(file))) return { code: 'export {}', moduleType: 'js' }
  const code = await host.load(file)
  const unwanted = cuts.get(file)
  return code !== null && unwanted ? applyCuts(code, file, unwanted) : code
}

const codeExtensions = new Set(['.ts', '.tsx', '.mts', '.cts', '.js', '.jsx', '.mjs', '.cjs', '.json'])

function applyCuts(code: string, file: string, cuts: readonly Cut[]): Edited {
  const text = new MagicString(code)
  for (const { start, end, text: instead } of cuts) text.overwrite(start, end, instead)
  return { code: text.toString(), map: text.generateMap({ source: file, hires: 'boundary' }) }
}
