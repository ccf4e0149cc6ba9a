import type { Class, Node } from 'oxc-parser'
import { type ParsedModule, parseModule } from '../parse.ts'
import type { CompilerHost } from '../types.ts'

export type TypeDeclaration =
  | Extract<Node, { type: 'TSInterfaceDeclaration' | 'TSTypeAliasDeclaration' | 'TSEnumDeclaration' }>
  | Class

/** A named type: all its declarations, since interfaces may have several. */
export interface FoundType {
  module: ParsedModule
  declarations: TypeDeclaration[]
}

/** Where a name leads that stands for a type. */
export type TypeTarget = FoundType | { outside: string } | null

/**
 * Finds what a name means as a type, through imports, export lists and barrels of the project.
 *
 * - `outside`: of a package, which is not read; `null`: no such type here.
 */
export function findType(host: CompilerHost, module: ParsedModule, name: string): Promise<TypeTarget> {
  return find({ host, visited: new Set() }, module, name)
}

/** What a module gives under a name. */
export async function findExportedType(
  host: CompilerHost,
  importer: ParsedModule,
  source: string,
  name: string,
): Promise<TypeTarget> {
  return findIn({ host, visited: new Set() }, importer, source, name)
}

interface Search {
  host: CompilerHost
  /** `file NUL name`: barrels may import each other in circles. */
  visited: Set<string>
}

async function find(search: Search, module: ParsedModule, name: string): Promise<TypeTarget> {
  const declarations = declarationsOf(module, name)
  if (declarations.length > 0) return { module, declarations }
  const binding = module.bindings.get(name)
  return binding?.kind === 'import' ? findIn(search, module, binding.source, binding.imported) : null
}

async function findIn(
  search: Search,
  importer: ParsedModule,
  source: string,
  name: string,
): Promise<TypeTarget> {
  const module = name === '*' ? null : await load(search.host, importer, source)
  return module ? findExported(search, module, name) : { outside: source }
}

async function findExported(search: Search, module: ParsedModule, name: string): Promise<TypeTarget> {
  const key = `${module.file}\0${name}`
  if (search.visited.has(key)) return null
  search.visited.add(key)
  const found = module.exports.get(name)
  if (found?.kind === 'local') return find(search, module, found.local)
  if (found?.kind === 'from') return findIn(search, module, found.source, found.imported)
  return found || name === 'default' ? null : findInAll(search, module, name)
}

/** What `export * from` passes on; a package that is not read may have any name. */
async function findInAll(search: Search, module: ParsedModule, name: string): Promise<TypeTarget> {
  let outside: TypeTarget = null
  for (const { source } of module.exportAlls) {
    const target = await findIn(search, module, source, name)
    if (target && 'module' in target) return target
    outside ??= target
  }
  return outside
}

async function load(
  host: CompilerHost,
  importer: ParsedModule,
  source: string,
): Promise<ParsedModule | null> {
  const file = await host.resolve(source, importer.file)
  if (!file || !/\.[cm]?[jt]sx?$/.test(file) || /[\\/]node_modules[\\/]/.test(file)) return null
  const code = await host.load(file)
  if (code === null) return null
  try {
    return parseModule(code, file)
  } catch {
    // It is reported where it is the subject.
    return null
  }
}

function declarationsOf({ program }: ParsedModule, name: string): TypeDeclaration[] {
  return program.body.flatMap((statement) => {
    const isExport =
      statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
    const node: Node | null = isExport ? statement.declaration : statement
    return node && isTypeDeclaration(node) && node.id?.name === name ? [node] : []
  })
}

const kinds = new Set([
  'TSInterfaceDeclaration',
  'TSTypeAliasDeclaration',
  'TSEnumDeclaration',
  'ClassDeclaration',
])

function isTypeDeclaration(node: Node): node is TypeDeclaration {
  return kinds.has(node.type)
}
