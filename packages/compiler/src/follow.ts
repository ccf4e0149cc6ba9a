import type { Node } from 'oxc-parser'
import type { DeclaredBinding, ImportBinding } from './bindings.ts'
import { type ParsedModule, parseModule, peel } from './parse.ts'
import { propertyName } from './references.ts'
import type { CompilerHost } from './types.ts'

/** What users import the authoring functions from. */
export const packageName = 'unplugin-flash'

/** The names of the package that the compiler acts on. */
export const packageWords = new Set(['remote', 'endpoint', 'task', 'unchecked'])

/** Where a name leads in the end. */
export type Target =
  /** A package, or a file that cannot be read; `name` is `*` for all of it. */
  | { kind: 'outside'; source: string; name: string }
  | { kind: 'declared'; module: ParsedModule; binding: DeclaredBinding }
  | { kind: 'expression'; module: ParsedModule; node: Node }
  | { kind: 'namespace'; module: ParsedModule }

export interface Follow {
  host: CompilerHost
  /** Files that were read on the way. */
  files: Set<string>
  /** `file NUL name` on the current way; barrels may import each other in circles. */
  visited: Set<string>
}

/** Follows `flash.remote` from the module that says so. */
export async function followPath(
  module: ParsedModule,
  path: string[],
  follow: Follow,
): Promise<Target | null> {
  let target = await followName(module, path[0]!, follow)
  for (const name of path.slice(1)) target = target && (await followMember(target, name, follow))
  return target
}

/** Follows a module-level name through imports, barrels and constant aliases. */
async function followName(module: ParsedModule, name: string, follow: Follow): Promise<Target | null> {
  const binding = module.bindings.get(name)
  if (!binding || !enter(follow, module, `local ${name}`)) return null
  if (binding.kind === 'import') return followImport(module, binding, follow)
  const init = binding.kind === 'const' && binding.init ? peel(binding.init) : null
  const alias = init && (await followAlias(module, init, follow))
  return alias ?? { kind: 'declared', module, binding }
}

/** `const b = a` and `const b = barrel.a` are `a`. */
async function followAlias(module: ParsedModule, init: Node, follow: Follow): Promise<Target | null> {
  if (init.type === 'Identifier') return followName(module, init.name, follow)
  return init.type === 'MemberExpression' ? followMemberOf(module, init, follow) : null
}

async function followMemberOf(module: ParsedModule, node: Node, follow: Follow): Promise<Target | null> {
  if (node.type === 'Identifier') {
    // A member is only followed into namespaces; objects made here have values of their own.
    return module.bindings.get(node.name)?.kind === 'import' ? followName(module, node.name, follow) : null
  }
  if (node.type !== 'MemberExpression') return null
  const name = propertyName(node.property, node.computed)
  const owner = name === null ? null : await followMemberOf(module, peel(node.object), follow)
  return owner && followMember(owner, name!, follow)
}

/** The member of a namespace; `null` for members of anything else. */
async function followMember(owner: Target, name: string, follow: Follow): Promise<Target | null> {
  if (owner.kind === 'namespace') return followExport(owner.module, name, follow)
  if (owner.kind !== 'outside') return null
  const whole = owner.name === '*' || owner.name === 'default'
  return whole ? { ...owner, name } : null
}

export async function followExport(
  module: ParsedModule,
  name: string,
  follow: Follow,
): Promise<Target | null> {
  if (!enter(follow, module, `export ${name}`)) return null
  const found = module.exports.get(name)
  if (found?.typeOnly) return null
  if (found?.kind === 'local') return followName(module, found.local, follow)
  if (found?.kind === 'from') return followSource(module, found.source, found.imported, follow)
  if (found) return followExpression(module, found.expression, follow)
  return name === 'default' ? null : followExportAlls(module, name, follow)
}

async function followExpression(module: ParsedModule, expression: Node, follow: Follow): Promise<Target> {
  const node = peel(expression)
  return (await followAlias(module, node, follow)) ?? { kind: 'expression', module, node }
}

async function followExportAlls(module: ParsedModule, name: string, follow: Follow): Promise<Target | null> {
  let outside: Target | null = null
  for (const { source, typeOnly } of module.exportAlls) {
    const target = typeOnly ? null : await followSource(module, source, name, follow)
    // A package that is not read may have any name; of ours we know which.
    const certain = target?.kind !== 'outside' || (target.source === packageName && packageWords.has(name))
    if (target && certain) return target
    outside ??= target
  }
  return outside
}

function followImport(
  module: ParsedModule,
  binding: ImportBinding,
  follow: Follow,
): Promise<Target | null> | null {
  return binding.typeOnly ? null : followSource(module, binding.source, binding.imported, follow)
}

async function followSource(
  module: ParsedModule,
  source: string,
  name: string,
  follow: Follow,
): Promise<Target | null> {
  const outside: Target = { kind: 'outside', source, name }
  if (source === packageName) return outside
  const next = await readModule(source, module.file, follow)
  if (!next) return outside
  return name === '*' ? { kind: 'namespace', module: next } : followExport(next, name, follow)
}

/** `null` when there is nothing to read: a package, a style sheet, a file with a syntax error (reported where it is the subject). */
async function readModule(
  source: string,
  importer: string,
  { host, files }: Follow,
): Promise<ParsedModule | null> {
  const file = await host.resolve(source, importer)
  if (!file || !/\.[cm]?[jt]sx?$/.test(file)) return null
  const code = await host.load(file)
  if (code === null) return null
  files.add(file)
  try {
    return parseModule(code, file)
  } catch {
    return null
  }
}

function enter({ visited }: Follow, module: ParsedModule, what: string): boolean {
  const key = `${module.file}\0${what}`
  if (visited.has(key)) return false
  visited.add(key)
  return true
}
