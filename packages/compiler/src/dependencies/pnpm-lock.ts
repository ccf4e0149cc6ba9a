import { join, relative } from 'node:path'
import { toPosix } from '../locate.ts'
import { entriesOf, fieldOf, isFields, textEntriesOf, textOf, textsOf } from './fields.ts'
import { type LockText, parseLock, refuseLock } from './lock-problem.ts'
import { addTo, isExact, splitName, toLocked } from './locked.ts'
import type { LockedPackage, Lockfile, Place } from './types.ts'

/** A package with one set of peers: what it needs, by the name it imports, as pnpm writes it. */
interface Snapshot {
  key: string
  references: Map<string, string>
}

/**
 * `pnpm-lock.yaml` of pnpm 6 and later (versions 5.3 to 9.0).
 *
 * ```yaml
 * importers: { packages/web: { dependencies: { sharp: { specifier: ^0.34.0, version: 0.34.5(@types/node@24.0.0) } } } }
 * packages:  { sharp@0.34.5: { cpu: [x64] } }
 * snapshots: { sharp@0.34.5(@types/node@24.0.0): { dependencies: { color: 4.2.3 } } }
 * ```
 *
 * Older ones have the packages as `/sharp@0.34.5(…)` or `/sharp/0.34.5_…`, with their dependencies.
 */
export async function parsePnpmLock(lock: LockText, folder: string): Promise<Lockfile> {
  const { parseSyml } = await import('@yarnpkg/parsers')
  // SyML is YAML whose values are all text, so `1.10` stays what it is.
  const data = parseLock(lock, (text) => parseSyml(lastDocument(text)))
  const format = Number(textOf(data, 'lockfileVersion'))
  if (!(format >= 5.3)) return refuseLock(lock, 'has no `lockfileVersion` of pnpm 6 or later')
  const importers = new Map(entriesOf(data, 'importers'))
  // Without a workspace, older versions have no list of importers.
  if (importers.size === 0) importers.set('.', data)
  const packages = readPackages(data)
  const snapshots = readSnapshots(data)
  const byName = readNames([...importers.values()], snapshots)
  const toPackage = (name: string, reference: string) => resolveReference(packages, name, reference)
  return {
    find(name, place) {
      const reference = place.isForeign
        ? referenceInPackage(snapshots, place, name)
        : referenceInImporters(importers, toPosix(relative(folder, place.folder)), name)
      return reference === undefined ? null : toPackage(name, reference)
    },
    all: (name) => [...(byName.get(name) ?? [])].map((reference) => toPackage(name, reference)),
    isMember: (member) => importers.has(toPosix(relative(folder, member))),
  }
}

/** Newer versions may write a first one about themselves. */
function lastDocument(text: string): string {
  return text.split(/^---[ \t]*\r?$/m).findLast((document) => document.trim() !== '') ?? ''
}

const kinds = ['devDependencies', 'dependencies', 'optionalDependencies']

/** What a package of the workspace has, or one above it. */
function referenceInImporters(
  importers: Map<string, unknown>,
  path: string,
  name: string,
): string | undefined {
  for (let folder = path || '.'; !folder.startsWith('..'); folder = toPosix(join(folder, '..'))) {
    const found = importers.has(folder) ? referencesOf(importers.get(folder)).get(name) : undefined
    if (found !== undefined || folder === '.') return found
  }
  return undefined
}

/** Several sets of peers of one version may need different versions; its folder is called like the one that is meant. */
function referenceInPackage(
  snapshots: Map<string, Snapshot[]>,
  { owner, folder }: Place,
  name: string,
): string | undefined {
  const same = snapshots.get(`${owner?.name}@${owner?.version}`) ?? []
  const store = /\.pnpm\/([^/]+)\//.exec(`${toPosix(folder)}/`)?.[1]
  const meant = same.find(({ key }) => toFolderName(key) === store)
  return (meant ? [meant] : same)
    .map(({ references }) => references.get(name))
    .find((found) => found !== undefined)
}

/** `/use@1.0.0(react@18.3.1)` → `use@1.0.0_react@18.3.1`; long ones end in a hash, and are not told apart. */
function toFolderName(key: string): string {
  const peers = key
    .slice(withoutPeers(key).length)
    .replaceAll(/\)\(|\(/g, '_')
    .replaceAll(')', '')
  return `${toIdentity(key)}${peers}`.replaceAll('/', '+')
}

/** A reference as such, or with the range it is for: `{ specifier, version }`. */
function referencesOf(value: unknown): Map<string, string> {
  const all = kinds.flatMap((kind) => entriesOf(value, kind))
  return new Map(
    all.flatMap(([name, given]) => {
      const reference = typeof given === 'string' ? given : textOf(given, 'version')
      return reference === undefined ? [] : [[name, reference] as const]
    }),
  )
}

function readPackages(data: unknown): Map<string, LockedPackage> {
  const patched = new Set(entriesOf(data, 'patchedDependencies').map(([key]) => key))
  const snapshots = new Map(entriesOf(data, 'snapshots').map(([key, value]) => [toIdentity(key), value]))
  return new Map(
    entriesOf(data, 'packages').flatMap(([key, value]) => {
      const identity = toIdentity(key)
      const parts = splitName(identity)
      if (!parts || !isFields(value)) return []
      const [name, version] = parts
      const needs = snapshots.get(identity) ?? value
      const optional = textEntriesOf(needs, 'optionalDependencies').map(([dependency]) => dependency)
      const locked = toLocked(name, version, {
        isPatched: patched.has(identity) || patched.has(name),
        os: textsOf(value, 'os'),
        cpu: textsOf(value, 'cpu'),
        libc: textsOf(value, 'libc'),
        dependencies: [
          ...textEntriesOf(needs, 'dependencies').map(([dependency]) => dependency),
          ...optional,
        ],
        optional,
      })
      return [[identity, locked] as const]
    }),
  )
}

function readSnapshots(data: unknown): Map<string, Snapshot[]> {
  const all = entriesOf(data, isFields(fieldOf(data, 'snapshots')) ? 'snapshots' : 'packages')
  const snapshots = new Map<string, Snapshot[]>()
  for (const [key, value] of all) addTo(snapshots, toIdentity(key), { key, references: referencesOf(value) })
  return snapshots
}

function readNames(importers: unknown[], snapshots: Map<string, Snapshot[]>): Map<string, Set<string>> {
  const names = new Map<string, Set<string>>()
  const needed = [...snapshots.values()].flat().map(({ references }) => references)
  for (const references of [...importers.map(referencesOf), ...needed])
    for (const [name, reference] of references)
      names.set(name, (names.get(name) ?? new Set()).add(withoutPeers(reference)))
  return names
}

/** `1.2.3(react@18.3.1)` and `1.2.3_react@18.3.1` → `1.2.3`. */
function withoutPeers(reference: string): string {
  return reference.replace(/\(.*$/s, '').replace(/^(\/?(?:.*?[@/])?\d+\.\d+\.\d+[^_/@]*)_.*$/s, '$1')
}

/** `/@a/b/1.2.3_x@1.0.0`, `/@a/b@1.2.3(x@1.0.0)` and `@a/b@1.2.3(x@1.0.0)` → `@a/b@1.2.3`. */
function toIdentity(key: string): string {
  const plain = withoutPeers(key).replace(/^\//, '')
  const slash = /^((?:@[^/@]+\/)?[^/@]+)\/([^/]+)$/.exec(plain)
  return slash && isExact(slash[2]!) ? `${slash[1]}@${slash[2]}` : plain
}

/** A reference is a version, or, for an alias, the key of another package; anything else is a source. */
function resolveReference(
  packages: Map<string, LockedPackage>,
  name: string,
  reference: string,
): LockedPackage {
  const plain = withoutPeers(reference)
  const identity = isExact(plain) ? `${name}@${plain}` : toIdentity(plain)
  const parts = splitName(identity)
  const found = packages.get(identity)
  if (found) return found
  if (parts && isExact(parts[1])) return toLocked(parts[0], parts[1])
  return toLocked(name, plain.replace(/^link:/, 'the folder '))
}
