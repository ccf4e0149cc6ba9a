import type { Span } from '../span.ts'
import type { Rewritten } from '../transform/edit.ts'
import type { Asset } from './assets.ts'
import type { AssetUrl } from './asset-urls.ts'
import { createProblems, type Problems } from './problems.ts'

export interface RewrittenModule extends Rewritten {
  original: string
  /** Comments of functions of other endpoints. */
  hidden: Span[]
}

/** What is learned while one bundle is put together. */
export interface Notes {
  problems: Problems
  /** Files that imports led to, absolute, and who said so. */
  files: Map<string, Set<'host' | 'engine'>>
  /** Files with functions: their text, and what it became. */
  rewritten: Map<string, RewrittenModule>
  /** Files beside the bundle by the path that they get, also those that no code that stays wants. */
  assets: Map<string, { asset: Asset; importer: string; url: AssetUrl | null }>
  /** URLs that name no file. */
  absent: { url: AssetUrl; importer: string }[]
  /** What the host answered, by specifier and importer. */
  hosted: Map<string, string | null>
}

export function createNotes(): Notes {
  return {
    problems: createProblems(),
    files: new Map(),
    rewritten: new Map(),
    assets: new Map(),
    absent: [],
    hosted: new Map(),
  }
}
