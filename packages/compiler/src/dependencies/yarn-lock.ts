import { relative } from 'node:path'
import { toPosix } from '../locate.ts'
import { entriesOf, fieldOf, isFields, textEntriesOf, textOf } from './fields.ts'
import { type LockText, parseLock, refuseLock } from './lock-problem.ts'
import { addTo, splitName, toLocked } from './locked.ts'
import type { LockedPackage, Lockfile, Place } from './types.ts'

interface Entry {
  value: unknown
  locked: LockedPackage
}

/**
 * `yarn.lock`, of Yarn 1 and of Yarn 2 and later: which version each range has led to.
 *
 * ```yaml
 * sharp@^0.34.0:                             # Yarn 1
 *   version "0.34.5"
 * "sharp@npm:^0.34.0, sharp@npm:0.34.5":     # later ones
 *   resolution: "sharp@npm:0.34.5"
 *   conditions: os=linux & cpu=x64
 * ```
 */
export async function parseYarnLock(lock: LockText, folder: string): Promise<Lockfile> {
  const { parseSyml } = await import('@yarnpkg/parsers')
  const data = parseLock(lock, parseSyml)
  const isBerry = fieldOf(data, '__metadata') !== undefined
  if (!isBerry && !/^#.*yarn lockfile v1/im.test(lock.text) && isWritten(lock.text))
    return refuseLock(lock, 'is none that Yarn has written: neither its heading nor `__metadata` is there')
  const entries = readEntries(data, isBerry)
  const byName = new Map<string, Entry[]>()
  const byIdentity = new Map<string, Entry>()
  for (const [descriptor, entry] of entries) {
    addTo(byName, splitName(descriptor)![0], entry)
    byIdentity.set(textOf(entry.value, 'resolution') ?? descriptor, entry)
  }
  return {
    find(name, place) {
      const ownerEntry = isBerry ? byIdentity.get(resolutionOf(place, folder)) : undefined
      const own = textOf(fieldOf(ownerEntry?.value, 'dependencies'), name)
      const asked = [own, ...place.manifests.map((manifest) => manifest.ranges.get(name))]
      const ranges = [...asked, ...replacementsOf(name, place)].filter((range) => range !== undefined)
      const found = ranges.flatMap((range) => entries.get(`${name}@${withProtocol(range, isBerry)}`) ?? [])
      // The range of a catalog or of a plugin is not in the file; one version alone leaves no choice.
      const all = ranges.length > 0 ? (byName.get(name) ?? []) : []
      return found[0]?.locked ?? (isOne(all) ? all[0]!.locked : null)
    },
    all: (name) => (byName.get(name) ?? []).map(({ locked }) => locked),
    isMember: (member) => {
      const end = `@workspace:${toPosix(relative(folder, member))}`
      return !end.endsWith(':') && [...byIdentity.keys()].some((resolution) => resolution.endsWith(end))
    },
  }
}

function isWritten(text: string): boolean {
  return text.trim() !== ''
}

function isOne(entries: Entry[]): boolean {
  return new Set(entries.map(({ locked }) => `${locked.name}@${locked.version}`)).size === 1
}

/** `resolutions`: what the project has instead of what its packages ask for, by `name`, `name@range` or `parent/name`. */
function replacementsOf(name: string, { manifests }: Place): string[] {
  const all = manifests.flatMap(({ data }) => textEntriesOf(data, 'resolutions'))
  const isMeant = (key: string) => key === name || key.startsWith(`${name}@`) || key.endsWith(`/${name}`)
  return all.flatMap(([key, range]) => (isMeant(key) ? [range] : []))
}

/** Yarn 2 and later write `npm:^1.0.0` for `^1.0.0`. */
function withProtocol(range: string, isBerry: boolean): string {
  return isBerry && !/^[a-z][a-z+.-]*:/i.test(range) ? `npm:${range}` : range
}

/** What the importing package is called in `resolution`. */
function resolutionOf({ owner, isForeign }: Place, folder: string): string {
  if (!owner) return ''
  if (isForeign) return `${owner.name}@npm:${owner.version}`
  return `${owner.name}@workspace:${toPosix(relative(folder, owner.folder)) || '.'}`
}

function readEntries(data: unknown, isBerry: boolean): Map<string, Entry> {
  const entries = new Map<string, Entry>()
  for (const [key, value] of isFields(data) ? Object.entries(data) : []) {
    for (const descriptor of isBerry ? key.split(/,\s*/) : [key]) {
      // Yarn adds whose file it is: `tiny@file:./vendor/tiny::locator=shop%40workspace%3A.`
      const plain = descriptor.replace(/::.*$/s, '')
      const parts = splitName(plain)
      if (!parts || !isFields(value)) continue
      entries.set(plain, { value, locked: isBerry ? toBerry(parts, value) : toClassic(parts, value) })
    }
  }
  return entries
}

const elsewhere = /^(?:git|github|gitlab|bitbucket|gist|https?|file|link|ssh)[+:]|^[\w.-]+\/[\w.-]+/

function toClassic([name, range]: [string, string], value: unknown): LockedPackage {
  const alias = range.startsWith('npm:') ? splitName(range.slice(4))?.[0] : undefined
  const optional = textEntriesOf(value, 'optionalDependencies').map(([dependency]) => dependency)
  return toLocked(alias ?? name, textOf(value, 'version') ?? '', {
    source: elsewhere.test(range) ? range : null,
    dependencies: [...textEntriesOf(value, 'dependencies').map(([dependency]) => dependency), ...optional],
    optional,
  })
}

function toBerry([descriptorName, range]: [string, string], value: unknown): LockedPackage {
  const dependencies = textEntriesOf(value, 'dependencies')
  const meta = entriesOf(value, 'dependenciesMeta')
  const [name, reference] = splitName(textOf(value, 'resolution') ?? '') ?? [descriptorName, range]
  const workspace = /^workspace:(.*)$/s.exec(reference)?.[1]
  const isPublished = /^(?:npm:|patch:[^#]*@npm(?:%3A|:))/.test(reference)
  return toLocked(name, textOf(value, 'version') ?? '', {
    source: isPublished ? null : workspace === undefined ? reference : `the folder ${workspace}`,
    // Yarn has patches of its own, which make packages work with Plug'n'Play.
    isPatched: reference.startsWith('patch:') && !reference.includes('builtin<'),
    ...toPlatform(textOf(value, 'conditions') ?? ''),
    // Yarn adds this to what has to be compiled and does not ask for the compiler.
    isBuilt: dependencies.some(
      ([dependency, wanted]) => dependency === 'node-gyp' && /^(?:npm:)?latest$/.test(wanted),
    ),
    dependencies: dependencies.map(([dependency]) => dependency),
    optional: meta.flatMap(([dependency, more]) =>
      [true, 'true'].includes(fieldOf(more, 'optional') as string) ? [dependency] : [],
    ),
  })
}

/** `os=linux & (cpu=x64 | cpu=arm64)` */
function toPlatform(conditions: string): Pick<LockedPackage, 'os' | 'cpu' | 'libc'> {
  const all = [...conditions.matchAll(/(os|cpu|libc)=(!?\w+)/g)]
  const valuesOf = (kind: string) => all.flatMap(([, found, value]) => (found === kind ? [value!] : []))
  return { os: valuesOf('os'), cpu: valuesOf('cpu'), libc: valuesOf('libc') }
}
