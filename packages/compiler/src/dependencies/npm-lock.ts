import { dirname, relative } from 'node:path'
import { toPosix } from '../locate.ts'
import { type Fields, fieldOf, isFields, textEntriesOf, textOf, textsOf } from './fields.ts'
import { type LockText, parseLock, refuseLock } from './lock-problem.ts'
import { addTo, toLocked } from './locked.ts'
import type { LockedPackage, Lockfile, Place } from './types.ts'

interface Entry {
  /** From the lockfile's folder: `node_modules/a/node_modules/b`, `packages/web`; empty for the root. */
  path: string
  /** The folder that it only points to. */
  link?: string
  /** What it asks for, by name. */
  ranges: Map<string, string>
  locked: LockedPackage
}

/** `package-lock.json` and `npm-shrinkwrap.json` of npm 7 and later: a list of folders with what is installed there. */
export function parseNpmLock(lock: LockText, folder: string): Lockfile {
  const data = parseLock(lock, JSON.parse)
  const packages = fieldOf(data, 'packages')
  if (!isFields(packages)) {
    return refuseLock(lock, 'has no `packages`: it is none of npm, or one that npm 6 wrote')
  }
  const entries = new Map(
    Object.entries(packages).flatMap(([path, value]) =>
      isFields(value) ? [[path, toEntry(path, value)] as const] : [],
    ),
  )
  const byName = new Map<string, Entry[]>()
  const byIdentity = new Map<string, string[]>()
  for (const entry of entries.values()) {
    const installedAs = installedName(entry.path)
    if (installedAs !== null) addTo(byName, installedAs, entry)
    addTo(byIdentity, `${entry.locked.name}@${entry.locked.version}`, entry.path)
  }
  const startsOf = ({ owner, isForeign, folder: from }: Place): string[] => {
    const start = toPosix(relative(folder, from))
    if (!isForeign || !owner) return [start]
    const same = byIdentity.get(`${owner.name}@${owner.version}`) ?? []
    // Where packages are linked into a store, their folders are not those of the lockfile.
    return entries.has(toPosix(relative(folder, owner.folder))) ? [start] : [...same, start]
  }
  const follow = ({ link, locked }: Entry) =>
    link === undefined ? locked : toLocked(locked.name, `the folder ${link}`)
  return {
    find(name, place) {
      const starts = startsOf(place)
      const found = starts.map((path) => walk(entries, path, name)).find((entry) => entry !== undefined)
      return found ? (askedByUrl(entries, starts[0]!, name, found) ?? follow(found)) : null
    },
    all: (name) => (byName.get(name) ?? []).map(follow),
    isMember: (member) => {
      const path = toPosix(relative(folder, member))
      return path !== '' && entries.has(path) && installedName(path) === null
    },
  }
}

function toEntry(path: string, value: Fields): Entry {
  const names = (kind: string) => textEntriesOf(value, kind).map(([name]) => name)
  const resolved = textOf(value, 'resolved')
  const optional = names('optionalDependencies')
  return {
    path,
    link: fieldOf(value, 'link') === true ? (resolved ?? path) : undefined,
    ranges: new Map(rangeKinds.flatMap((kind) => textEntriesOf(value, kind))),
    locked: toLocked(textOf(value, 'name') ?? installedName(path) ?? path, textOf(value, 'version') ?? '', {
      source: resolved !== undefined && /^(?:git|github|file|ssh)[+:]/.test(resolved) ? resolved : null,
      os: textsOf(value, 'os'),
      cpu: textsOf(value, 'cpu'),
      libc: textsOf(value, 'libc'),
      dependencies: [...names('dependencies'), ...optional],
      optional,
    }),
  }
}

const rangeKinds = ['peerDependencies', 'devDependencies', 'dependencies', 'optionalDependencies']

/** `node_modules/a/node_modules/@b/c` → `@b/c`; `null` for a package of the workspace. */
function installedName(path: string): string | null {
  return /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)$/.exec(path)?.[1] ?? null
}

/** Looks in the `node_modules` of a folder and of those above it, as Node does. */
function walk(entries: Map<string, Entry>, start: string, name: string): Entry | undefined {
  for (let path = start; !path.startsWith('..'); path = dirname(path)) {
    const base = path === '' || path === '.' ? '' : `${path}/`
    const found = base.endsWith('node_modules/') ? undefined : entries.get(`${base}node_modules/${name}`)
    if (found || base === '') return found
  }
  return undefined
}

/** An archive by its address has a version too, and no registry has to know it. */
function askedByUrl(
  entries: Map<string, Entry>,
  start: string,
  name: string,
  found: Entry,
): LockedPackage | undefined {
  for (let path = start; !path.startsWith('..'); path = dirname(path)) {
    const range = entries.get(path === '.' ? '' : path)?.ranges.get(name)
    if (range !== undefined) return /^https?:/.test(range) ? toLocked(found.locked.name, range) : undefined
    if (path === '' || path === '.') return undefined
  }
  return undefined
}
