import { AppError, type FunctionFact, runsInServer } from '@flash/protocol'
import { isInstalled } from '../locate.ts'
import { rewriteModule } from '../transform/rewrite.ts'
import { findAssetUrls, replaceUrls } from './asset-urls.ts'
import { type BuildContext, shownPath } from './context.ts'
import type { Externals } from './externals.ts'
import { stop } from './failure.ts'
import { commentsAround } from './comments.ts'
import { isFile } from './files.ts'
import type { BundleHooks } from './hooks.ts'
import { createLoad, plainSource } from './load.ts'
import { toMissing } from './missing.ts'
import type { Notes } from './notes.ts'
import type { EndpointPlan } from './plan.ts'
import type { Problems } from './problems.ts'
import { createResolve } from './resolve.ts'
import { splitQuery } from './specifier.ts'

/** What an engine has to be told for the bundle of one endpoint. */
export function createHooks(
  context: BuildContext,
  plan: EndpointPlan,
  notes: Notes,
  externals: Externals,
): BundleHooks {
  const { problems } = notes
  const fail = createFail(problems)
  const shown = (file: string) => shownPath(context, file)
  const resolve = createResolve({
    root: context.root,
    plan,
    own: context.own,
    locator: context.locator,
    externals,
    async host(specifier, importer) {
      const answer = await context.host(specifier, importer)
      notes.hosted.set(`${specifier}\0${importer}`, answer)
      return answer
    },
    sideEffectsOf: context.sideEffectsOf,
    onFile(file, by) {
      // Read before the engine does: a file that changes in between differs from what is noted here.
      if (plainSource.test(file)) context.files.find(file)
      notes.files.set(file, (notes.files.get(file) ?? new Set()).add(by))
    },
    onMissing(specifier, importer, error) {
      const place = { shownPath: shown, find: context.files.find }
      problems.add(toMissing(specifier, importer, place, error))
    },
  })
  const load = createLoad({
    plan,
    files: context.files,
    shownPath: shown,
    async takeAsset(file) {
      const asset = await context.assets.take(file)
      if (asset) notes.assets.set(asset.path, { asset, importer: file, url: null })
      return asset
    },
  })
  return {
    resolve: (request, next) => resolve(request, next).catch(fail),
    load: (id) => load(id).catch(fail),
    rewrite: (code, id) => rewrite(context, plan, notes, { code, id }).catch(fail),
    placeAssets: (code, id) => placeAssets(context, notes, code, id),
    fail,
  }
}

/** Engines write errors of hooks anew, so ours are noted first. */
function createFail(problems: Problems): BundleHooks['fail'] {
  return (error) => {
    if (!(error instanceof AppError)) throw error
    problems.add(error)
    return stop()
  }
}

/** Files that can hold functions, or are components that must not. */
const compiled = /\.(?:[cm]?[jt]sx?|vue|svelte|astro)$/

/** The role that development gives a module of this endpoint's worker. */
async function rewrite(
  { project, own, calling }: BuildContext,
  { name, demand }: EndpointPlan,
  notes: Notes,
  { code, id }: { code: string; id: string },
) {
  const [file, query] = splitQuery(id)
  if (!compiled.test(file) || own.includes(file) || /[?&](?:raw|url)\b/.test(query)) return null
  const analysis = await project.analyze(code, file)
  if (!analysis) return null
  const keeps = (fact: FunctionFact) => fact.endpoint === name && !runsInServer(fact)
  const demanded = demand.get(file)
  const rewritten = rewriteModule(analysis, { kind: 'worker', keeps, demanded, lean: true, calling })
  const ids = new Set(analysis.facts.filter((fact) => !keeps(fact)).map((fact) => fact.id))
  const others = analysis.functions.filter((found) => ids.has(found.id))
  const calls = others.flatMap(({ call, api }) => (api ? [call, api.call] : [call]))
  notes.rewritten.set(file, { ...rewritten, original: code, hidden: commentsAround(analysis.parsed, calls) })
  return rewritten
}

async function placeAssets({ root, assets, own }: BuildContext, notes: Notes, code: string, id: string) {
  const [file] = splitQuery(id)
  if (!isFile(file) || own.includes(file)) return null
  const found: Parameters<typeof replaceUrls>[2] = []
  for (const url of findAssetUrls(code, file)) {
    const asset = await assets.take(url.file)
    if (!asset) {
      if (!isInstalled(root, file)) notes.absent.push({ url, importer: file })
      continue
    }
    notes.assets.set(asset.path, { asset, importer: file, url })
    found.push([url, asset.path])
  }
  return found.length > 0 ? replaceUrls(code, file, found) : null
}
