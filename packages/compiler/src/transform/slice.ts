import { walk } from 'oxc-walker'
import type { Unit } from '../graph.ts'
import { propertyName } from '../references.ts'
import { type Span, spanTest } from '../span.ts'
import type { FoundFunction, ModuleAnalysis, Role } from '../types.ts'
import { createEdit, type Edit, finish, freshName, type Rewritten } from './edit.ts'
import { findCode } from './flow.ts'
import { type Cut, findSlice } from './prune.ts'
import { removeUnits } from './remove.ts'
import { serverStub } from './stub.ts'

/** An expression that the slice is made for, with the text around it in the export that it becomes. */
interface Wanted extends Span {
  head: string
  tail: string
}

/** Role `index`: the configs without their code, and what they are made of, so that evaluating them loads nothing else. */
export function rewriteIndex(analysis: ModuleAnalysis): Rewritten {
  const edit = createEdit(analysis)
  const code = findCode(
    edit.parsed,
    analysis.functions.map(({ config }) => config),
  )
  const [open, close, name] = exportOf(edit, '__flash_configs')
  const groups = groupByConfig(analysis)
  const wanted = groups.map(([{ start, end }, [found]], index): Wanted => {
    const head = `${index === 0 ? `${open}{` : ''}\n  ${JSON.stringify(found!.id)}: `
    return {
      start,
      end,
      head,
      tail: index === groups.length - 1 ? `,\n}${close}${sharing(name, groups)}` : ',',
    }
  })
  for (const { start, end } of code) edit.text.remove(start, end)
  const live = sliceFor(edit, wanted, spanTest(code))
  takeOut(edit, wanted, live, 'undefined')
  return finish(edit, { sources: 'original' })
}

/** The expressions of configs in source order, each with the functions that have it: routes of one endpoint share theirs. */
function groupByConfig({ functions }: ModuleAnalysis): [config: Span, functions: FoundFunction[]][] {
  const groups = new Map<Span, FoundFunction[]>()
  for (const found of functions) {
    const config = configSpan(found)
    groups.set(config, [...(groups.get(config) ?? []), found])
  }
  return [...groups].sort(([one], [other]) => one.start - other.start)
}

function configSpan({ api, call }: FoundFunction): Span {
  return (api ?? { call }).call.arguments[0]!
}

function sharing(name: string, groups: [config: Span, functions: FoundFunction[]][]): string {
  const lines = groups.flatMap(([, [first, ...others]]) =>
    others.map(({ id }) => `${name}[${JSON.stringify(id)}] = ${name}[${JSON.stringify(first!.id)}];\n`),
  )
  return lines.join('')
}

/** Role `setup`: one expression, which may be in a module without any function, and what it needs. */
export function rewriteSetup(analysis: ModuleAnalysis, role: Extract<Role, { kind: 'setup' }>): Rewritten {
  const edit = createEdit(analysis)
  const [open, close] = exportOf(edit, '__flash_setup')
  const method = findMethod(edit, role)
  // `setup() { … }` is only a function together with its object.
  const wanted: Wanted = method
    ? { ...method, head: `${open}({ `, tail: ` })[${JSON.stringify(method.name)}]${close}` }
    : { start: role.start, end: role.end, head: open, tail: close }
  const live = sliceFor(edit, [wanted], () => false)
  takeOut(edit, [wanted], live, (found) => serverStub(edit, found))
  return finish(edit, { sources: 'original' })
}

function exportOf(edit: Edit, exported: string): [open: string, close: string, name: string] {
  const name = freshName(edit, exported)
  if (name === exported) return [`\nexport const ${name} = `, ';\n', name]
  return [`\nconst ${name} = `, `;\nexport { ${name} as ${exported} };\n`, name]
}

/** Units that the wanted expressions need when they are evaluated, remote calls apart. */
function sliceFor({ graph, analysis }: Edit, wanted: Span[], isCode: Cut): Set<Unit> {
  const isWanted = spanTest(wanted)
  const roots = new Set<Unit>()
  for (const unit of graph.units)
    for (const use of unit.uses)
      if (!use.type && isWanted(use.start) && !isCode(use.start))
        for (const needed of graph.declaring.get(use.name) ?? []) roots.add(needed)
  const calls = [...analysis.functions, ...analysis.apis].map(({ call }) => call)
  const isCall = spanTest(calls)
  const holders = new Set(calls.map(({ start }) => graph.unitAt(start)))
  return findSlice(
    graph,
    roots,
    (offset) => isCall(offset) || isCode(offset),
    (unit) => holders.has(unit),
  )
}

type Replace = string | ((found: FoundFunction) => string)

/** Makes the wanted expressions the last thing of a module from which all else is gone that they do not need. */
function takeOut(edit: Edit, wanted: Wanted[], live: Set<Unit>, replace: Replace): void {
  const { text, graph, analysis, parsed } = edit
  const isNeeded = ({ start }: Span) => live.has(graph.unitAt(start)!)
  if (wanted.some(isNeeded)) {
    // What stands in something that stays itself is said twice; only a move keeps its positions.
    for (const { start, end, head, tail } of wanted) text.append(head + text.slice(start, end) + tail)
    removeUnits(edit, (unit) => !live.has(unit))
  } else {
    removeUnits(edit, (unit) => !live.has(unit), wanted)
    for (const { start, end, head, tail } of wanted) {
      if (end < parsed.code.length) text.move(start, end, parsed.code.length)
      text.prependRight(start, head)
      text.appendLeft(end, tail)
    }
  }
  for (const { call } of analysis.apis) if (isNeeded(call)) text.overwrite(call.start, call.end, 'undefined')
  for (const found of analysis.functions) {
    if (!isNeeded(found.call)) continue
    text.overwrite(found.call.start, found.call.end, typeof replace === 'string' ? replace : replace(found))
  }
}

function findMethod({ graph }: Edit, { start, end }: Span): (Span & { name: string }) | null {
  let found: (Span & { name: string }) | null = null
  const root = graph.unitAt(start)?.node
  if (!root) return null
  walk(root, {
    enter(node) {
      if (node.type !== 'Property' || !node.method || node.value.start !== start || node.value.end !== end)
        return
      const name = propertyName(node.key, node.computed)
      if (name !== null) found = { start: node.start, end: node.end, name }
    },
  })
  return found
}
