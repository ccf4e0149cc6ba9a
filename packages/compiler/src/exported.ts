import { type ParsedModule, peel } from './parse.ts'
import type { Use } from './references.ts'

/** Whether another module can get at what is held under these names, also through `const b = a; export { b }`. */
export function isExportedPath(parsed: ParsedModule, [name]: string[]): boolean {
  return name === 'default' || exportedNames(parsed).has(name!)
}

function exportedNames({ exports, bindings }: ParsedModule): Set<string> {
  const names = new Set<string>()
  for (const found of exports.values()) if (found.kind === 'local' && !found.typeOnly) names.add(found.local)
  for (const name of names) {
    const binding = bindings.get(name)
    const init = binding?.kind === 'const' && binding.init ? peel(binding.init) : null
    if (init?.type === 'Identifier') names.add(init.name)
  }
  return names
}

/** Whether a use only passes the name on: `export { a }`, `export default a`. */
export function isExport({ parent }: Use): boolean {
  return parent.type === 'ExportSpecifier' || parent.type === 'ExportDefaultDeclaration'
}
