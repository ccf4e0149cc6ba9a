import { readFileSync } from 'node:fs'
import { dirname, isAbsolute, join, normalize, relative, sep } from 'node:path'
import { filePrefix } from './names.ts'
import { withoutQuery } from './parse.ts'
import type { CompilerHost } from './types.ts'

/** `/` whatever the system: what modules, maps and messages use. */
export function toPosix(path: string): string {
  return sep === '/' ? path : path.replaceAll(sep, '/')
}

/** Whether a path is below a folder that package managers fill; the project may itself be below one. */
export function isInstalled(root: string, path: string): boolean {
  const whole = toPosix(path)
  const inside = whole.startsWith(`${toPosix(root)}/`) ? whole.slice(root.length) : whole
  return /\/node_modules(?:\/|$)/.test(inside)
}

/** The file of a module's id, which engines and plugins mark before and behind: `\0/a.js?commonjs-proxy`. `null` when it has none. */
export function fileOf(id: string): string | null {
  const file = normalize(withoutQuery(id.replace(/^\0/, '')))
  return isAbsolute(file) ? toPosix(file) : null
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
