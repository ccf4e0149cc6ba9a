import type { Comment, ImportDeclaration, Node } from 'oxc-parser'
import { statementStart, type Unit } from '../graph.ts'
import type { ParsedModule } from '../parse.ts'
import type { Span } from '../span.ts'
import type { Edit } from './edit.ts'

/** Takes units out of the text; `holes` are spans inside them that stay. */
export function removeUnits(edit: Edit, isGone: (unit: Unit) => boolean, holes: Span[] = []): void {
  const byStatement = new Map<Node, Unit[]>()
  for (const unit of edit.graph.units) {
    const siblings = byStatement.get(unit.statement)
    if (siblings) siblings.push(unit)
    else byStatement.set(unit.statement, [unit])
  }
  const removed = new Set<Node>()
  for (const [statement, units] of byStatement) {
    const left = units.filter((unit) => !isGone(unit))
    if (left.length === units.length) continue
    if (left.length > 0) removeSome(edit, statement, units, left, holes)
    else {
      removed.add(statement)
      removeSpan(edit, statementSpan(edit.parsed, statement), holes)
    }
  }
  separateStatements(edit, removed)
}

/** Removes a span except for the holes in it. */
function removeSpan({ text }: Edit, { start, end }: Span, holes: Span[]): void {
  let from = start
  for (const hole of holes.filter((hole) => hole.start >= start && hole.end <= end)) {
    if (hole.start > from) text.remove(from, hole.start)
    from = hole.end
  }
  if (end > from) text.remove(from, end)
}

function removeSome(edit: Edit, statement: Node, units: Unit[], left: Unit[], holes: Span[]): void {
  if (units[0]!.kind === 'variable') {
    for (const span of listSpans(units, (unit) => !left.includes(unit), units.at(-1)!.end))
      removeSpan(edit, span, holes)
  } else if (statement.type === 'ImportDeclaration') rewriteImport(edit, statement, left)
  else rewriteExport(edit, statement, left)
}

/**
 * What to cut so that a comma-separated list stays one.
 *
 * - `listEnd`: where the list ends; a comma behind the last item goes when no item is left.
 */
export function listSpans<T extends Span>(items: T[], isGone: (item: T) => boolean, listEnd: number): Span[] {
  let kept = false
  return items.flatMap((item, index) => {
    if (!isGone(item)) {
      kept = true
      return []
    }
    if (kept) return [{ start: items[index - 1]!.end, end: item.end }]
    return [{ start: item.start, end: items[index + 1]?.start ?? listEnd }]
  })
}

function rewriteImport({ text, parsed }: Edit, statement: ImportDeclaration, left: Unit[]): void {
  const source = (unit: Unit) => parsed.code.slice(unit.start, unit.end)
  const values = left.some(({ kind }) => kind === 'import')
  const clause = values ? importClause(left, source) : typeClause(left.map(source))
  text.overwrite(statement.start, statement.source.start, `import ${clause} from `)
}

function importClause(units: Unit[], source: (unit: Unit) => string): string {
  const named = units.filter(({ node }) => node.type === 'ImportSpecifier').map(source)
  const others = units.filter(({ node }) => node.type !== 'ImportSpecifier').map(source)
  return [...others, ...(named.length > 0 ? [`{ ${named.join(', ')} }`] : [])].join(', ')
}

function rewriteExport({ text, parsed }: Edit, statement: Node, left: Unit[]): void {
  const { source } = statement as { source: Span | null }
  const specifiers = left.map(({ start, end }) => parsed.code.slice(start, end))
  if (!source) text.overwrite(statement.start, statement.end, `export { ${specifiers.join(', ')} };`)
  else {
    const values = left.some(({ kind }) => kind !== 'type')
    const clause = values ? `{ ${specifiers.join(', ')} }` : typeClause(specifiers)
    text.overwrite(statement.start, source.start, `export ${clause} from `)
  }
}

/** With only types left, `import { type A }` would still load the module where types are not elided. */
function typeClause(specifiers: string[]): string {
  return `type { ${specifiers.map((specifier) => specifier.replace(/^type\s+/, '')).join(', ')} }`
}

/** A statement with the comments that speak of it and its line break. */
function statementSpan(parsed: ParsedModule, statement: Node): Span {
  const { code } = parsed
  const start = lineStart(code, commentsStart(parsed, statementStart(statement)))
  const end = trailingEnd(parsed, statement.end)
  const rest = /^[ \t]*(?:\r\n?|\n|$)/.exec(code.slice(end, end + LOOK_AHEAD))
  const wholeLine = start === 0 || /[\r\n\uFEFF]/.test(code[start - 1]!)
  return { start, end: wholeLine && rest ? end + rest[0].length : end }
}

/** Enough for the blanks behind a statement. */
const LOOK_AHEAD = 200

/** Moves over indentation when nothing else is before it on the line. */
function lineStart(code: string, offset: number): number {
  let start = offset
  while (start > 0 && /[ \t]/.test(code[start - 1]!)) start--
  return start === 0 || /[\r\n\uFEFF]/.test(code[start - 1]!) ? start : offset
}

/** Comments that are meant for tools or lawyers, not for the statement below. */
const independent =
  /^[!/]|@(?:jsx|license|preserve|ts-|vite-|vitest-)|#(?:end)?region|\b(?:eslint|oxlint|biome|prettier)-/

/** Where the comments begin that stand directly above a statement, each on a line of its own. */
function commentsStart({ comments, code }: ParsedModule, statementStart: number): number {
  let start = statementStart
  for (let index = lastBefore(comments, start); index >= 0; index--) {
    const comment = comments[index]!
    const between = code.slice(comment.end, start)
    const onOwnLine = lineStart(code, comment.start) !== comment.start || isLineStart(code, comment.start)
    if (!/^[ \t]*(?:\r\n?|\n)?[ \t]*$/.test(between) || !onOwnLine || independent.test(comment.value)) break
    start = comment.start
  }
  return start
}

function isLineStart(code: string, offset: number): boolean {
  return offset === 0 || /[\r\n\uFEFF]/.test(code[offset - 1]!)
}

function lastBefore(comments: Comment[], offset: number): number {
  let low = 0
  let high = comments.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (comments[middle]!.end <= offset) low = middle + 1
    else high = middle
  }
  return low - 1
}

/** The end of the comments behind a statement on its last line, when nothing else follows there. */
function trailingEnd({ comments, code }: ParsedModule, statementEnd: number): number {
  let end = statementEnd
  for (let index = lastBefore(comments, end) + 1; index < comments.length; index++) {
    const comment = comments[index]!
    if (!/^[ \t]*$/.test(code.slice(end, comment.start))) break
    end = comment.end
  }
  return /^[ \t]*(?:[\r\n]|$)/.test(code.slice(end, end + LOOK_AHEAD)) ? end : statementEnd
}

/**
 * Without semicolons a statement may continue the one that has come to stand before it.
 *
 * ```js
 * const a = b
 * function gone() {}
 * (() => {})()
 * ```
 */
function separateStatements({ parsed, text }: Edit, removed: Set<Node>): void {
  let before: Node | null = null
  let gap = false
  for (const statement of parsed.program.body) {
    if (removed.has(statement)) gap = true
    else {
      const continues = /[([`+\-/<]/.test(parsed.code[statement.start]!)
      if (gap && before && continues && parsed.code[before.end - 1] !== ';')
        text.appendLeft(statement.start, ';')
      before = statement
      gap = false
    }
  }
}
