import type * as Esbuild from 'esbuild'
import { MagicString } from 'magic-string'
import { isInstalled } from '../locate.ts'
import type { Defines } from './defines.ts'
import { TARGET } from './engine.ts'
import { DIRNAME, FILENAME } from './head.ts'
import { isFile } from './files.ts'
import type { Edited } from './hooks.ts'
import { splitQuery } from './specifier.ts'
import type { Tsconfigs } from './tsconfig.ts'

export interface Compiler {
  /** JavaScript without types, JSX, defined names and comments; `null` for a package's module without any of these but the last. */
  compile(code: string, id: string): Promise<Edited | null>
  /** What could not be said to the compiler itself. */
  fillIn(code: string, id: string): Edited | null
}

export interface CompilerOptions {
  root: string
  esbuild: typeof Esbuild
  defines: Defines
  tsconfigs: Tsconfigs
}

/** TypeScript, JSX and definitions for the engine that does none of that by itself. */
export function createCompiler({ root, esbuild, defines, tsconfigs }: CompilerOptions): Compiler {
  const { direct, marked } = toEsbuildDefines(defines)
  const mentioned = mentionTest(Object.keys(direct))
  return {
    async compile(code, id) {
      const loader = loaderOf(id)
      if (loader === 'js' && (isInstalled(root, id) || !isFile(id)) && !mentioned.test(code)) return null
      const [file] = splitQuery(id)
      const compilerOptions = tsconfigs.compilerOptions(file)
      const result = await esbuild.transform(code, {
        loader,
        sourcefile: file,
        sourcemap: 'external',
        target: TARGET,
        charset: 'utf8',
        logLevel: 'silent',
        define: direct,
        tsconfigRaw: { compilerOptions },
        ...(!('jsx' in compilerOptions) && { jsx: 'automatic' as const }),
      })
      return { code: result.code, map: JSON.parse(result.map) as Edited['map'] }
    },
    fillIn(code, id) {
      const text = new MagicString(code)
      for (const { index, 0: marker } of code.matchAll(/\b__flash_define_\d+_\b/g))
        if (marked.has(marker)) text.overwrite(index, index + marker.length, `(${marked.get(marker)})`)
      return text.hasChanged()
        ? { code: text.toString(), map: text.generateMap({ source: id, hires: 'boundary' }) }
        : null
    },
  }
}

type Loader = 'js' | 'jsx' | 'ts' | 'tsx'

const loaders: Record<string, Loader> = {
  jsx: 'jsx',
  ts: 'ts',
  mts: 'ts',
  cts: 'ts',
  tsx: 'tsx',
}

/** By `lang.` in the query, which single-file components have, else by the ending; what plugins make is JavaScript. */
function loaderOf(id: string): Loader {
  const [file, query] = splitQuery(id)
  const ending = /[?&]lang[.=](\w+)/.exec(query)?.[1] ?? /\.(\w+)$/.exec(file)?.[1]
  return loaders[ending ?? 'js'] ?? 'js'
}

/** The compiler takes texts, numbers and names; other expressions are filled in afterwards. */
function toEsbuildDefines(defines: Defines) {
  const direct: Record<string, string> = { __dirname: DIRNAME, __filename: FILENAME }
  const marked = new Map<string, string>()
  for (const [key, expression] of Object.entries(defines)) {
    if (key.endsWith('.*')) continue
    if (isTaken(expression)) {
      direct[key] = expression
      continue
    }
    const marker = `__flash_define_${marked.size}_`
    marked.set(marker, expression)
    direct[key] = marker
  }
  return { direct, marked }
}

/** Of an object it would make a variable, with a source of its own in the map. */
function isTaken(expression: string): boolean {
  if (/^[A-Za-z_$][\w$]*(?:\.[A-Za-z_$][\w$]*)*$/.test(expression)) return true
  try {
    const value: unknown = JSON.parse(expression)
    return typeof value !== 'object' || value === null
  } catch {
    return false
  }
}

function mentionTest(keys: string[]): RegExp {
  const roots = keys.map((key) => /^import\.meta\.\w+|^[^.]+/.exec(key)![0].replace(/[^\w]/g, '\\$&'))
  return new RegExp(`(?<![\\w$])(?:${[...new Set(roots)].join('|')})(?![\\w$])`)
}
