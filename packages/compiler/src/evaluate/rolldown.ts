import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { AppError } from '@flash/protocol'
import type { Rolldown } from 'vite'

const kept = new Map<string, Promise<typeof Rolldown>>()

/** The bundler of the project: the copy beside its Vite, so that there is never a second native binding. */
export function loadRolldown(root: string): Promise<typeof Rolldown> {
  const before = kept.get(root)
  if (before) return before
  const loading = import(findRolldown(root))
  kept.set(root, loading)
  return loading
}

/** As a URL. */
export function findRolldown(
  root: string,
  from = [pathToFileURL(join(root, 'package.json')).href, import.meta.url],
): string {
  for (const base of from) {
    const vite = tryResolve(base, 'vite/package.json')
    const file = (vite && tryResolve(vite, 'rolldown')) ?? tryResolve(base, 'rolldown')
    if (file) return pathToFileURL(file).href
  }
  throw new AppError('BUNDLER_NOT_FOUND', {
    message: `no bundler was found from ${root}: neither vite nor rolldown is installed`,
    hint: 'run `npm install --save-dev vite`',
  })
}

function tryResolve(base: string, specifier: string): string | undefined {
  try {
    return createRequire(base).resolve(specifier)
  } catch {
    return undefined
  }
}
