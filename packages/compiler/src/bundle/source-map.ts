/** A source map, as plugins return and engines make it. */
export interface SourceMapInput {
  sources?: (string | null)[]
  names?: string[]
  mappings: string
}
