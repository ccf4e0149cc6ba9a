import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError } from '@flash/protocol'

/**
 * Loads a package that the project has, or that lies beside our own code.
 *
 * - throws `BUNDLER_NOT_FOUND` when neither has it.
 */
export async function loadInstalled<T>(root: string, name: string): Promise<T> {
  const file = resolveInstalled(root, name)
  if (!file) {
    throw new AppError('BUNDLER_NOT_FOUND', {
      message: `the worker bundles are made with rollup and esbuild, and ${name} is not installed in ${root}`,
      hint: `run \`npm install --save-dev ${name}\`, or install vite, which brings a bundler of its own`,
    })
  }
  const loaded = (await import(pathToFileURL(file).href)) as { default?: T } & T
  return loaded.default ?? loaded
}

function resolveInstalled(root: string, name: string): string | undefined {
  for (const base of [pathToFileURL(join(root, 'package.json')).href, import.meta.url]) {
    try {
      return createRequire(base).resolve(name)
    } catch {
      continue
    }
  }
  return undefined
}
