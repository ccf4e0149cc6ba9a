import { walk } from 'oxc-walker'
import type { Unit } from '../graph.ts'
import { propertyName } from '../references.ts'
import { type Span, spanTest } from '../span.ts'
import type { ModuleAnalysis, Role } from '../types.ts'
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
  const [open, close] = exportOf(edit, '__flash_configs')
  const last = analysis.functions.length - 1
  const wanted = analysis.functions.map(({ id, call }, index): Wanted => {
    const { start, end } = call.arguments[0]!
    const head = `${index === 0 ? `${open}{` : ''}\n  ${JSON.stringify(id)}: `
    return { start, end, head, tail: index === last ? `,\n}${close}` : ',' }
  })
  for (const { start, end } of code) edit.text.remove(start, end)
  const live = sliceFor(edit, wanted, spanTest(code))
  takeOut(edit, wanted, live, 'undefined')
  return finish(edit, { sources: 'original' })
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

function exportOf(edit: Edit, exported: string): [open: string, close: string] {
  const name = freshName(edit, exported)
  if (name === exported) return [`\nexport const ${name} = `, ';\n']
  return [`\nconst ${name} = `, `;\nexport { ${name} as ${exported} };\n`]
}

/** Units that the wanted expressions need when they are evaluated, remote calls apart. */
function sliceFor({ graph, analysis }: Edit, wanted: Span[], isCode: Cut): Set<Unit> {
  const isWanted = spanTest(wanted)
  const roots = new Set<Unit>()
  for (const unit of graph.units)
    for (const use of unit.uses)
      if (!use.type && isWanted(use.start) && !isCode(use.start))
        for (const needed of graph.declaring.get(use.name) ?? []) roots.add(needed)
  const isCall = spanTest(analysis.functions.map(({ call }) => call))
  const holders = new Set(analysis.functions.map(({ call }) => graph.unitAt(call.start)))
  return findSlice(
    graph,
    roots,
    (offset) => isCall(offset) || isCode(offset),
    (unit) => holders.has(unit),
  )
}

type Replace = string | ((found: ModuleAnalysis['functions'][number]) => string)

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
