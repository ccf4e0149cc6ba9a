import type { AppError } from '@flash/protocol'
import type { CallExpression, Expression } from 'oxc-parser'
import { readBody } from './body.ts'
import { checkComponent, isComponent, parseComponent } from './component.ts'
import { findClient } from './client.ts'
import { checkUses, type Detection, findPackageCalls, mayContain, notAvailable } from './detect.ts'
import { functionId } from './id.ts'
import { type ParsedModule, parseModule, peel, withoutQuery } from './parse.ts'
import { readPlace } from './place.ts'
import { type ImportedCall, readReferences } from './references.ts'
import { addProblem, createFindings, type Refusal, type Source, throwFirst } from './refuse.ts'
import type { CompilerHost, FoundClient, FoundFunction, ModuleAnalysis } from './types.ts'
import { findKeptByStatements, findMutableCaptures } from './warn.ts'

/**
 * Finds the remote functions of one module, by what its names are bound to.
 *
 * - `file`: absolute, with its query if it has one.
 * - `aliases`: see `mayContain`.
 * - returns `null` when nothing of ours is in it; most files are not even parsed.
 * - throws the first problem in the text: `SYNTAX_ERROR`, `NOT_AVAILABLE` and the `REMOTE_…` codes, each with position and frame.
 */
export async function analyzeModule(
  code: string,
  file: string,
  host: CompilerHost,
  aliases: Iterable<string> = [],
): Promise<ModuleAnalysis | null> {
  if (!mayContain(code, aliases)) return null
  const shown = host.locate(withoutQuery(file)).rootPath
  const component = isComponent(file)
  const parsed = component ? parseComponent(code, file) : parseModule(code, file, shown)
  if (!parsed) return null
  const findings = createFindings()
  const detection: Detection = { source: { parsed, shown }, host, files: new Set(), findings }
  const found = component ? await refuseAll(detection) : await findAll(detection)
  throwFirst(findings)
  const { functions, clients } = found
  if (functions.length === 0 && clients.length === 0) return null
  const warnings = [...findings.warnings, ...findWarnings(detection.source, functions)]
  detection.files.delete(parsed.file)
  return { parsed, functions, clients, facts: [], warnings, dependencies: [...detection.files].sort() }
}

/** A module as `rewriteModule` takes it, whether or not functions are in it: a shared constant's, for role `setup`. */
export function plainAnalysis(parsed: ParsedModule): ModuleAnalysis {
  return { parsed, functions: [], clients: [], facts: [], warnings: [], dependencies: [] }
}

function findWarnings(source: Source, functions: FoundFunction[]): AppError[] {
  const bodies = functions.map(({ body }) => body)
  const calls = functions.map(({ call }) => call)
  return [...findMutableCaptures(source, bodies), ...findKeptByStatements(source, calls)]
}

interface Found {
  functions: FoundFunction[]
  clients: FoundClient[]
}

async function refuseAll(detection: Detection): Promise<Found> {
  await checkComponent(detection)
  return { functions: [], clients: [] }
}

async function findAll(detection: Detection): Promise<Found> {
  const { source, findings } = detection
  const words = await findPackageCalls(detection)
  await checkUses(detection)
  const found: Found = { functions: [], clients: [] }
  for (const call of readReferences(source.parsed).calls) {
    const word = words.get(call.node)
    const client = word === 'endpoint' ? findClient(source.parsed, call.node) : null
    if (client) found.clients.push(client)
    else if (word === 'endpoint' || word === 'task')
      addProblem(findings, source, call.node, notAvailable(word))
    const made = word === 'remote' ? await readCall(detection, call, words) : null
    if (made) found.functions.push(made)
  }
  found.functions.sort((a, b) => a.call.start - b.call.start)
  found.clients.sort((a, b) => a.call.start - b.call.start)
  refuseDuplicates(detection, found.functions)
  return found
}

async function readCall(
  detection: Detection,
  { node, ancestors }: ImportedCall,
  words: Map<CallExpression, string>,
): Promise<FoundFunction | null> {
  const { source, findings, host } = detection
  const place = readPlace(ancestors, node)
  const wrong = 'refusal' in place ? place.refusal : checkArguments(node)
  if (wrong || 'refusal' in place) {
    addProblem(findings, source, node, wrong!)
    return null
  }
  const [config, argument] = node.arguments as [Expression, Expression]
  const exportPath = place.path.join('.')
  const shape = await readBody(detection, argument, words, exportPath)
  const { package: name, path } = host.locate(source.parsed.file)
  return {
    id: functionId(name, path, exportPath),
    exportPath,
    exported: place.path[0] === 'default' || exportedNames(source.parsed).has(place.path[0]!),
    ...shape,
    at: source.parsed.position(node.start, source.shown),
    call: node,
    config: peel(config) as Expression,
  }
}

function checkArguments({ arguments: given }: CallExpression): Refusal | null {
  if (given.some(({ type }) => type === 'SpreadElement')) {
    return {
      code: 'REMOTE_ARGUMENTS',
      message: 'the arguments of `remote()` are spread, so the build cannot see which is the function',
      hint: 'write both arguments out: `remote(config, fn)`',
    }
  }
  if (given.length === 2) return null
  return {
    code: 'REMOTE_ARGUMENTS',
    message: `\`remote()\` takes a config and a function, and has ${given.length === 1 ? 'one argument' : `${given.length} arguments`}`,
    hint: given.length < 2 ? 'write `remote({}, fn)` when nothing is to be configured' : 'keep the first two',
  }
}

/** Module-level names that another module can get at, also through `const b = a; export { b }`. */
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

/** `{ 'a.b': remote(…), a: { b: remote(…) } }` */
function refuseDuplicates({ findings, source }: Detection, functions: FoundFunction[]): void {
  const first = new Map<string, FoundFunction>()
  for (const found of functions) {
    const before = first.get(found.exportPath)
    if (!before) first.set(found.exportPath, found)
    else {
      addProblem(findings, source, found.call, {
        code: 'DUPLICATE_FUNCTION',
        message: `two remote functions are named \`${found.exportPath}\`: ${place(before)} and ${place(found)}`,
        hint: 'rename one of them',
      })
    }
  }
}

function place({ at }: FoundFunction): string {
  return `${at.file}:${at.line}:${at.column}`
}
