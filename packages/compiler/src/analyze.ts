import type { AppError } from '@flash/protocol'
import type { CallExpression, Expression } from 'oxc-parser'
import { findEndpoints } from './balanced/find.ts'
import { readBody } from './body.ts'
import { checkComponent, isComponent, parseComponent } from './component.ts'
import { checkUses, type Detection, findPackageCalls, mayContain, notAvailable } from './detect.ts'
import { isExportedPath } from './exported.ts'
import { functionId } from './id.ts'
import { type ParsedModule, parseModule, peel, withoutQuery } from './parse.ts'
import { madeByRemote, readPlace } from './place.ts'
import { type NamedCall, readReferences } from './references.ts'
import { addProblem, createFindings, type Refusal, type Source, throwFirst } from './refuse.ts'
import type { CompilerHost, FoundApi, FoundClient, FoundFunction, ModuleAnalysis } from './types.ts'
import { findKeptByStatements, findMutableCaptures } from './warn.ts'

/**
 * Finds the remote functions, routes, web apps and clients of one module, by what its names are bound to.
 *
 * - `file`: absolute, with its query if it has one.
 * - `aliases`: see `mayContain`.
 * - returns `null` when nothing of ours is in it; most files are not even parsed.
 * - throws the first problem in the text: `SYNTAX_ERROR`, `NOT_AVAILABLE`, those of routes and the `REMOTE_…` codes, each with position
 *   and frame.
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
  const source: Source = { parsed, shown }
  const detection: Detection = { source, host, files: new Set(), findings, aliases: new Set(aliases) }
  const found = component ? await refuseAll(detection) : await findAll(detection)
  throwFirst(findings)
  if (Object.values(found).every(({ length }) => length === 0)) return null
  const warnings = [...findings.warnings, ...findWarnings(source, found)]
  detection.files.delete(parsed.file)
  return { parsed, ...found, facts: [], warnings, dependencies: [...detection.files].sort() }
}

/** A module as `rewriteModule` takes it, whether or not functions are in it: a shared constant's, for role `setup`. */
export function plainAnalysis(parsed: ParsedModule): ModuleAnalysis {
  return { parsed, functions: [], clients: [], apis: [], facts: [], warnings: [], dependencies: [] }
}

function findWarnings(source: Source, { functions, apis }: Found): AppError[] {
  const calls = [...functions, ...apis].map(({ call }) => call)
  return [...findMutableCaptures(source, functions), ...findKeptByStatements(source, calls)]
}

interface Found {
  functions: FoundFunction[]
  clients: FoundClient[]
  apis: FoundApi[]
}

async function refuseAll(detection: Detection): Promise<Found> {
  await checkComponent(detection)
  return { functions: [], clients: [], apis: [] }
}

async function findAll(detection: Detection): Promise<Found> {
  const { source, findings } = detection
  const words = await findPackageCalls(detection)
  await checkUses(detection)
  const found: Found = await findEndpoints(detection, words)
  for (const call of readReferences(source.parsed).calls) {
    const word = words.get(call.node)
    if (word === 'task') addProblem(findings, source, call.node, notAvailable)
    const made = word === 'remote' ? await readCall(detection, call, words) : null
    if (made) found.functions.push(made)
  }
  for (const list of Object.values(found) as { call: CallExpression }[][])
    list.sort((a, b) => a.call.start - b.call.start)
  refuseDuplicates(detection, found.functions)
  return found
}

async function readCall(
  detection: Detection,
  { node, ancestors }: NamedCall,
  words: Map<CallExpression, string>,
): Promise<FoundFunction | null> {
  const { source, findings, host } = detection
  const place = readPlace(ancestors, node, madeByRemote)
  const wrong = 'refusal' in place ? place.refusal : checkArguments(node)
  if (wrong || 'refusal' in place) {
    addProblem(findings, source, node, wrong!)
    return null
  }
  const [config, argument] = node.arguments as [Expression, Expression]
  const exportPath = place.path.join('.')
  const shape = await readBody(detection, argument, words, { name: exportPath })
  const { package: name, path } = host.locate(source.parsed.file)
  return {
    id: functionId(name, path, exportPath),
    exportPath,
    exported: isExportedPath(source.parsed, place.path),
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

/** `{ 'a.b': remote(…), a: { b: remote(…) } }` */
function refuseDuplicates({ findings, source }: Detection, functions: FoundFunction[]): void {
  const first = new Map<string, FoundFunction>()
  for (const found of functions) {
    // Routes are compared by what they answer.
    if (found.route) continue
    const before = first.get(found.exportPath)
    if (!before) first.set(found.exportPath, found)
    else {
      addProblem(findings, source, found.call, {
        code: 'DUPLICATE_FUNCTION',
        message: `${place(before)} and ${place(found)} are both named \`${found.exportPath}\``,
        hint: 'rename one of them',
      })
    }
  }
}

function place({ kind, at }: FoundFunction): string {
  return `the ${kind === 'web' ? 'web app' : 'remote function'} at ${at.file}:${at.line}:${at.column}`
}
