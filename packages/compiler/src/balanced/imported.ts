import type { CallExpression } from 'oxc-parser'
import type { ImportBinding } from '../bindings.ts'
import { findClient } from '../client.ts'
import { type Detection, isOurs } from '../detect.ts'
import { isExport } from '../exported.ts'
import { type Follow, followExport, followPath, type Target } from '../follow.ts'
import { mentions } from '../mention.ts'
import { type ParsedModule, peel } from '../parse.ts'
import { memberPath, readReferences } from '../references.ts'
import { addProblem, type Refusal } from '../refuse.ts'
import type { CompilerHost } from '../types.ts'
import { methodOf, rootOf } from './methods.ts'

/** Refuses routes that are made with what another module exports: that module could not tell its endpoint's routes. */
export async function checkImportedApis(detection: Detection): Promise<void> {
  await checkCalls(detection)
  await checkValues(detection)
}

async function checkCalls({ source, host, files, findings }: Detection): Promise<void> {
  for (const { node, path, declared } of readReferences(source.parsed).calls) {
    if (!declared || path.length < 2 || !methodOf(path.at(-1)!) || !looksLikeRoute(node)) continue
    const follow: Follow = { host, files, visited: new Set() }
    const target = await followPath(source.parsed, path.slice(0, -1), follow)
    const module = target && (await apiModule(target, follow))
    if (!module) continue
    addProblem(findings, source, node, elsewhere('this route is', host.locate(module.file).rootPath))
  }
}

/** `const { get } = api` */
async function checkValues({ source, host, files, findings, aliases }: Detection): Promise<void> {
  const { bindings } = source.parsed
  const { uses, calls } = readReferences(source.parsed)
  const called = new Set(calls.map(({ node }) => rootOf(node.callee).start))
  for (const use of uses) {
    const binding = bindings.get(use.name)
    if (binding?.kind !== 'import' || !isWorthFollowing(binding, aliases)) continue
    if (use.type || isExport(use) || called.has(use.start)) continue
    const follow: Follow = { host, files, visited: new Set() }
    const target = await followPath(source.parsed, [use.name], follow)
    const module = target && (await apiModule(target, follow))
    if (module)
      addProblem(
        findings,
        source,
        use,
        elsewhere(
          `\`${use.name}\` is used as a value, and routes made so are`,
          host.locate(module.file).rootPath,
        ),
      )
  }
}

function isWorthFollowing({ imported, source }: ImportBinding, aliases: ReadonlySet<string>): boolean {
  if (imported !== 'default') return aliases.has(imported)
  const modules = [...aliases].filter((word) => word.startsWith('/'))
  return mentions(`import '${source}'`, modules)
}

function elsewhere(what: string, rootPath: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `${what} not in the file of its endpoint, which is ${rootPath}`,
    hint: `write the route in ${rootPath}; its handler may be imported from here`,
  }
}

/** Following reads other files, and pages have calls such as `axios.get('/items')`. */
function looksLikeRoute({ arguments: given }: CallExpression): boolean {
  return (
    given.length > 1 && /^(?:Literal|TemplateLiteral|Identifier|MemberExpression)$/.test(peel(given[0]!).type)
  )
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
