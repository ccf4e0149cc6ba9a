import { runsInServer } from '@flash/protocol'
import { isExport } from '../exported.ts'
import type { Unit } from '../graph.ts'
import type { ParsedModule } from '../parse.ts'
import { type Span, spanTest } from '../span.ts'
import type { FoundApi, FoundClient, FoundFunction, ModuleAnalysis, Role } from '../types.ts'
import { calleeSpan, createDefine } from './define.ts'
import { createEdit, type Edit, factOf, finish, type Rewritten } from './edit.ts'
import { findFlow } from './flow.ts'
import { findOrphans } from './prune.ts'
import { removeUnits } from './remove.ts'
import { clientOfNothing, clientStub, serverStub } from './stub.ts'

type FoundCall = FoundFunction | FoundClient | FoundApi
type AppRole = Extract<Role, { kind: 'client' | 'server' }>

/**
 * Roles `client` and `server`: calls become stubs, and what only the bodies used goes with them. Routes of the server of the app
 * stay in role `server`, with their endpoint.
 */
export function rewriteApp(analysis: ModuleAnalysis, role: AppRole): Rewritten {
  const edit = createEdit(analysis)
  const { gone, kept, apis } = divide(analysis, role)
  const calls = [...gone.map(({ call }) => call), ...apis.map(calleeSpan)]
  // Other modules of a worker take configs with their code from here in role `server`.
  const configs = role.kind === 'client' ? findExportedConfigs(edit, calls) : []
  const orphans = findOrphans(edit.graph, spanTest([...calls, ...configs]))
  for (const unit of findStatements(edit, kept)) orphans.add(unit)
  removeUnits(edit, (unit) => orphans.has(unit))
  for (const { start, end } of configs) edit.text.overwrite(start, end, '{}')
  for (const one of gone) {
    const unit = edit.graph.unitAt(one.call.start)
    if (unit && orphans.has(unit)) continue
    edit.text.overwrite(
      one.call.start,
      one.call.end,
      'kind' in one ? stubOf(edit, one, role) : clientOfNothing(edit),
    )
  }
  if (kept.length > 0) keepRoutes(edit, kept, apis)
  return finish(edit, { sources: role.kind === 'client' ? 'emitted' : 'original' })
}

/** What goes, and what stays: routes of the server of the app, with what they are made with. */
function divide(analysis: ModuleAnalysis, { kind }: AppRole) {
  const { functions } = analysis
  const kept = kind === 'server' ? functions.filter(runsInServer) : []
  const apis = [...new Set(kept.map((found) => found.api!))]
  const gone: FoundCall[] = [
    ...functions.filter((found) => !kept.includes(found)),
    ...(kind === 'client' ? outerClients(analysis) : []),
    ...analysis.apis.filter((api) => !apis.includes(api)),
  ]
  return { gone, kept, apis }
}

function keepRoutes(edit: Edit, kept: FoundFunction[], apis: FoundApi[]): void {
  const { define, defineApi } = createDefine(edit, 'unplugin-flash/internal/app', 'app')
  for (const found of kept) {
    const { endpoint, setup } = factOf(edit, found)
    define(found, JSON.stringify({ endpoint, setup }))
  }
  for (const api of apis) defineApi(api)
}

/** Routes that nobody can call from code. */
function findStatements({ graph, analysis }: Edit, kept: FoundFunction[]): Unit[] {
  const gone = analysis.functions.filter((found) => !kept.includes(found))
  const units = gone.flatMap(({ call }) => graph.unitAt(call.start) ?? [])
  return units.filter(({ kind }) => kind === 'effect')
}

/** Clients inside a function that only runs on a worker go with it. */
function outerClients({ functions, clients }: ModuleAnalysis): FoundClient[] {
  const isInside = spanTest(functions.map(({ call }) => call))
  return clients.filter(({ call }) => !isInside(call.start))
}

function stubOf(edit: Edit, found: FoundFunction, role: AppRole): string {
  return role.kind === 'client'
    ? clientStub(edit, found, role.tag(found.id))
    : serverStub(edit, found, { in: 'app', root: role.root })
}

/**
 * Values of exported constants that are configs and that the page's part of the module does not read itself.
 *
 * The export stays for barrels that name it. Its value would take `setup` and schemas to the browser, with all they import.
 */
function findExportedConfigs({ analysis, parsed, graph }: Edit, calls: Span[]): Span[] {
  const configs = [...analysis.functions, ...analysis.clients, ...analysis.apis].map(({ config }) => config)
  const candidates = new Map<string, Span>()
  for (const node of findFlow(parsed, configs)) {
    const binding = node.type === 'Identifier' ? parsed.bindings.get(node.name) : undefined
    if (binding?.kind === 'const' && binding.init && isExported(parsed, binding.name))
      candidates.set(binding.name, binding.init)
  }
  const uses = graph.units.flatMap((unit) => unit.uses)
  for (;;) {
    const isGone = spanTest([...calls, ...candidates.values()])
    const read = uses.filter(
      (use) => candidates.has(use.name) && !isGone(use.start) && !use.type && !isExport(use),
    )
    if (read.length === 0) return [...candidates.values()]
    for (const { name } of read) candidates.delete(name)
  }
}

function isExported({ exports }: ParsedModule, name: string): boolean {
  return [...exports.values()].some((found) => found.kind === 'local' && found.local === name)
}
