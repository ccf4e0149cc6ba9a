import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { ManifestExternal } from '@flash/protocol'

/** The packages that a file in `folder` could not import, because they are in no `node_modules` from there upwards. */
export function findMissingPackages(
  folder: string,
  externals: readonly ManifestExternal[],
): ManifestExternal[] {
  return externals.filter(({ name }) => !isInstalled(folder, name))
}

function isInstalled(from: string, name: string): boolean {
  let folder = from
  for (;;) {
    if (existsSync(join(folder, 'node_modules', name))) return true
    const above = dirname(folder)
    if (above === folder) return false
    folder = above
  }
}
