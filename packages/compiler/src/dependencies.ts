import type { AppError } from '@flash/protocol'
import { isBuiltin } from 'node:module'
import { resolve } from 'node:path'
import { packageOf } from './bundle/specifier.ts'
import { findImport } from './dependencies/import-place.ts'
import { findInstalled } from './dependencies/installed.ts'
import { parseListed } from './dependencies/listed.ts'
import { readManifest } from './dependencies/manifest.ts'
import { isNativeInstalled, isNativeLocked, platformOf, runsOnWorkers } from './dependencies/native.ts'
import { createPlaces, type Places } from './dependencies/place.ts'
import { missing, notDeclared, shownFrom } from './dependencies/problems.ts'
import type { Place } from './dependencies/types.ts'
import { createVersions, type Versions } from './dependencies/versions.ts'
import { fileOf, isInstalled } from './locate.ts'

export type Classified =
  /** Its code goes into the bundle. */
  | { kind: 'bundle' }
  /** Workers install it. `version` is exact, behind `npm:name@` for an alias, so it can stand in a `package.json`. */
  | { kind: 'external'; name: string; version: string; reason: 'listed' | 'native' | 'missing' }
  /** The importing package does without: the import stays as it is, and nobody installs anything for it. */
  | { kind: 'absent'; name: string }

export interface Dependencies {
  /**
   * What to do with an import that is no path, no alias and no module of Node.
   *
   * - `importer`: absolute file.
   * - throws `DEPENDENCY_NOT_DECLARED` when nothing gives the package, `DEPENDENCY_NO_VERSION` and `DEPENDENCY_NOT_PUBLISHED` when
   *   workers could not install it, `LOCKFILE_INVALID`, `BAD_CONFIG`.
   */
  classify(specifier: string, importer: string): Promise<Classified>
  /** Every package the config lists, with exact versions, also those no import named; by name. Throws as `classify` does. */
  listed(): Promise<{ name: string; version: string }[]>
  /** What works and is likely to surprise, each thing once: `DEPENDENCY_MISSING`, `DEPENDENCY_DIFFERS`, `LOCKFILE_AMBIGUOUS`. */
  warnings(): AppError[]
}

export interface DependenciesOptions {
  /** Absolute, of the project; its lockfile may be further up. */
  root: string
  endpoint: string
  /** `dependencies` of the config: `name` or `name@version`. */
  listed: readonly string[]
}

/**
 * Decides, for one endpoint and one build, which packages go into the bundle and which workers install.
 *
 * What is installed here decides nothing that the lockfile or a `package.json` could tell.
 */
export function createDependencies(options: DependenciesOptions): Dependencies {
  const { endpoint } = options
  const root = resolve(options.root)
  const places = createPlaces(root)
  const found = new Map<string, AppError>()
  const warn = (warning: AppError) => void found.set(`${warning.code} ${warning.message}`, warning)
  const listed = once(() => parseListed(options.listed, endpoint))
  const versions = createVersions({ root, endpoint, listed, places, warn })
  const build: Build = { root, endpoint, places, versions, warn }
  return {
    async classify(specifier, importer) {
      const name = isBuiltin(specifier) ? null : packageOf(specifier)
      const place = places.of(importer)
      if (name === null || importsItself(name, place)) return { kind: 'bundle' }
      const request = { specifier, name, importer, place }
      if (listed().has(name)) return toExternal(build, request, 'listed')
      const folder = findInstalled(name, place.folder)
      return folder === null ? classifyMissing(build, request) : classifyInstalled(build, request, folder)
    },
    listed: () =>
      Promise.all(
        [...listed().keys()]
          .sort()
          .map(async (name) => ({ name, version: await versions.version(name, places.root) })),
      ),
    warnings: () => [...found].sort(([one], [other]) => (one < other ? -1 : 1)).map(([, warning]) => warning),
  }
}

interface Build {
  root: string
  endpoint: string
  places: Places
  versions: Versions
  warn(warning: AppError): void
}

interface Request {
  specifier: string
  name: string
  importer: string
  place: Place
}

type Reason = Extract<Classified, { kind: 'external' }>['reason']

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** Node gives a package its own exports before it looks anywhere else. */
function importsItself(name: string, { owner }: Place): boolean {
  return owner?.name === name && owner.hasExports
}

async function toExternal(
  { versions }: Build,
  { name, place }: Request,
  reason: Reason,
  installed?: string,
): Promise<Classified> {
  return { kind: 'external', name, version: await versions.version(name, place, installed), reason }
}

async function classifyInstalled(build: Build, request: Request, folder: string): Promise<Classified> {
  const manifest = readManifest(folder)
  // Packages of the workspace are the project's own code, whatever they are made of.
  if (!manifest || !isInstalled(build.root, folder) || !isNativeInstalled(manifest)) return { kind: 'bundle' }
  if (canDoWithout(request) && !runsOnWorkers(platformOf(manifest.data))) return toAbsent(request)
  return toExternal(build, request, 'native', manifest.version)
}

async function classifyMissing(build: Build, request: Request): Promise<Classified> {
  const { name, place } = request
  const locked = await build.versions.locked(name, place)
  const isUseless = locked ? !runsOnWorkers(locked) : place.isForeign
  if (canDoWithout(request) && isUseless) return toAbsent(request)
  if (locked && isNativeLocked(locked)) return toExternal(build, request, 'native')
  return place.manifests.some(({ ranges }) => ranges.has(name))
    ? classifyDeclared(build, request)
    : classifyUndeclared(build, request)
}

async function classifyDeclared(build: Build, request: Request): Promise<Classified> {
  const { root, endpoint, versions, warn } = build
  const { name, place, importer, specifier } = request
  const external = await toExternal(build, request, 'missing')
  const { file } = place.manifests.find(({ ranges }) => ranges.has(name))!
  const subject = { name, endpoint, root, manager: await versions.manager(place) }
  const found = findImport(fileOf(importer), shownFrom(root, importer), specifier)
  warn(missing(subject, file, (external as { version: string }).version, found))
  return external
}

async function classifyUndeclared(build: Build, request: Request): Promise<Classified> {
  const { root, endpoint, versions } = build
  const { name, place, importer, specifier } = request
  const shown = shownFrom(root, importer)
  const found = findImport(fileOf(importer), shown, specifier)
  // Packages try others that nobody has to have: `try { require('x') } catch {}`.
  if (place.isForeign && !found.isStatic) return toAbsent(request)
  throw notDeclared({ name, endpoint, root, manager: await versions.manager(place) }, place, shown, found)
}

function toAbsent({ name }: Request): Classified {
  return { kind: 'absent', name }
}

function canDoWithout({ name, place }: Request): boolean {
  return place.owner?.optional.has(name) ?? false
}
