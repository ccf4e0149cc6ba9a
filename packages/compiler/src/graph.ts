import type { ExportNamedDeclaration, ImportDeclaration, Node, VariableDeclaration } from 'oxc-parser'
import { patternNames } from './bindings.ts'
import type { ParsedModule } from './parse.ts'
import { readReferences, type Use } from './references.ts'

/**
 * The smallest piece of a module that can be left out.
 *
 * - `import`, `export`: one specifier; `variable`: one declarator.
 * - `bare`: an import without specifiers; `effect`: a statement that declares nothing; `type`: erased before the code runs.
 */
export interface Unit {
  kind:
    | 'import'
    | 'bare'
    | 'variable'
    | 'declaration'
    | 'export'
    | 're-export'
    | 'default'
    | 'effect'
    | 'type'
  node: Node
  start: number
  end: number
  /** The top-level statement it is part of. */
  statement: Node
  names: string[]
  /** The statement exports it under its own name. */
  exported: boolean
  uses: Use[]
}

export interface Graph {
  units: Unit[]
  /** Several for overloads, merged declarations and `var`. */
  declaring: Map<string, Unit[]>
  unitAt(offset: number): Unit | undefined
}

const known = new WeakMap<ParsedModule, Graph>()

export function readGraph(parsed: ParsedModule): Graph {
  const before = known.get(parsed)
  if (before) return before
  const graph = build(parsed)
  known.set(parsed, graph)
  return graph
}

function build(parsed: ParsedModule): Graph {
  const units = parsed.program.body.flatMap((statement) => unitsOf(statement))
  const unitAt = (offset: number) => findUnit(units, offset)
  const { uses, hoisted } = readReferences(parsed)
  for (const use of uses) unitAt(use.start)?.uses.push(use)
  for (const { name, start } of hoisted) unitAt(start)?.names.push(name)
  const declaring = new Map<string, Unit[]>()
  for (const unit of units)
    for (const name of unit.names) declaring.set(name, [...(declaring.get(name) ?? []), unit])
  return { units, declaring, unitAt }
}

function findUnit(units: Unit[], offset: number): Unit | undefined {
  let low = 0
  let high = units.length - 1
  while (low <= high) {
    const middle = (low + high) >> 1
    const { start, end } = units[middle]!
    if (offset < start) high = middle - 1
    else if (offset >= end) low = middle + 1
    else return units[middle]
  }
  return undefined
}

function unitsOf(statement: Node): Unit[] {
  const unit = (kind: Unit['kind'], node = statement, names: string[] = [], exported = false): Unit => {
    const start = node === statement ? statementStart(statement) : node.start
    return { kind, node, start, end: node.end, statement, names, exported, uses: [] }
  }
  switch (statement.type) {
    case 'ImportDeclaration':
      return importUnits(statement, unit)
    case 'ExportNamedDeclaration':
      return exportUnits(statement, unit)
    case 'ExportAllDeclaration':
      return [unit(statement.exportKind === 'type' ? 'type' : 're-export')]
    case 'ExportDefaultDeclaration': {
      const names = namesOf(statement.declaration)
      return [unit(names.length > 0 ? kindOf(statement.declaration) : 'default', statement, names, true)]
    }
    case 'VariableDeclaration':
      return variableUnits(statement, false, unit)
    default:
      return isInert(statement) ? [] : [unit(kindOf(statement), statement, namesOf(statement))]
  }
}

/** Directives are never left out, and empty statements may separate what would otherwise be one. */
function isInert(statement: Node): boolean {
  return statement.type === 'EmptyStatement' || ('directive' in statement && Boolean(statement.directive))
}

function importUnits(statement: ImportDeclaration, unit: Make): Unit[] {
  if (statement.specifiers.length === 0) return [unit('bare')]
  return statement.specifiers.map((node) => {
    const inline = node.type === 'ImportSpecifier' && node.importKind === 'type'
    const kind = inline || statement.importKind === 'type' ? 'type' : 'import'
    return unit(kind, node, [node.local.name])
  })
}

/** Decorators may stand before `export`. */
export function statementStart(statement: Node): number {
  const declared = 'declaration' in statement ? (statement.declaration as Node | null) : null
  const decorators = declared && 'decorators' in declared ? declared.decorators : undefined
  return Math.min(statement.start, decorators?.[0]?.start ?? statement.start)
}

type Make = (kind: Unit['kind'], node?: Node, names?: string[], exported?: boolean) => Unit

function exportUnits(statement: ExportNamedDeclaration, unit: Make): Unit[] {
  const { declaration } = statement
  if (declaration?.type === 'VariableDeclaration') return variableUnits(declaration, true, unit)
  if (declaration) return [unit(kindOf(declaration), statement, namesOf(declaration), true)]
  if (statement.exportKind === 'type') return [unit('type')]
  if (statement.source && statement.specifiers.length === 0) return [unit('bare')]
  const kind = statement.source ? 're-export' : 'export'
  return statement.specifiers.map((node) => unit(node.exportKind === 'type' ? 'type' : kind, node))
}

function variableUnits(declaration: VariableDeclaration, exported: boolean, unit: Make): Unit[] {
  const kind = declaration.declare ? 'type' : 'variable'
  return declaration.declarations.map((node) => unit(kind, node, patternNames(node.id), exported))
}

const declarations = new Set<Node['type']>([
  'FunctionDeclaration',
  'TSDeclareFunction',
  'ClassDeclaration',
  'TSEnumDeclaration',
  'TSModuleDeclaration',
  'TSImportEqualsDeclaration',
])

function kindOf(node: Node): Unit['kind'] {
  if (node.type === 'TSInterfaceDeclaration' || node.type === 'TSTypeAliasDeclaration') return 'type'
  if ('declare' in node && node.declare) return 'type'
  return declarations.has(node.type) ? 'declaration' : 'effect'
}

function namesOf(node: Node): string[] {
  if (!declarations.has(node.type)) return []
  let id = (node as { id?: Node | null }).id
  while (id?.type === 'TSQualifiedName') id = id.left
  return id?.type === 'Identifier' ? [id.name] : []
}

/** Units that are needed when `roots` are, following everything that is used when the code runs and is not cut out. */
export function reach(graph: Graph, roots: Iterable<Unit>, isCut: (offset: number) => boolean): Set<Unit> {
  const live = new Set(roots)
  for (const unit of live)
    for (const use of unit.uses)
      if (!use.type && !isCut(use.start))
        for (const needed of graph.declaring.get(use.name) ?? []) live.add(needed)
  return live
}
