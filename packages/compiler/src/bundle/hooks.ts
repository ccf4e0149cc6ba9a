import type { SourceMapInput } from './source-map.ts'

export interface Resolved {
  id: string
  external?: boolean
  [key: string]: unknown
}

export interface ImportRequest {
  specifier: string
  /** Absolute or a plugin's own name; `undefined` for the program itself. */
  importer: string | undefined
  kind: 'import' | 'dynamic' | 'require'
}

/** What the engine and the plugins behind ours make of a specifier. */
export type ResolveNext = (specifier: string, importer: string | undefined) => Promise<Resolved | null>

export interface Edited {
  code: string
  map: SourceMapInput
}

/** What both engines ask while they put one bundle together; `null` everywhere: as the engine does it by itself. */
export interface BundleHooks {
  resolve(request: ImportRequest, next: ResolveNext): Promise<Resolved | null>
  load(id: string): Promise<Loaded | null>
  /** Before any plugin has changed the text. */
  rewrite(code: string, id: string): Promise<Edited | null>
  /** Behind the plugins of the user. */
  placeAssets(code: string, id: string): Promise<Edited | null>
  /** Notes an error of ours and ends the bundle; throws any other again. */
  fail(error: unknown): never
}

export interface Loaded {
  code: string
  /** An empty map: the text is no source of anybody's. */
  map?: { mappings: '' }
  /** Any name may be imported from it. */
  open?: boolean
}
