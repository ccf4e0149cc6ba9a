import type { PackageManifest } from './manifest.ts'

export type Manager = 'npm' | 'pnpm' | 'yarn' | 'bun'

/** One package as a lockfile has it. */
export interface LockedPackage {
  /** Its own name, which an alias hides. */
  name: string
  /** Exact; `null` when no registry has it. */
  version: string | null
  /** What it is instead: `packages/lib`, `git+https://…`. Without passwords. */
  source: string | null
  /** The project changes its files. */
  isPatched: boolean
  os: string[]
  cpu: string[]
  libc: string[]
  /** It is known to be compiled where it is installed. */
  isBuilt: boolean
  /** Names of what it needs, the optional ones too. */
  dependencies: string[]
  optional: string[]
}

/** From where an import is looked up. */
export interface Place {
  /** Absolute, of the importing file. */
  folder: string
  /** The `package.json` files that apply there, the nearest first. */
  manifests: PackageManifest[]
  /** The package that imports. */
  owner: PackageManifest | null
  /** The importing file is not the project's own. */
  isForeign: boolean
}

/** What a lockfile of any package manager tells. */
export interface Lockfile {
  /** The package that an import at this place leads to. */
  find(name: string, place: Place): LockedPackage | null
  /** Every package that is installed as this name anywhere. */
  all(name: string): LockedPackage[]
  /** Whether a folder is a package of the workspace; absolute. */
  isMember(folder: string): boolean
}
