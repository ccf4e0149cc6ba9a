import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError } from '@flash/protocol'
import { packageName } from '../follow.ts'
import { toPosix } from '../locate.ts'

/** Where our own modules are that go into bundles. */
export interface OwnModules {
  /** The file of `unplugin-flash` or `unplugin-flash/…`; `null` for any other specifier. */
  resolve(specifier: string): string | null
  /** What sets something up when it is loaded. */
  isRuntime(specifier: string): boolean
  includes(file: string): boolean
  /** Path below our package: `dist/client.mjs`. */
  pathOf(file: string): string
}

/** The copy that the project has, else the one that this code belongs to. */
export function findOwnModules(root: string): OwnModules {
  const bases = [pathToFileURL(join(root, 'package.json')).href, import.meta.url]
  const known = new Map<string, string>()
  const find = (specifier: string) => {
    const file = known.get(specifier) ?? toPosix(resolveFrom(bases, specifier))
    known.set(specifier, file)
    return file
  }
  const runtime = `${packageName}/internal/bundle`
  const folder = `${findFolder(find(runtime))}/`
  return {
    resolve: (specifier) =>
      specifier === packageName || specifier.startsWith(`${packageName}/`) ? find(specifier) : null,
    isRuntime: (specifier) => specifier === runtime,
    includes: (file) => file.startsWith(folder),
    pathOf: (file) => file.slice(folder.length),
  }
}

function resolveFrom(bases: string[], specifier: string): string {
  for (const base of bases) {
    try {
      return createRequire(base).resolve(specifier)
    } catch {
      continue
    }
  }
  throw new AppError('DEPENDENCY_NOT_INSTALLED', {
    message: `the worker bundles need ${JSON.stringify(specifier)}, which is not installed`,
    hint: 'install one version of unplugin-flash: `npm install unplugin-flash`',
  })
}

function findFolder(file: string): string {
  let folder = dirname(file)
  while (!existsSync(join(folder, 'package.json')) && dirname(folder) !== folder) folder = dirname(folder)
  return folder
}
