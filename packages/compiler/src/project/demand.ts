import type { FunctionFact } from '@flash/protocol'
import { type EcmaScriptModule, parseSync } from 'oxc-parser'
import { rewriteModule } from '../transform/rewrite.ts'
import type { CompilerHost, Demanded, ModuleAnalysis } from '../types.ts'

/** What the modules of one worker import from files with functions, by file; `*` is everything. */
export type Demand = Map<string, Demanded>

export interface DemandOptions {
  host: CompilerHost
  /** The analysis of a file with functions. */
  analysisOf(file: string): ModuleAnalysis | null
  keeps(fact: FunctionFact): boolean
  /** Files that the worker loads to get its functions. */
  entries: string[]
}

/** Modules that import nothing of ours, by text: most stay as they are between two edits. */
const read = new Map<string, { code: string; wanted: Wanted[] }>()
const KEPT = 5_000

interface Wanted {
  source: string
  name: string
}

/**
 * Follows the imports of a worker from its functions on.
 * A file with functions is compiled to what its worker needs, so somebody has to know what else of it is asked for.
 */
export async function findDemand({ host, analysisOf, keeps, entries }: DemandOptions): Promise<Demand> {
  const demand: Demand = new Map()
  const queue = new Set(entries)
  for (const file of queue) {
    const analysis = analysisOf(file)
    const code = analysis
      ? rewriteModule(analysis, { kind: 'worker', keeps, demanded: demand.get(file) }).code
      : await host.load(file)
    for (const { source, name } of code === null ? [] : wantedBy(file, code)) {
      const target = await host.resolve(source, file)
      if (target === null || !/\.[cm]?[jt]sx?$/.test(target)) continue
      const grew = analysisOf(target) !== null && addName(demand, target, name)
      // A file whose demand grew is read again: more of it stays, and that may import more.
      if (grew) queue.delete(target)
      queue.add(target)
    }
  }
  return demand
}

function addName(demand: Demand, file: string, name: string): boolean {
  const names = demand.get(file)
  if (names?.has(name) || names?.has('*')) return false
  demand.set(file, new Set([...(names ?? []), name]))
  return true
}

function wantedBy(file: string, code: string): Wanted[] {
  const before = read.get(file)
  if (before?.code === code) return before.wanted
  const wanted = readImports(code, parseSync(file, code).module)
  read.delete(file)
  read.set(file, { code, wanted })
  if (read.size > KEPT) read.delete(read.keys().next().value!)
  return wanted
}

/** The import list alone: cheaper than the tree, and all that is needed. */
function readImports(
  code: string,
  { staticImports, staticExports, dynamicImports }: EcmaScriptModule,
): Wanted[] {
  const imported = staticImports.flatMap(({ moduleRequest, entries }) =>
    entries.length === 0
      ? [{ source: moduleRequest.value, name: '' }]
      : entries
          .filter(({ isType }) => !isType)
          .map(({ importName }) => ({ source: moduleRequest.value, name: nameOf(importName) })),
  )
  const exported = staticExports.flatMap(({ entries }) =>
    entries.flatMap(({ moduleRequest, importName, isType }) =>
      moduleRequest && !isType ? [{ source: moduleRequest.value, name: nameOf(importName) }] : [],
    ),
  )
  const dynamic = dynamicImports.flatMap(({ moduleRequest: { start, end } }) => {
    const text = /^(['"`])([^'"`$]+)\1$/.exec(code.slice(start, end))
    return text ? [{ source: text[2]!, name: '*' }] : []
  })
  return [...imported, ...exported, ...dynamic]
}

function nameOf({ kind, name }: { kind: string; name: string | null }): string {
  if (kind === 'Default') return 'default'
  return kind === 'Name' ? name! : '*'
}

/** Files of which one worker wants something else than before. */
export function compareDemand(before: Demand, after: Demand): string[] {
  const show = (names: Demanded | undefined) => [...(names ?? [])].sort().join()
  return [...new Set([...before.keys(), ...after.keys()])].filter(
    (file) => show(before.get(file)) !== show(after.get(file)),
  )
}
