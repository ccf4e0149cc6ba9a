import { readFile } from 'node:fs/promises'
import { relative } from 'node:path'
import type { PluginContext } from '../context.ts'

/** What a bundler tells about its modules. */
export interface ModuleGraph {
  getModuleInfo(id: string): {
    code?: string | null
    importers: readonly string[]
    dynamicImporters: readonly string[]
  } | null
}

/**
 * How a module came into the build: from the first module to it, a line for each import.
 *
 * `src/main.ts:3 imports src/helper.ts`
 */
export async function describeChain(
  context: PluginContext,
  graph: ModuleGraph,
  module: string,
): Promise<string[]> {
  const chain = findChain(graph, module)
  const lines: string[] = []
  for (let at = 1; at < chain.length; at++) {
    const [importer, imported] = [chain[at - 1]!, chain[at]!]
    const line = await findImportLine(context, importer, imported)
    lines.push(`${show(context, importer)}${line ? `:${line}` : ''} imports ${show(context, imported)}`)
  }
  return lines
}

/** The shortest way from a module that nothing imports. */
function findChain(graph: ModuleGraph, module: string): string[] {
  const from = new Map<string, string | null>([[module, null]])
  for (const id of from.keys()) {
    const info = graph.getModuleInfo(id)
    const importers = [...(info?.importers ?? []), ...(info?.dynamicImporters ?? [])]
    if (importers.length === 0) return unwind(from, id)
    for (const importer of importers) if (!from.has(importer)) from.set(importer, id)
  }
  // Modules that import each other in a circle, with an entry among them.
  return unwind(from, [...from.keys()].at(-1)!)
}

function unwind(from: Map<string, string | null>, start: string): string[] {
  const chain: string[] = []
  for (let id: string | null | undefined = start; id; id = from.get(id)) chain.push(id)
  return chain
}

async function findImportLine(
  { resolve }: PluginContext,
  importer: string,
  imported: string,
): Promise<number | null> {
  const file = withoutQuery(importer)
  const code = await readFile(file, 'utf8').catch(() => '')
  for (const match of code.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*(['"])(.+?)\1/g)) {
    const specifier = withoutQuery(match[2]!)
    if ((await resolve(specifier, file)) === withoutQuery(imported))
      return code.slice(0, match.index).split('\n').length
  }
  return null
}

function show({ root }: PluginContext, id: string): string {
  return id.startsWith(`${root}/`) ? relative(root, id) : id.replace(/^\0/, '')
}

function withoutQuery(id: string): string {
  return id.replace(/\?.*$/, '')
}
