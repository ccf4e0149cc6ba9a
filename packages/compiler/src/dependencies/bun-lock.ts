import { relative } from 'node:path'
import { toPosix } from '../locate.ts'
import { entriesOf, fieldOf, isFields, textEntriesOf, textOf, textsOf } from './fields.ts'
import { type LockText, parseLock, refuseLock } from './lock-problem.ts'
import { addTo, splitName, toLocked } from './locked.ts'
import type { LockedPackage, Lockfile, Place } from './types.ts'

/**
 * `bun.lock`: packages by their path, shortened to names.
 *
 * ```json
 * { "workspaces": { "": { "name": "shop" }, "packages/web": { "name": "@shop/web" } },
 *   "packages": { "ms": ["ms@2.1.3", "", {}, "sha512-…"], "@shop/web/debug/ms": ["ms@2.0.0", …] } }
 * ```
 */
export function parseBunLock(lock: LockText, folder: string): Lockfile {
  const data = parseLock(lock, (text) => JSON.parse(withoutTrailingCommas(text)))
  if (!isFields(fieldOf(data, 'packages'))) return refuseLock(lock, 'has no `packages`')
  const patched = new Set(entriesOf(data, 'patchedDependencies').map(([id]) => id))
  const packages = new Map(
    entriesOf(data, 'packages').flatMap(([key, value]) => {
      const locked = toPackage(value, patched)
      return locked ? [[key, locked] as const] : []
    }),
  )
  const byName = new Map<string, LockedPackage[]>()
  const byIdentity = new Map<string, string[]>()
  for (const [key, locked] of packages) {
    addTo(byName, namesIn(key).at(-1) ?? key, locked)
    addTo(byIdentity, `${locked.name}@${locked.version}`, key)
  }
  const workspaces = new Map(
    entriesOf(data, 'workspaces').map(([path, value]) => [path, textOf(value, 'name') ?? '']),
  )
  const startsOf = (place: Place): string[][] => {
    const path = toPosix(relative(folder, place.folder))
    const names = [...workspaceOf(workspaces, path), ...installedNames(path)]
    if (!place.isForeign || !place.owner || packages.has(names.join('/'))) return [names]
    // Where packages are linked into a store, their folders are not those of the lockfile.
    return [...(byIdentity.get(`${place.owner.name}@${place.owner.version}`) ?? []).map(namesIn), names]
  }
  return {
    find(name, place) {
      const found = startsOf(place).map((names) => walk(packages, names, name))
      return found.find((locked) => locked !== undefined) ?? null
    },
    all: (name) => byName.get(name) ?? [],
    isMember: (member) => {
      const path = toPosix(relative(folder, member))
      return path !== '' && workspaces.has(path)
    },
  }
}

/** Bun writes a comma after every last item. A string without end is one too, or looking for it would never come to one. */
function withoutTrailingCommas(text: string): string {
  return text.replaceAll(
    /("[^"\\]*(?:\\[\s\S][^"\\]*)*(?:"|$))|,(\s*[}\]])/g,
    (_, string, end) => string ?? ` ${end}`,
  )
}

/** `["sharp@0.34.5", "", { "os": "linux" }, "sha512-…"]`; what is not from a registry has fewer items. */
function toPackage(value: unknown, patched: Set<string>): LockedPackage | null {
  const [id, ...more] = Array.isArray(value) ? (value as unknown[]) : []
  const parts = typeof id === 'string' ? splitName(id) : null
  if (!parts) return null
  const [name, version] = parts
  const info = more.find(isFields)
  const names = (kind: string) => textEntriesOf(info, kind).map(([dependency]) => dependency)
  const optional = names('optionalDependencies')
  return toLocked(name, version.replace(/^workspace:/, 'the folder '), {
    isPatched: patched.has(id as string),
    os: textsOf(info, 'os'),
    cpu: textsOf(info, 'cpu'),
    libc: textsOf(info, 'libc'),
    dependencies: [...names('dependencies'), ...optional],
    optional,
  })
}

/** `@shop/web/debug/ms` → `['@shop/web', 'debug', 'ms']`. */
function namesIn(path: string): string[] {
  return path.match(/(?:@[^/]+\/)?[^/]+/g) ?? []
}

/** `packages/web/node_modules/a/node_modules/@b/c/lib` → `['a', '@b/c']`. */
function installedNames(path: string): string[] {
  return [...path.matchAll(/(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)/g)].map(([, name]) => name!)
}

/** The package of the workspace that a path is in; the root has no name there. */
function workspaceOf(workspaces: Map<string, string>, path: string): string[] {
  const inside = [...workspaces].filter(([folder]) => folder !== '' && `${path}/`.startsWith(`${folder}/`))
  const [nearest] = inside.sort(([one], [other]) => other.length - one.length)
  return nearest ? [nearest[1]] : []
}

function walk(
  packages: Map<string, LockedPackage>,
  names: string[],
  name: string,
): LockedPackage | undefined {
  for (let depth = names.length; depth >= 0; depth--) {
    const found = packages.get([...names.slice(0, depth), name].join('/'))
    if (found) return found
  }
  return undefined
}
