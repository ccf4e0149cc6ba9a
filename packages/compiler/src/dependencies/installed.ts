import { realpathSync, statSync } from 'node:fs'
import Module from 'node:module'
import { join } from 'node:path'
import { foldersAbove } from './manifest.ts'

/**
 * The folder of the package that an import from `folder` leads to, links followed; `null` when it is not installed.
 *
 * The same look-up as Node's, Yarn's Plug'n'Play included.
 */
export function findInstalled(name: string, folder: string): string | null {
  const plugged = findPlugged(name, folder)
  if (plugged !== undefined) return plugged
  for (const above of foldersAbove(folder)) {
    const found = join(above, 'node_modules', name)
    if (statSync(found, { throwIfNoEntry: false })?.isDirectory()) return realpathSync(found)
  }
  return null
}

interface PlugAndPlay {
  /** Throws for what is not installed, or not declared. */
  resolveToUnqualified(name: string, issuer: string, options: { considerBuiltins: boolean }): string | null
}

/** `undefined` where packages are in `node_modules`. */
function findPlugged(name: string, folder: string): string | null | undefined {
  // Yarn puts it on the object itself, and only in processes that it starts.
  const { findPnpApi } = Module as unknown as { findPnpApi?: (path: string) => PlugAndPlay | null }
  const api = findPnpApi?.(join(folder, '/'))
  if (!api) return undefined
  try {
    return api.resolveToUnqualified(name, join(folder, '/'), { considerBuiltins: false })
  } catch {
    return null
  }
}
