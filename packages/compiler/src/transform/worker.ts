import { nameOf } from '../bindings.ts'
import type { Graph, Unit } from '../graph.ts'
import type { Use } from '../references.ts'
import { spanTest } from '../span.ts'
import type { Demanded, FoundFunction, ModuleAnalysis, Role } from '../types.ts'
import { createEdit, type Edit, factOf, finish, freshName, type Rewritten, useImport } from './edit.ts'
import { findSlice } from './prune.ts'
import { removeUnits } from './remove.ts'
import { calledStub, serverStub } from './stub.ts'

/** Role `worker`: kept functions register themselves, others become stubs, and nothing else of the module runs. */
export function rewriteWorker(analysis: ModuleAnalysis, role: Extract<Role, { kind: 'worker' }>): Rewritten {
  const edit = createEdit(analysis)
  const { graph } = edit
  const isKept = (found: FoundFunction) => role.keeps(factOf(edit, found))
  const kept = analysis.functions.filter(isKept)
  const unitOf = ({ call }: FoundFunction) => graph.unitAt(call.start)!
  const holders = new Set(analysis.functions.map(unitOf))
  const isCut = spanTest(analysis.functions.map((found) => (isKept(found) ? calleeSpan(found) : found.call)))
  const roots = [...kept.map(unitOf), ...findDemanded(graph, role.demanded)]
  const live = findSlice(graph, roots, isCut, (unit) => holders.has(unit))
  removeUnits(edit, (unit) => !live.has(unit))
  const { define, register } = createDefiners(edit)
  const { calling } = role
  const stubOf = (found: FoundFunction) =>
    calling ? calledStub(edit, found, calling) : serverStub(edit, found)
  for (const found of analysis.functions) {
    if (isKept(found) && role.lean && !isUsed(edit, live, unitOf(found), role.demanded)) register(found)
    else if (isKept(found)) define(found)
    else if (live.has(unitOf(found))) edit.text.overwrite(found.call.start, found.call.end, stubOf(found))
  }
  return finish(edit, { sources: 'original' })
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

function isExport({ parent }: Use): boolean {
  return parent.type === 'ExportSpecifier' || parent.type === 'ExportDefaultDeclaration'
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
  const define = createDefine(edit)('unplugin-flash/internal/local', 'local', '__flash_local')
  for (const found of analysis.functions) define(found, JSON.stringify(factOf(edit, found)))
  return finish(edit, { sources: 'original' })
}

/** `define` gives what `remote` gave; `register` only makes the function known, for code that does not call it. */
function createDefiners(edit: Edit) {
  const source = 'unplugin-flash/internal/define'
  const make = createDefine(edit)
  const register = (found: FoundFunction) => make(source, 'register', '__flash_register')(found)
  const define = (found: FoundFunction) => make(source, 'define', '__flash_define')(found)
  return { define, register }
}

/** `remote(config, fn)` → `define(functions, id, config, fn)`, the arguments as they are written. */
function createDefine(edit: Edit) {
  const functions = freshName(edit, '__flash_functions')
  edit.prelude.push(`const ${functions} = Object.create(null)`)
  const exported = functions === '__flash_functions' ? functions : `${functions} as __flash_functions`
  edit.text.append(`\nexport { ${exported} };\n`)
  return (source: string, imported: string, wanted: string) => {
    const name = useImport(edit, source, imported, wanted)
    return ({ id, call }: FoundFunction, last?: string) => {
      const [config, body] = call.arguments
      edit.text.overwrite(call.start, config!.start, `${name}(${functions}, ${JSON.stringify(id)}, `)
      edit.text.overwrite(body!.end, call.end, last ? `, ${last})` : ')')
    }
  }
}

function calleeSpan({ call }: FoundFunction) {
  return { start: call.start, end: call.arguments[0]!.start }
}
