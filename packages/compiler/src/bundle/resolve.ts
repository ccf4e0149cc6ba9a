import { existsSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, isAbsolute, join } from 'node:path'
import { AppError } from '@flash/protocol'
import { fileOf, isInstalled, type Locator, toPosix } from '../locate.ts'
import { ENTRY, findFunctionFile } from './entry.ts'
import type { Externals } from './externals.ts'
import { isFile } from './files.ts'
import type { BundleHooks, ImportRequest, Resolved, ResolveNext } from './hooks.ts'
import type { OwnModules } from './own.ts'
import type { EndpointPlan } from './plan.ts'
import type { SideEffects } from './side-effects.ts'
import { isPath, packageOf, splitQuery } from './specifier.ts'

export interface ResolveOptions {
  root: string
  plan: EndpointPlan
  own: OwnModules
  /** The host's: an absolute file, another specifier that stands for this one, or nothing. */
  host(specifier: string, importer: string): Promise<string | null>
  locator: Locator
  externals: Externals
  sideEffectsOf(file: string): SideEffects
  /** An import led to a file; without the host's doing, the project does not know of it. */
  onFile(file: string, by: 'host' | 'engine'): void
  /** Notes that an import leads nowhere; without an error of its own the sentence says that. */
  onMissing(specifier: string, importer: string, error?: AppError): void
}

/** Where the imports of a bundle lead: into it, or, for Node's own modules and some packages, out of it. */
export function createResolve(options: ResolveOptions): BundleHooks['resolve'] {
  const { root, plan, own, onFile } = options
  // For what no file imports, the project itself does.
  const anchor = `${root}/package.json`
  return async (request, next) => {
    const { specifier } = request
    if (specifier === ENTRY) return { id: ENTRY }
    const functions = findFunctionFile(plan, specifier)
    if (functions) {
      onFile(functions, 'host')
      return { id: functions }
    }
    const ours = own.resolve(specifier)
    if (ours) return { id: ours, moduleSideEffects: own.isRuntime(specifier) }
    const importer = fileOf(request.importer ?? '') ?? anchor
    const [path, query] = splitQuery(specifier)
    const found = await find(options, { ...request, specifier: path, written: path, importer }, next)
    return query && found && !found.external ? { ...found, id: found.id + query } : found
  }
}

interface Request extends ImportRequest {
  importer: string
  /** The specifier as it stands in the module; `specifier` may be what the host means by it. */
  written: string
}

async function find(options: ResolveOptions, request: Request, next: ResolveNext): Promise<Resolved | null> {
  const { specifier, importer } = request
  if (isPath(specifier) && (isInstalled(options.root, importer) || options.own.includes(importer))) {
    // Packages know their own files, and the engine finds them without being told.
    return isThere(specifier, importer)
      ? null
      : conclude(options, request, await locate(options, request, next))
  }
  const hosted = await askHost(options, specifier, importer)
  const asked = hosted.specifier === undefined ? request : { ...request, specifier: hosted.specifier }
  if (isOutside(asked.specifier)) return { id: asked.specifier, external: true }
  const found = hosted.file
    ? await takeHosted(options, hosted.file, asked, next)
    : await locate(options, asked, next)
  return conclude(options, asked, found)
}

async function conclude(
  options: ResolveOptions,
  request: Request,
  found: Resolved | null,
): Promise<Resolved> {
  if (found && (found.external || isAlias(options, request.specifier, found.id))) return found
  return (await decide(options, request, found)) ?? lose(options, request)
}

function isThere(specifier: string, importer: string): boolean {
  const path = isAbsolute(specifier) ? specifier : join(dirname(importer), specifier)
  return ['', '.js', '.mjs', '.cjs', '.json', '.ts'].some((ending) => existsSync(path + ending))
}

/** A file of the project, or another specifier in place of this one. */
async function askHost(
  { host, root }: ResolveOptions,
  specifier: string,
  importer: string,
): Promise<{ file?: string; specifier?: string }> {
  const answer = await host(specifier, importer)
  if (answer === null) return {}
  if (!isAbsolute(answer)) return { specifier: answer }
  // Which file of a package it is depends on who asks; hosts answer for pages.
  return isInstalled(root, answer) ? {} : { file: answer }
}

function isOutside(specifier: string): boolean {
  return isBuiltin(specifier) || /^(?:node|data):/.test(specifier)
}

/** What the engine finds. */
async function locate({ onFile }: ResolveOptions, { specifier, importer }: Request, next: ResolveNext) {
  const found = await next(specifier, importer)
  const file = found && !found.external && fileOf(found.id)
  if (file) onFile(file, 'engine')
  return found && file && isFile(found.id) ? { ...found, id: toPosix(found.id) } : found
}

async function takeHosted(
  { sideEffectsOf, onFile }: ResolveOptions,
  file: string,
  { importer }: Request,
  next: ResolveNext,
): Promise<Resolved> {
  onFile(file, 'host')
  const moduleSideEffects = sideEffectsOf(file)
  if (moduleSideEffects !== 'ask') return { id: file, moduleSideEffects }
  return { ...(await next(file, importer)), id: file }
}

/** A name for a file of the project, in contrast to a package, also one that lies in the workspace. */
function isAlias({ locator, own, root }: ResolveOptions, specifier: string, id: string): boolean {
  const name = nameIn(specifier)
  const file = fileOf(id)
  if (name === null || file === null) return true
  return !isInstalled(root, file) && !own.includes(file) && locator.locate(file).package !== name
}

function nameIn(specifier: string): string | null {
  return isPath(specifier) ? null : packageOf(specifier)
}

/** Whether a package goes in or stays out; `null` when it has to go in and is not there. */
async function decide(
  options: ResolveOptions,
  request: Request,
  found: Resolved | null,
): Promise<Resolved | null> {
  const { specifier, importer, kind } = request
  const place = await classify(options, specifier, importer, found?.id)
  // Packages try files that are only made for some machines: `try { require('./build/addon') } catch {}`.
  const isTried = place === 'bundle' && !found && isInstalled(options.root, importer) && kind !== 'import'
  if (place === 'absent' || isTried) options.externals.skip(specifier)
  return place === 'bundle' && !isTried ? found : { id: specifier, external: true }
}

async function classify(
  options: ResolveOptions,
  specifier: string,
  importer: string,
  file: string | undefined,
) {
  const { externals, onMissing, locator } = options
  const name = nameIn(specifier)
  if (name === null || locator.locate(importer).package === name) return 'bundle'
  try {
    return (await externals.classify(specifier, importer, file)).kind
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    onMissing(specifier, importer, error)
    return 'external'
  }
}

/** The rest of the bundle is looked at all the same, for what else is wrong. */
function lose({ onMissing }: ResolveOptions, { specifier, written, importer }: Request): Resolved {
  onMissing(written, importer)
  return { id: specifier, external: true }
}
