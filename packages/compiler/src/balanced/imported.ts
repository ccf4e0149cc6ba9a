import type { CallExpression } from 'oxc-parser'
import { findClient } from '../client.ts'
import { type Detection, isOurs } from '../detect.ts'
import { type Follow, followExport, followPath, type Target } from '../follow.ts'
import { type ParsedModule, peel } from '../parse.ts'
import { memberPath, readReferences } from '../references.ts'
import { addProblem } from '../refuse.ts'
import type { CompilerHost } from '../types.ts'
import { methodOf } from './methods.ts'

/** Refuses routes that are made with what another module exports: that module could not tell its endpoint's routes. */
export async function checkImportedApis(detection: Detection): Promise<void> {
  const { source, host, files, findings } = detection
  for (const { node, path, declared } of readReferences(source.parsed).calls) {
    if (!declared || path.length < 2 || !methodOf(path.at(-1)!) || !looksLikeRoute(node)) continue
    const follow: Follow = { host, files, visited: new Set() }
    const target = await followPath(source.parsed, path.slice(0, -1), follow)
    const module = target && (await apiModule(target, follow))
    if (!module) continue
    const { rootPath } = host.locate(module.file)
    addProblem(findings, source, node, {
      code: 'BAD_ROUTE',
      message: `this route is not in the file of its endpoint, which is ${rootPath}`,
      hint: `write the route in ${rootPath}; its handler may be imported from here`,
    })
  }
}

/** Following reads other files, and pages have calls such as `axios.get('/items')`. */
function looksLikeRoute({ arguments: given }: CallExpression): boolean {
  return given.length > 1 && /^(?:Literal|TemplateLiteral|Identifier)$/.test(peel(given[0]!).type)
}

/** Names under which a module exports what routes are made with. */
export async function findApiNames(parsed: ParsedModule, host: CompilerHost): Promise<string[]> {
  const names: string[] = []
  for (const [name, { typeOnly }] of parsed.exports) {
    if (typeOnly) continue
    const follow: Follow = { host, files: new Set(), visited: new Set() }
    const target = await followExport(parsed, name, follow)
    if (target && (await apiModule(target, follow))) names.push(name)
  }
  return names
}

/** The module in which the target is `const api = endpoint(config)`. */
async function apiModule(target: Target, follow: Follow): Promise<ParsedModule | null> {
  if (target.kind !== 'declared' || target.binding.kind !== 'const' || !target.binding.init) return null
  const { module, binding } = target
  const call = peel(binding.init!)
  if (call.type !== 'CallExpression' || call.arguments.length !== 1 || findClient(module, call)) return null
  const path = memberPath(call.callee)
  const maker = path && (await followPath(module, path, { ...follow, visited: new Set() }))
  return isOurs(maker) && maker.name === 'endpoint' ? module : null
}
