import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { AppError } from '@flash/protocol'
import {
  createFilesMatcher,
  createPathsMatcher,
  getTsconfig,
  parseTsconfig,
  type TsConfigResult,
} from 'get-tsconfig'
import { toPosix } from '../locate.ts'

/** What the TypeScript configuration of a file says. Throws `MODULE_FAILED` where it cannot be read. */
export interface Tsconfigs {
  /** Where `paths` lets a specifier lead, the most special first. */
  candidates(specifier: string, importer: string): string[]
  /** What says how the file is compiled. */
  compilerOptions(file: string): Record<string, unknown>
  /** Which configuration that is, and all that it says of compiling, as text; `null` for none, or a broken one. */
  settings(file: string): { file: string; text: string } | null
}

const relevant = [
  'alwaysStrict',
  'experimentalDecorators',
  'importsNotUsedAsValues',
  'jsx',
  'jsxFactory',
  'jsxFragmentFactory',
  'jsxImportSource',
  'preserveValueImports',
  'strict',
  'target',
  'useDefineForClassFields',
  'verbatimModuleSyntax',
] as const

export function createTsconfigs(): Tsconfigs {
  const cache = new Map()
  const byFile = new Map<string, TsConfigResult | null>()
  const matchers = new Map<string, ReturnType<typeof createPathsMatcher>>()
  const find = (file: string) => {
    const before = byFile.get(file)
    if (before !== undefined) return before
    const found = findConfig(file, cache)
    byFile.set(file, found)
    return found
  }
  const optionsOf = (file: string): Record<string, unknown> => find(file)?.config.compilerOptions ?? {}
  return {
    candidates(specifier, importer) {
      const config = find(importer)
      if (!config) return []
      const matcher = matchers.has(config.path) ? matchers.get(config.path)! : createPathsMatcher(config)
      matchers.set(config.path, matcher)
      return (matcher?.(specifier) ?? []).map(toPosix)
    },
    compilerOptions(file) {
      const options = optionsOf(file)
      return Object.fromEntries(
        relevant.filter((name) => name in options).map((name) => [name, options[name]]),
      )
    },
    settings(file) {
      try {
        const config = find(file)
        return config && { file: toPosix(config.path), text: JSON.stringify(optionsOf(file)) }
      } catch {
        return null
      }
    },
  }
}

function findConfig(file: string, cache: Map<string, unknown>): TsConfigResult | null {
  const found = readConfig(file, () => getTsconfig(file, 'tsconfig.json', cache))
  // A configuration with references says nothing by itself: each of those is for files of its own.
  for (const { path } of found?.config.references ?? []) {
    const referred = toConfigFile(resolve(dirname(found!.path), path))
    const config = readConfig(referred, () => parseTsconfig(referred, cache as Map<string, string>))
    const result = { path: referred, config }
    if (createFilesMatcher(result)(file)) return result
  }
  return found
}

function toConfigFile(path: string): string {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ? join(path, 'tsconfig.json') : path
}

function readConfig<T>(file: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw new AppError('MODULE_FAILED', {
      message: `the TypeScript configuration for ${file} cannot be read: ${(error as Error).message}`,
      hint: 'correct the file',
      cause: error,
    })
  }
}
