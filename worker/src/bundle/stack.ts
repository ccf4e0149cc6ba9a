import { readFileSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { fileURLToPath } from 'node:url'

/**
 * Makes stacks name the author's files, by the map beside the bundle. Node's own support would have to be on before the
 * bundle is read, and so comes too late for what runs in it.
 *
 * - `bundle`: its address.
 */
export function mapStacks(bundle: string): void {
  const find = createLookUp(bundle)
  Error.prepareStackTrace = (error, sites) =>
    [headlineOf(error), ...sites.map((site) => `    at ${describe(site, bundle, find)}`)].join('\n')
}

type LookUp = (line: number, column: number) => string | undefined

function createLookUp(bundle: string): LookUp {
  let map: SourceMap | null | undefined
  return (line, column) => {
    map ??= readMap(`${fileURLToPath(bundle)}.map`)
    const entry = map?.findEntry(line - 1, column - 1)
    if (!entry || !('originalSource' in entry)) return undefined
    const file = fileURLToPath(new URL(entry.originalSource, bundle))
    return `${file}:${entry.originalLine + 1}:${entry.originalColumn + 1}`
  }
}

function readMap(file: string): SourceMap {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')))
  } catch {
    // Without it, stacks are those of the bundle.
    return new SourceMap({
      version: 3,
      file,
      sources: [],
      sourcesContent: [],
      names: [],
      mappings: '',
      sourceRoot: '',
    })
  }
}

function describe(site: NodeJS.CallSite, bundle: string, find: LookUp): string {
  const text = String(site)
  const line = site.getLineNumber()
  const column = site.getColumnNumber()
  if (site.getFileName() !== bundle || line === null || column === null) return text
  try {
    const place = find(line, column)
    return place === undefined ? text : text.replace(`${bundle}:${line}:${column}`, () => place)
  } catch {
    // A source that is no file.
    return text
  }
}

/** What is thrown may refuse to be written. */
function headlineOf(error: unknown): string {
  try {
    return String(error)
  } catch {
    return 'Error'
  }
}
