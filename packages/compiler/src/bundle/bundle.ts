import { AppError, type ManifestExternal } from '@flash/protocol'
import type { Asset } from './assets.ts'
import { createHooks } from './bundle-hooks.ts'
import { type BuildContext, shownPath } from './context.ts'
import type { EngineBundle } from './engine.ts'
import { callStart, ENTRY } from './entry.ts'
import { createExternals, type Externals } from './externals.ts'
import { toFailures } from './failure.ts'
import { isFile } from './files.ts'
import { createFolder, type Folder } from './folder.ts'
import { toBundleMap } from './folder-map.ts'
import { addHead } from './head.ts'
import { keptText } from './kept-text.ts'
import type { Part } from './limits.ts'
import { findOpenImports } from './open-imports.ts'
import { createNotes, type Notes } from './notes.ts'
import { packageFile } from './package-file.ts'
import type { EndpointPlan } from './plan.ts'
import { splitQuery } from './specifier.ts'
import { findAbsent, findUsedAssets } from './used-assets.ts'

/** The bundle of one endpoint, or everything that is wrong with it. */
export interface Bundle {
  /** Empty when there is a result. */
  problems: AppError[]
  warnings: AppError[]
  result: BundleResult | null
  notes: Notes
  externals: Externals
  /** Every file that went in, absolute. */
  files: string[]
}

export interface BundleResult {
  folder: Folder
  externals: ManifestExternal[]
  /** What its size is made of. */
  parts(): Part[]
  /** What looks like the id of a function in the code. */
  ids: string[]
  /** Endpoints of others that its code has clients of. */
  clients: string[]
}

/**
 * Makes the bundle of an endpoint.
 *
 * A module with functions is cut down to what the project knows that others import of it. Where an import led to one in a way
 * that only the bundler knows, it is made again, with everything of that module.
 */
export async function bundleEndpoint(context: BuildContext, plan: EndpointPlan): Promise<Bundle> {
  for (let wanted = plan; ; ) {
    const bundle = await bundleOnce(context, wanted)
    const cut = [...bundle.notes.rewritten.keys()].filter(
      (file) => !isKnown(bundle.notes, file) && !wanted.demand.get(file)?.has('*'),
    )
    if (cut.length === 0) return bundle
    wanted = {
      ...wanted,
      demand: new Map([...wanted.demand, ...cut.map((file) => [file, everything] as const)]),
    }
  }
}

/** Whether every import of a file went the host's way, which is the project's. */
function isKnown({ files }: Notes, file: string): boolean {
  const ways = files.get(file)
  return ways !== undefined && !ways.has('engine')
}

const everything: ReadonlySet<string> = new Set(['*'])

async function bundleOnce(context: BuildContext, plan: EndpointPlan): Promise<Bundle> {
  const notes = createNotes()
  const dependencies = context.createDependencies(plan)
  const { problems } = notes
  const externals = createExternals({
    root: context.root,
    endpoint: plan.name,
    listed: new Set(plan.config.dependencies.map(withoutVersion)),
    dependencies,
    bundled: context.bundled,
    problems,
  })
  const bundled = await runEngine(context, plan, notes, externals)
  const result = bundled && (await finish(context, plan, { notes, externals, bundled }))
  return {
    problems: problems.list(),
    warnings: [...dependencies.warnings(), ...(result ? result.warnings : [])],
    result: problems.list().length === 0 ? result : null,
    notes,
    externals,
    files: [...new Set([...notes.files.keys(), ...(bundled?.files ?? [])])].filter(isFile),
  }
}

/** `@acme/a@1.2.3` → `@acme/a`. */
function withoutVersion(listed: string): string {
  const at = listed.lastIndexOf('@')
  return at > 0 ? listed.slice(0, at) : listed
}

/** `null` when there are problems; then they are noted. */
async function runEngine(
  context: BuildContext,
  plan: EndpointPlan,
  notes: Notes,
  externals: Externals,
): Promise<EngineBundle | null> {
  const { engine, root, tsconfigs, defines, words, minify, inputOptions, files } = context
  const hooks = createHooks(context, plan, notes, externals)
  try {
    const plugins = context.plugins()
    const bundled = await engine({
      root,
      entry: ENTRY,
      hooks,
      tsconfigs,
      defines,
      words,
      plugins,
      minify,
      inputOptions,
    })
    return notes.problems.list().length === 0 ? bundled : null
  } catch (error) {
    if (error instanceof AppError) {
      notes.problems.add(error)
      return null
    }
    const failures = toFailures(error, {
      root,
      shownPath: (file) => shownPath(context, file),
      find: files.find,
      mapOf: (file) => notes.rewritten.get(file)?.map,
    })
    for (const failure of failures) notes.problems.add(failure)
    return null
  }
}

interface Engined {
  notes: Notes
  externals: Externals
  bundled: EngineBundle
}

async function finish(context: BuildContext, plan: EndpointPlan, { notes, externals, bundled }: Engined) {
  const { root, own } = context
  const { code, map } = addHead(callStart(bundled.code), bundled.map)
  const used = await externals.findUsed(code, bundled.imports).catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error
    notes.problems.add(error)
    return []
  })
  const assets = findUsedAssets(context, notes, code)
  for (const problem of findOpenImports(context, notes, code)) notes.problems.add(problem)
  const shownText = (file: string) => {
    const edited = notes.rewritten.get(file)
    return edited
      ? Buffer.from(JSON.stringify(keptText(edited.original, edited, edited.hidden)))
      : context.files.json(file)
  }
  const contents = {
    main: `${code.trimEnd()}\n//# sourceMappingURL=main.mjs.map\n`,
    map: toBundleMap(map, { root, own, shownText }),
    packageFile: packageFile(plan.name, used),
  }
  return {
    folder: await createFolder(contents, assets),
    externals: used,
    parts: () => partsOf(context, plan, bundled.modules, assets),
    ids: [...new Set(Array.from(code.matchAll(/["'`]([a-z2-7]{16})["'`]/g), ([, id]) => id!))],
    clients: await findClients(context, notes, code),
    warnings: findAbsent(context, notes, code),
  }
}

/** A client that is left says in the code whom it calls. */
async function findClients({ project }: BuildContext, { rewritten }: Notes, code: string): Promise<string[]> {
  const edges = await Promise.all([...rewritten.keys()].map((file) => project.clientEdges(file)))
  const left = edges.flat().filter(({ texts }) => texts.every((text) => code.includes(text)))
  return [...new Set(left.map(({ label }) => label))].sort()
}

function partsOf(
  context: BuildContext,
  { name }: EndpointPlan,
  modules: EngineBundle['modules'],
  assets: Asset[],
): Part[] {
  const shown = (id: string) => (isFile(id) ? shownPath(context, splitQuery(id)[0]) : id.replaceAll('\0', ''))
  return [
    ...modules.map(({ id, bytes }) => ({ name: `${name}/main.mjs: ${shown(id)}`, bytes })),
    ...assets.map(({ path, bytes }) => ({ name: `${name}/${path}`, bytes })),
  ]
}
