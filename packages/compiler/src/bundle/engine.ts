import type { BundleHooks } from './hooks.ts'
import type { SourceMapInput } from './source-map.ts'
import type { Defines } from './defines.ts'
import type { Tsconfigs } from './tsconfig.ts'

/** What both engines take. */
export interface EngineJob {
  root: string
  /** The module that the bundle starts with. */
  entry: string
  hooks: BundleHooks
  tsconfigs: Tsconfigs
  defines: Defines
  /** Which modules `rewrite` has to see: other text has nothing of ours. */
  words: RegExp
  /** The user's, in front of ours. */
  plugins: unknown[]
  minify: boolean
  inputOptions: Readonly<Record<string, unknown>>
}

export interface EngineBundle {
  code: string
  /** Sources as paths from `MAP_FOLDER`, or names of modules that are no files. */
  map: SourceMapInput
  /** Specifiers that it may import; some are gone from the code. */
  imports: string[]
  /** What each module came to, by id. */
  modules: { id: string; bytes: number }[]
  /** Files that were read, as far as the engine knows. */
  files: string[]
}

/** Puts one bundle together; throws what the engine throws. */
export type Engine = (job: EngineJob) => Promise<EngineBundle>

/** Node that bundles run on at least. */
export const TARGET = 'node20.19'

/** Endings that an import may leave out, in Vite's order. */
export const EXTENSIONS = ['.mjs', '.js', '.mts', '.ts', '.jsx', '.tsx', '.json']

/** Where both engines think that they write: maps name their sources from there. */
export const MAP_FOLDER = '.flash/build/bundle'
