import { readFileSync } from 'node:fs'
import { dirname, join, relative, sep } from 'node:path'
import { filePrefix } from './names.ts'
import type { CompilerHost } from './types.ts'

/** `/` whatever the system: what modules, maps and messages use. */
export function toPosix(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/')
}

export interface Locator {
  locate: CompilerHost['locate']
  /** A `package.json` has come, changed or gone. */
  forget(): void
}

/** Tells the package of a file and its path there, from the nearest `package.json` that has a name. */
export function createLocator(root: string): Locator {
  const owners = new Map<string, Owner | null>()
  const ownerOf = (folder: string): Owner | null => {
    const before = owners.get(folder)
    if (before !== undefined) return before
    const above = dirname(folder)
    const owner = readOwner(folder) ?? (above === folder ? null : ownerOf(above))
    owners.set(folder, owner)
    return owner
  }
  return {
    forget: () => owners.clear(),
    locate(file) {
      const own = ownerOf(root)
      const owner = ownerOf(dirname(file)) ?? own
      const rootPath = toPosix(relative(root, file))
      const isInside = !rootPath.startsWith('../')
      if (!owner) {
        const prefix = filePrefix({ path: rootPath.replace(/^(?:\.\.\/)+/, '') })
        return { package: '', path: rootPath, prefix, rootPath }
      }
      const path = toPosix(relative(owner.folder, file))
      const isOwn = isInside && owner.folder === own?.folder
      const prefix = filePrefix(isOwn ? { path: rootPath } : { path, package: owner.name })
      return { package: owner.name, path, prefix, rootPath }
    },
  }
}

interface Owner {
  folder: string
  name: string
}

/** `null` when the folder has no package, or one without a name, which only says how its files are read. */
function readOwner(folder: string): Owner | null {
  try {
    const { name } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { name?: unknown }
    return typeof name === 'string' && name !== '' ? { folder, name } : null
  } catch {
    return null
  }
}
