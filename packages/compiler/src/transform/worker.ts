import { isBalanced, runsInServer } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import { nameOf } from '../bindings.ts'
import { isExport } from '../exported.ts'
import type { Graph, Unit } from '../graph.ts'
import { peel } from '../parse.ts'
import { spanTest } from '../span.ts'
import type { Demanded, FoundApi, FoundFunction, ModuleAnalysis, Role } from '../types.ts'
import { calleeSpan, createDefine, writtenAnew } from './define.ts'
import { createEdit, type Edit, factOf, finish, type Rewritten } from './edit.ts'
import { findSlice } from './prune.ts'
import { removeUnits } from './remove.ts'
import { calledStub, clientOfNothing, serverStub } from './stub.ts'

/** Role `worker`: kept functions register themselves, others become stubs, and nothing else of the module runs. */
export function rewriteWorker(analysis: ModuleAnalysis, role: Extract<Role, { kind: 'worker' }>): Rewritten {
  const edit = createEdit(analysis)
  const { graph } = edit
  const isKept = (found: FoundFunction) => !runsInServer(found) && role.keeps(factOf(edit, found))
  const kept = analysis.functions.filter(isKept)
  const apis = new Set(kept.map(({ api }) => api))
  const unitOf = ({ call }: FoundFunction | FoundApi) => graph.unitAt(call.start)!
  const holders = new Set([...analysis.functions, ...analysis.apis].map(unitOf))
  const isCut = spanTest([
    ...analysis.functions.flatMap((found) => (isKept(found) ? writtenAnew(found) : [found.call])),
    ...analysis.apis.map((api) => (apis.has(api) ? calleeSpan(api) : api.call)),
  ])
  const roots = [...kept.map(unitOf), ...findDemanded(graph, role.demanded)]
  const live = findSlice(graph, roots, isCut, (unit) => holders.has(unit))
  removeUnits(edit, (unit) => !live.has(unit))
  const { define, register, defineApi } = createDefiners(edit)
  const { calling } = role
  const stubOf = (found: FoundFunction) =>
    calling && !runsInServer(found) ? calledStub(edit, found, calling) : serverStub(edit, found)
  const isOnlyKnown = (found: FoundFunction) =>
    role.lean && !isBalanced(found) && !isUsed(edit, live, unitOf(found), role.demanded)
  for (const found of analysis.functions) {
    if (isKept(found)) (isOnlyKnown(found) ? register : define)(found)
    else if (live.has(unitOf(found))) edit.text.overwrite(found.call.start, found.call.end, stubOf(found))
  }
  for (const api of analysis.apis) {
    if (apis.has(api)) defineApi(api)
    else if (live.has(unitOf(api))) edit.text.overwrite(api.call.start, api.call.end, clientOfNothing(edit))
  }
  markClients(edit, (unit) => live.has(unit))
  return finish(edit, { sources: 'original' })
}

/** Lets bundlers leave out clients that nobody uses: making one does nothing else. */
export function markClients({ analysis, parsed, graph, text }: Edit, isLeft: (unit: Unit) => boolean): void {
  const made = new Set<Node>()
  for (const binding of parsed.bindings.values())
    if (binding.kind === 'const' && binding.init) made.add(peel(binding.init))
  for (const { call } of analysis.clients)
    if (made.has(call) && isLeft(graph.unitAt(call.start)!)) text.appendRight(call.start, '/* @__PURE__ */ ')
}

/** Whether code of the worker itself calls what the unit declares; the functions of a bundle are called from outside. */
function isUsed({ graph }: Edit, live: Set<Unit>, declaring: Unit, demanded: Demanded = new Set()): boolean {
  if (demanded.has('*') || findDemanded(graph, demanded).some((unit) => leadsTo(unit, declaring))) return true
  const uses = [...live].flatMap((unit) => unit.uses)
  return uses.some((use) => !use.type && declaring.names.includes(use.name) && !isExport(use))
}

/** Whether a unit that gives an export gives what the other one declares. */
function leadsTo(unit: Unit, declaring: Unit): boolean {
  return unit === declaring || unit.uses.some(({ name }) => declaring.names.includes(name))
}

/** What gives the exports that other modules of the worker import. */
function findDemanded({ units }: Graph, demanded: Demanded = new Set()): Unit[] {
  if (demanded.size === 0) return []
  const isAll = demanded.has('*')
  const giving = units.filter((unit) => exportedNames(unit).some((name) => isAll || demanded.has(name)))
  const given = new Set(giving.flatMap(exportedNames))
  // A name that is not here comes out of one of the modules that are passed on whole.
  const isComplete = !isAll && [...demanded].every((name) => name === '' || given.has(name))
  return isComplete ? giving : [...giving, ...units.filter(passesAll)]
}

function passesAll({ node }: Unit): boolean {
  return node.type === 'ExportAllDeclaration' && node.exported === null
}

function exportedNames({ kind, node, statement, names, exported }: Unit): string[] {
  if (kind === 'type') return []
  if (node.type === 'ExportSpecifier' || node.type === 'ExportAllDeclaration')
    return node.exported ? [nameOf(node.exported)] : []
  if (statement.type === 'ExportDefaultDeclaration') return ['default']
  return exported ? names : []
}

/** Role `local`: everything stays as it is, and the functions register themselves with their facts. */
export function rewriteLocal(analysis: ModuleAnalysis): Rewritten {
  const edit = createEdit(analysis)
  const { define, defineApi } = createDefine(edit, 'unplugin-flash/internal/local', 'local')
  for (const found of analysis.functions) define(found, JSON.stringify(factOf(edit, found)))
  for (const api of analysis.apis) defineApi(api)
  return finish(edit, { sources: 'original' })
}

/** `define` gives what `remote` gave; `register` only makes the function known, for code that does not call it. */
function createDefiners(edit: Edit) {
  const made = createDefine(edit, 'unplugin-flash/internal/define', 'define')
  const register = (found: FoundFunction) => made.write(found, 'register')
  return { ...made, register }
}
