/** A place in the user's source: `file` is relative to the project root with `/`, lines and columns count from 1. */
export interface SourcePosition {
  file: string
  line: number
  column: number
}

export interface ParamFact {
  name: string
  kind: 'plain' | 'rest' | 'pattern'
  optional: boolean
}

/** One thing a caller can name: the function itself, or one public method of a class. */
export interface CallableFact {
  name: string
  kind: 'function' | 'generator'
  /** `null` when the names cannot be known from the source. */
  params: ParamFact[] | null
}

/** What reading the source tells about one `remote()` call. */
export interface FunctionFact {
  /** 16 characters: base32 of sha256 over package, path and export path. Never contains the name. */
  id: string
  package: string
  /** From the package root, with `/`. */
  path: string
  /** Absolute, on this machine; never leaves it. */
  file: string
  /** `{file_prefix}` of the routes. */
  prefix: string
  /** `read`, `default`, `models.small`. */
  exportPath: string
  exported: boolean
  kind: 'function' | 'generator' | 'class'
  /** One for a function; one per public method for a class. */
  callables: CallableFact[]
  constructorParams: ParamFact[] | null
  /** Functions with the same key share one state; `null` without `setup`. */
  setup: string | null
  hasInput: boolean
  hasOutput: boolean
  endpoint: string
  at: SourcePosition
}
