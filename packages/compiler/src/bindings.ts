import type {
  BindingPattern,
  ExportDefaultDeclaration,
  ExportNamedDeclaration,
  Expression,
  ImportDeclaration,
  ModuleExportName,
  Node,
  Program,
  VariableDeclaration,
  VariableDeclarator,
} from 'oxc-parser'

/** `import { imported as name } from source`; `imported` is `*` for a namespace. */
export interface ImportBinding {
  kind: 'import'
  name: string
  source: string
  imported: string
  typeOnly: boolean
  /** The specifier. */
  node: Node
  statement: ImportDeclaration
  start: number
  end: number
}

/** Everything else that a module declares at its top level. */
export interface DeclaredBinding {
  kind:
    | 'const'
    | 'let'
    | 'var'
    | 'using'
    | 'function'
    | 'class'
    | 'enum'
    | 'namespace'
    | 'type'
    | 'import-equals'
  name: string
  /** A declarator for variables, else the declaration itself; the implementation of an overloaded function. */
  node: Node
  /** The top-level statement, with `export` when it has one. */
  statement: Node
  /** Initialiser of a variable that is not destructured. */
  init: Expression | null
  /** The name comes out of a pattern: `const { name } = …`. */
  destructured: boolean
  start: number
  end: number
}

export type Binding = ImportBinding | DeclaredBinding

/** What a module gives under one name. */
type ModuleExport =
  | { kind: 'local'; name: string; local: string; typeOnly: boolean; node: Node; statement: Node }
  /** `imported` is `*` for `export * as name from`. */
  | {
      kind: 'from'
      name: string
      source: string
      imported: string
      typeOnly: boolean
      node: Node
      statement: Node
    }
  /** `export default <expression>`, and unnamed default functions and classes. */
  | { kind: 'expression'; name: 'default'; expression: Node; typeOnly: false; node: Node; statement: Node }

interface ExportAll {
  source: string
  typeOnly: boolean
  node: Node
}

export interface ModuleTable {
  /** Value bindings; a type is here only when no value has its name. */
  bindings: Map<string, Binding>
  exports: Map<string, ModuleExport>
  exportAlls: ExportAll[]
}

export function readTable(program: Program): ModuleTable {
  const table: ModuleTable = { bindings: new Map(), exports: new Map(), exportAlls: [] }
  for (const statement of program.body) readStatement(table, statement, statement)
  return table
}

/** Names that a pattern declares. */
export function patternNames(pattern: Node | null): string[] {
  switch (pattern?.type) {
    case 'Identifier':
      return [pattern.name]
    case 'AssignmentPattern':
      return patternNames(pattern.left)
    case 'RestElement':
      return patternNames(pattern.argument)
    case 'ArrayPattern':
      return pattern.elements.flatMap(patternNames)
    case 'ObjectPattern':
      return pattern.properties.flatMap((property) =>
        patternNames(property.type === 'Property' ? property.value : property),
      )
    default:
      return []
  }
}

function readStatement(table: ModuleTable, node: Node, statement: Node): void {
  switch (node.type) {
    case 'ImportDeclaration':
      return readImport(table, node)
    case 'ExportNamedDeclaration':
      return readNamedExport(table, node)
    case 'ExportDefaultDeclaration':
      return readDefaultExport(table, node)
    case 'ExportAllDeclaration':
      if (node.exported) addFrom(table, node, nameOf(node.exported), '*', node.exportKind === 'type')
      else table.exportAlls.push({ source: node.source.value, typeOnly: node.exportKind === 'type', node })
      return
    default:
      readDeclaration(table, node, statement)
  }
}

function readImport({ bindings }: ModuleTable, statement: ImportDeclaration): void {
  for (const node of statement.specifiers) {
    const name = node.local.name
    const typeOnly =
      statement.importKind === 'type' || (node.type === 'ImportSpecifier' && node.importKind === 'type')
    const imported =
      node.type === 'ImportSpecifier'
        ? nameOf(node.imported)
        : node.type === 'ImportDefaultSpecifier'
          ? 'default'
          : '*'
    const { start, end } = node
    bindings.set(name, {
      kind: 'import',
      name,
      source: statement.source.value,
      imported,
      typeOnly,
      node,
      statement,
      start,
      end,
    })
  }
}

function readNamedExport(table: ModuleTable, statement: ExportNamedDeclaration): void {
  if (statement.declaration) {
    for (const name of readDeclaration(table, statement.declaration, statement))
      addLocal(table, statement.declaration, statement, name, name, table.bindings.get(name)?.kind === 'type')
    return
  }
  for (const node of statement.specifiers) {
    const typeOnly = statement.exportKind === 'type' || node.exportKind === 'type'
    const [name, local] = [nameOf(node.exported), nameOf(node.local)]
    if (statement.source) addFrom(table, node, name, local, typeOnly, statement)
    else addLocal(table, node, statement, name, local, typeOnly)
  }
}

function readDefaultExport(table: ModuleTable, statement: ExportDefaultDeclaration): void {
  const node = statement.declaration
  const [declared] = readDeclaration(table, node, statement)
  const local = declared ?? (node.type === 'Identifier' ? node.name : undefined)
  if (local !== undefined)
    return addLocal(table, node, statement, 'default', local, node.type === 'TSInterfaceDeclaration')
  table.exports.set('default', {
    kind: 'expression',
    name: 'default',
    expression: node,
    typeOnly: false,
    node,
    statement,
  })
}

/** Adds what a declaration declares and returns the names. */
function readDeclaration(table: ModuleTable, node: Node, statement: Node): string[] {
  if (node.type === 'VariableDeclaration') return readVariables(table, node, statement)
  const kind = kinds[node.type]
  const name = kind && declaredName((node as { id?: Node | null }).id)
  if (!kind || name === undefined) return []
  const { start, end } = node
  const before = table.bindings.get(name)
  const binding: Binding = { kind, name, node, statement, init: null, destructured: false, start, end }
  if (!before || before.kind === 'type' || (before.kind === 'function' && kind === 'function'))
    table.bindings.set(name, binding)
  return [name]
}

const kinds: Partial<Record<Node['type'], DeclaredBinding['kind']>> = {
  FunctionDeclaration: 'function',
  TSDeclareFunction: 'function',
  ClassDeclaration: 'class',
  TSEnumDeclaration: 'enum',
  TSModuleDeclaration: 'namespace',
  TSImportEqualsDeclaration: 'import-equals',
  TSInterfaceDeclaration: 'type',
  TSTypeAliasDeclaration: 'type',
}

/** `namespace A.B {}` declares `A`; `declare module 'x'` declares nothing here. */
function declaredName(id: Node | null | undefined): string | undefined {
  if (id?.type === 'TSQualifiedName') return declaredName(id.left)
  return id?.type === 'Identifier' ? id.name : undefined
}

function readVariables(
  { bindings }: ModuleTable,
  declaration: VariableDeclaration,
  statement: Node,
): string[] {
  const kind = declaration.kind === 'await using' ? 'using' : declaration.kind
  return declaration.declarations.flatMap((node: VariableDeclarator) => {
    const destructured = (node.id as BindingPattern).type !== 'Identifier'
    return patternNames(node.id).map((name) => {
      const { start, end } = node
      const init = destructured ? null : node.init
      bindings.set(name, { kind, name, node, statement, init, destructured, start, end })
      return name
    })
  })
}

function addLocal(
  table: ModuleTable,
  node: Node,
  statement: Node,
  name: string,
  local: string,
  typeOnly: boolean,
): void {
  const before = table.exports.get(name)
  if (before && typeOnly) return
  table.exports.set(name, { kind: 'local', name, local, typeOnly, node, statement })
}

function addFrom(
  table: ModuleTable,
  node: Node,
  name: string,
  imported: string,
  typeOnly: boolean,
  statement: Node = node,
): void {
  const { source } = statement as { source: { value: string } }
  table.exports.set(name, { kind: 'from', name, source: source.value, imported, typeOnly, node, statement })
}

/** The text of an import or export name, which may be a string literal. */
export function nameOf(node: ModuleExportName): string {
  return node.type === 'Literal' ? node.value : node.name
}
