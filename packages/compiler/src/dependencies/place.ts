import { dirname } from 'node:path'
import { fileOf, isInstalled } from '../locate.ts'
import { foldersAbove, type PackageManifest, readManifest } from './manifest.ts'
import type { Place } from './types.ts'

export interface Places {
  /** The place of a file; what is no file of the disk is in the root. */
  of(importer: string): Place
  root: Place
}

/** Tells from where the imports of a file are looked up. Reads each folder once: it lives as long as one build. */
export function createPlaces(root: string): Places {
  const places = new Map<string, Place>()
  const placeOf = (folder: string): Place => {
    const before = places.get(folder)
    if (before) return before
    const manifests = foldersAbove(folder).flatMap((above) => readManifest(above) ?? [])
    const place = { folder, manifests, owner: ownerOf(manifests), isForeign: isInstalled(root, folder) }
    places.set(folder, place)
    return place
  }
  return {
    root: placeOf(root),
    of: (importer) => {
      const file = fileOf(importer)
      return placeOf(file === null ? root : dirname(file))
    },
  }
}

/** One without a name only says how the files beside it are read. */
function ownerOf(manifests: PackageManifest[]): PackageManifest | null {
  return manifests.find(({ name }) => name !== undefined) ?? manifests[0] ?? null
}
