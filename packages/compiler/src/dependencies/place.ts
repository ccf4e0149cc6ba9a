import { dirname, isAbsolute, normalize, sep } from 'node:path'
import { toPosix } from '../locate.ts'
import { foldersAbove, type PackageManifest, readManifest } from './manifest.ts'
import type { Place } from './types.ts'

export interface Places {
  /** The place of a file; what is no file of the disk is in the root. */
  of(importer: string): Place
  root: Place
  /** Whether a path is below a folder that package managers fill. */
  isInstalled(path: string): boolean
}

/** Tells from where the imports of a file are looked up. Reads each folder once: it lives as long as one build. */
export function createPlaces(root: string): Places {
  const places = new Map<string, Place>()
  const isInstalled = (path: string) => {
    // The project may itself be below such a folder.
    const inside = path.startsWith(`${root}${sep}`) ? path.slice(root.length) : path
    return /\/node_modules(?:\/|$)/.test(toPosix(inside))
  }
  const placeOf = (folder: string): Place => {
    const before = places.get(folder)
    if (before) return before
    const manifests = foldersAbove(folder).flatMap((above) => readManifest(above) ?? [])
    const place = { folder, manifests, owner: ownerOf(manifests), isForeign: isInstalled(folder) }
    places.set(folder, place)
    return place
  }
  return {
    isInstalled,
    root: placeOf(root),
    of: (importer) => {
      const file = fileOf(importer)
      return placeOf(file === null ? root : dirname(file))
    },
  }
}

/** The file of a module's id: engines and plugins mark it before and behind. `null` when it has none. */
export function fileOf(id: string): string | null {
  const file = normalize(id.replace(/^\0/, '').replace(/\?.*$/s, ''))
  return isAbsolute(file) ? file : null
}

/** One without a name only says how the files beside it are read. */
function ownerOf(manifests: PackageManifest[]): PackageManifest | null {
  return manifests.find(({ name }) => name !== undefined) ?? manifests[0] ?? null
}
