import type { AppError } from '@flash/protocol'
import { readManifest } from './manifest.ts'
import type { Listed } from './listed.ts'
import { isExact, splitName } from './locked.ts'
import { findLockfile, type FoundLockfile, readLockfile } from './lockfile.ts'
import type { Places } from './place.ts'
import * as problems from './problems.ts'
import type { LockedPackage, Manager, Place } from './types.ts'

export interface Versions {
  /** What the lockfile says of an import at a place. Throws `LOCKFILE_INVALID`. */
  locked(name: string, place: Place): Promise<LockedPackage | null>
  /**
   * The version that workers install for an import at a place; `npm:ms@2.0.0` where the name is an alias.
   *
   * - `installed`: the version in `node_modules`, which only tells several of the lockfile apart.
   * - throws `DEPENDENCY_NO_VERSION`, `DEPENDENCY_NOT_PUBLISHED`, `LOCKFILE_INVALID`.
   */
  version(name: string, place: Place, installed?: string): Promise<string>
  manager(place: Place): Promise<Manager>
}

export interface VersionsOptions {
  root: string
  endpoint: string
  listed(): ReadonlyMap<string, Listed>
  places: Places
  warn(warning: AppError): void
}

export function createVersions(options: VersionsOptions): Versions {
  const { root, endpoint, listed, places, warn } = options
  const lockfileAt = createFinder(options)
  const lockedAt = async (name: string, place: Place) => {
    const found = await lockfileAt(place)
    return found ? (await readLockfile(found, root)).find(name, place) : null
  }
  const managerAt = async (place: Place) => (await lockfileAt(place))?.manager ?? declaredManager(place)
  const candidates = async (name: string, place: Place): Promise<LockedPackage[]> => {
    const exact = (await lockedAt(name, place)) ?? (await lockedAt(name, places.root))
    if (exact) return [exact]
    const found = await lockfileAt(place)
    return found ? distinct((await readLockfile(found, root)).all(name)) : []
  }
  return {
    locked: lockedAt,
    manager: managerAt,
    async version(name, place, installed) {
      const all = await candidates(name, place)
      const locked = all.length > 1 ? all.find(({ version }) => version === installed) : all[0]
      const subject = { name, endpoint, root, manager: await managerAt(place) }
      const pinned = listed().get(name)
      if (pinned?.version) {
        if (locked?.version && locked.version !== pinned.version)
          warn(problems.otherVersion(subject, pinned.version, locked.version))
        return pinned.version
      }
      if (locked) return useLocked(subject, locked, pinned, warn)
      const declared = declaredVersion(name, place)
      if (declared !== undefined) return declared
      const lockfile = await lockfileAt(place)
      throw problems.noVersion(subject, {
        lockfile: lockfile && problems.shownFrom(root, lockfile.file),
        versions: all.map(({ version, source }) => version ?? source!),
      })
    },
  }
}

function useLocked(
  subject: problems.Subject,
  locked: LockedPackage,
  pinned: Listed | undefined,
  warn: VersionsOptions['warn'],
): string {
  const { version } = locked
  if (version === null) throw problems.notPublished(subject, locked)
  if (pinned?.range) warn(problems.notExact(subject, pinned.range, version))
  if (locked.isPatched) warn(problems.patched(subject, version))
  return locked.name === subject.name ? version : `npm:${locked.name}@${version}`
}

/** Each place has the lockfile of its project: that of `root`, or, for a linked package, its own. */
function createFinder({
  root,
  places,
  warn,
}: VersionsOptions): (place: Place) => Promise<FoundLockfile | null> {
  const kept = new Map<string, Promise<FoundLockfile | null>>()
  const find = async (folder: string) => {
    const found = await findLockfile(folder, root)
    if (found && found.rivals.length > 0) warn(problems.rivalLockfiles(root, found.file, found.rivals))
    return found
  }
  const findOnce = (folder: string) => {
    const finding = kept.get(folder) ?? find(folder)
    kept.set(folder, finding)
    return finding
  }
  return async ({ folder, isForeign }) => {
    const project = isForeign ? folder.replace(/[\\/]node_modules(?:[\\/].*)?$/s, '') : folder
    // Packages may be linked from a store far away, which is nobody's project.
    const isProject = !isForeign || readManifest(project) !== null
    return (isProject ? await findOnce(project) : null) ?? findOnce(places.root.folder)
  }
}

function distinct(all: LockedPackage[]): LockedPackage[] {
  const byVersion = new Map(
    all.map((locked) => [`${locked.name}@${locked.version ?? locked.source}`, locked]),
  )
  return [...byVersion.values()].sort((a, b) => (String(a.version) < String(b.version) ? -1 : 1))
}

function declaredManager({ manifests }: Place): Manager {
  const names = manifests.flatMap(({ packageManager }) => packageManager?.split('@', 1)[0] ?? [])
  return (['pnpm', 'yarn', 'bun'] as const).find((manager) => names[0] === manager) ?? 'npm'
}

/** A version that the nearest `package.json` leaves no choice about. */
function declaredVersion(name: string, { manifests }: Place): string | undefined {
  const range = manifests.find(({ ranges }) => ranges.has(name))?.ranges.get(name)
  const version = range?.startsWith('npm:') ? splitName(range.slice(4))?.[1] : range
  return version !== undefined && isExact(version) ? range : undefined
}
