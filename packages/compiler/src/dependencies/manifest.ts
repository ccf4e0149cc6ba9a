import { readFileSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fieldOf, entriesOf, textEntriesOf, textOf } from './fields.ts'

/** A `package.json`, as far as it says something about dependencies. */
export interface PackageManifest {
  /** Absolute. */
  file: string
  folder: string
  name?: string
  version?: string
  packageManager?: string
  hasExports: boolean
  /** What it asks for, by name: the range as written. */
  ranges: Map<string, string>
  /** Names it can do without. */
  optional: Set<string>
  /** All of it; foreign data. */
  data: unknown
}

const kept = new Map<string, { stamp: string; manifest: PackageManifest | null }>()

/** Reads the `package.json` of a folder; `null` when there is none, or none that can be read. Kept until it changes. */
export function readManifest(folder: string): PackageManifest | null {
  const file = join(folder, 'package.json')
  const stamp = stampOf(file)
  if (stamp === null) return null
  const before = kept.get(file)
  if (before?.stamp === stamp) return before.manifest
  const manifest = parseManifest(file, folder)
  kept.set(file, { stamp, manifest })
  return manifest
}

/** Changes when the text of a file does; `null` when there is no such file. */
export function stampOf(file: string): string | null {
  const stats = statSync(file, { throwIfNoEntry: false })
  return stats?.isFile() ? `${stats.mtimeMs} ${stats.size}` : null
}

/** The folder itself and all above it. */
export function foldersAbove(folder: string): string[] {
  const folders = [folder]
  for (let above = dirname(folder); above !== folders.at(-1); above = dirname(above)) folders.push(above)
  return folders
}

function parseManifest(file: string, folder: string): PackageManifest | null {
  try {
    const data: unknown = JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
    return { file, folder, ...toManifest(data), data }
  } catch {
    return null
  }
}

const kinds = ['peerDependencies', 'devDependencies', 'dependencies', 'optionalDependencies']

function toManifest(data: unknown): Omit<PackageManifest, 'file' | 'folder' | 'data'> {
  const peers = entriesOf(data, 'peerDependenciesMeta')
  const optionalPeers = peers.filter(([, meta]) => fieldOf(meta, 'optional') === true)
  return {
    name: textOf(data, 'name'),
    version: textOf(data, 'version'),
    packageManager: textOf(data, 'packageManager'),
    hasExports: fieldOf(data, 'exports') !== undefined,
    ranges: new Map(kinds.flatMap((kind) => textEntriesOf(data, kind))),
    optional: new Set([...optionalPeers, ...entriesOf(data, 'optionalDependencies')].map(([name]) => name)),
  }
}
