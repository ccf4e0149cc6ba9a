import { MagicString, type SourceMap } from 'magic-string'
import { type Graph, readGraph } from '../graph.ts'
import type { ParsedModule } from '../parse.ts'
import type { FoundFunction, ModuleAnalysis } from '../types.ts'

export interface Rewritten {
  code: string
  map: SourceMap
}

/** One module on its way into one role. */
export interface Edit {
  analysis: ModuleAnalysis
  parsed: ParsedModule
  graph: Graph
  text: MagicString
  /** `imported` → name it has in the output, per module. */
  imports: Map<string, Map<string, string>>
  /** Statements behind the imports. */
  prelude: string[]
}

export function createEdit(analysis: ModuleAnalysis): Edit {
  const { parsed } = analysis
  const text = new MagicString(parsed.code)
  return { analysis, parsed, graph: readGraph(parsed), text, imports: new Map(), prelude: [] }
}

/** A name of ours that the module does not contain. */
export function freshName({ parsed }: Edit, wanted: string): string {
  let name = wanted
  while (parsed.code.includes(name)) name += '_'
  return name
}

/** The name under which an import of ours is used; the import is written by `finish`. */
export function useImport(edit: Edit, source: string, imported: string, wanted: string): string {
  const names = edit.imports.get(source) ?? new Map<string, string>()
  edit.imports.set(source, names)
  const name = names.get(imported) ?? freshName(edit, wanted)
  names.set(imported, name)
  return name
}

/** Adds imports and prelude behind the directives, and makes code and map. */
export function finish(edit: Edit, options: { sources: 'original' | 'emitted' }): Rewritten {
  const { text, parsed } = edit
  const imports = [...edit.imports].map(([source, names]) => {
    const specifiers = [...names].map(([imported, name]) => `${imported} as ${name}`).join(', ')
    return `import { ${specifiers} } from '${source}'`
  })
  const head = [...imports, ...edit.prelude].map((line) => `${line};\n`).join('')
  if (head) text.appendLeft(bodyStart(parsed), head)
  const code = text.toString()
  const map = text.generateMap({
    source: parsed.file,
    includeContent: options.sources === 'original',
    hires: 'boundary',
  })
  // The text of the module itself would give the bodies to whoever opens the map.
  if (options.sources === 'emitted') map.sourcesContent = [code]
  return { code, map }
}

/** Where the first statement begins that is no directive. */
function bodyStart({ program }: ParsedModule): number {
  const first = program.body.find((statement) => !('directive' in statement && statement.directive))
  return first?.start ?? program.end
}

export function factOf({ analysis }: Edit, { id, exportPath }: FoundFunction) {
  const fact = analysis.facts.find((candidate) => candidate.id === id)
  if (!fact) throw new Error(`no facts for ${exportPath} in ${analysis.parsed.file}`)
  return fact
}
