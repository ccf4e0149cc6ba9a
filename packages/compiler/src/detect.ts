import type { CallExpression, Node } from 'oxc-parser'
import type { ImportBinding } from './bindings.ts'
import { followExport, followPath, packageName, packageWords, type Target } from './follow.ts'
import { mentions, mentionsModule, withoutEscapes } from './mention.ts'
import { type ParsedModule, peel } from './parse.ts'
import { type NamedCall, propertyName, readReferences, type Use } from './references.ts'
import { addProblem, type Findings, type Refusal, type Source } from './refuse.ts'
import type { CompilerHost } from './types.ts'

/**
 * A test of raw text, so that no other file is ever parsed: the package, or one of its words used as an import, a callee, a key
 * or a member.
 */
const suspicious =
  /\bunplugin-flash\b|\b(?:remote|endpoint|task)\b['"`\])!]*\s*(?:[(<,}?:]|as\b|satisfies\b|\/[*/])|(?:\.|\*\/|\[\s*['"`])\s*(?:remote|endpoint|task)\b/

/**
 * Whether a module can have to do with us at all.
 *
 * - `aliases`: other words by which modules of the project name what is ours (`findExportWords`).
 */
export function mayContain(code: string, aliases: Iterable<string> = []): boolean {
  return suspicious.test(withoutEscapes(code)) || mentions(code, aliases)
}

export interface Detection {
  source: Source
  host: CompilerHost
  /** Files that were read on the way. */
  files: Set<string>
  findings: Findings
  /** See `mayContain`. */
  aliases: ReadonlySet<string>
}

/** Calls of the package's functions by what they are bound to: `remote`, `endpoint`, `task`, `unchecked`. */
export async function findPackageCalls(detection: Detection): Promise<Map<CallExpression, string>> {
  const words = new Map<CallExpression, string>()
  const known = new Map<string, Promise<string | null>>()
  for (const call of readReferences(detection.source.parsed).calls) {
    if (!call.declared || !isWorthFollowing(detection, call)) continue
    const key = call.path.join('\0')
    const word = known.get(key) ?? findWord(detection, call.path)
    known.set(key, word)
    const found = await word
    if (found) words.set(call.node, found)
  }
  return words
}

/** Following reads other files, so it must look like ours: by a name, or by the form `gpu({ … }, fn)`. */
function isWorthFollowing(detection: Detection, { path, node }: NamedCall): boolean {
  const binding = detection.source.parsed.bindings.get(path[0]!) as ImportBinding
  if (binding.typeOnly) return false
  if (binding.source === packageName || isWordOf(detection, binding, binding.imported)) return true
  return path.slice(1).some((name) => isWordOf(detection, binding, name)) || hasOurForm(node)
}

/** Whether what is imported, or its member, can be ours by its name. */
function isWordOf({ aliases }: Detection, { source, imported }: ImportBinding, name: string): boolean {
  if (packageWords.has(name) || aliases.has(name)) return true
  if (name !== 'default') return false
  // Of which module a namespace within one is, only following tells.
  return imported === '*' || imported === 'default' ? mentionsModule(source, aliases) : aliases.has(imported)
}

const firstTypes = new Set<Node['type']>(['ObjectExpression', 'Identifier', 'MemberExpression'])
const secondTypes = new Set<Node['type']>([
  'ArrowFunctionExpression',
  'FunctionExpression',
  'ClassExpression',
  'Identifier',
  'CallExpression',
  'MemberExpression',
])

function hasOurForm({ arguments: [first, second, third] }: CallExpression): boolean {
  if (!first || !second || third) return false
  return firstTypes.has(peel(first).type) && secondTypes.has(peel(second).type)
}

async function findWord({ source, host, files }: Detection, path: string[]): Promise<string | null> {
  const target = await followPath(source.parsed, path, { host, files, visited: new Set() })
  return isOurs(target) ? target.name : null
}

/** Refuses what cannot be followed: our words handed around, and calls of them that nothing declares. */
export async function checkUses(detection: Detection): Promise<void> {
  const { source, findings } = detection
  const { calls, uses } = readReferences(source.parsed)
  for (const { node, path, declared } of calls)
    if (!declared && looksLikeOurs(path[0]!, node)) addProblem(findings, source, node, unresolved(path[0]!))
  for (const use of uses) {
    const path = use.type ? null : valuePath(detection, use)
    const word = path && (await findWord(detection, path))
    if (word && word !== 'unchecked')
      addProblem(findings, source, use, word === 'task' ? notAvailable : asValue(word))
  }
}

/** The names to follow when a use is neither a call nor an export of one of our words. */
function valuePath(detection: Detection, use: Use): string[] | null {
  const binding = detection.source.parsed.bindings.get(use.name)
  if (binding?.kind !== 'import') return null
  if (use.parent.type === 'ExportSpecifier' || use.parent.type === 'ExportDefaultDeclaration') return null
  const isWord = (name: string) => isWordOf(detection, binding, name)
  if (use.effect !== 'call' && isWord(binding.imported)) return [use.name]
  const member = use.effect === 'read' && memberOf(use.parent, isWord)
  return member ? [use.name, member] : null
}

/** `flash.remote` and `const { remote } = flash`. */
function memberOf(parent: Node, isWord: (name: string) => boolean): string | null {
  const keys =
    parent.type === 'MemberExpression' ? [propertyName(parent.property, parent.computed)] : keysOf(parent)
  return keys.find((key) => key !== null && isWord(key)) ?? null
}

function keysOf(parent: Node): (string | null)[] {
  if (parent.type !== 'VariableDeclarator' || parent.id.type !== 'ObjectPattern') return []
  return parent.id.properties.map((property) =>
    property.type === 'Property' ? propertyName(property.key, property.computed) : null,
  )
}

/** Somebody else's global may have the name, and is given something else. */
function looksLikeOurs(word: string, { arguments: given }: CallExpression): boolean {
  if (given.length === 2) return true
  return word === 'endpoint' && given.length === 1 && peel(given[0]!).type === 'ObjectExpression'
}

function unresolved(word: string): Refusal {
  return {
    code: 'REMOTE_UNRESOLVED',
    message: `\`${word}\` is called without an import; an auto-import plugin adds it only after the module was read`,
    hint: `add \`import { ${word} } from '${packageName}'\` to this file`,
  }
}

function asValue(word: string): Refusal {
  const [what, example] =
    word === 'remote'
      ? ['functions', 'read = remote({ … }, async () => { … })']
      : ['routes and web apps', 'api = endpoint({ … })']
  return {
    code: 'REMOTE_AS_VALUE',
    message: `\`${word}\` is used as a value, and ${what} made through it would stay in the browser`,
    hint: `call it by its imported name: \`const ${example}\``,
  }
}

export const notAvailable: Refusal = {
  code: 'NOT_AVAILABLE',
  message: '`task()`: tasks are not available in this version',
  hint: 'use `remote(config, fn)`, which runs the function from a queue',
}

/** Names other than `remote` under which a module exports it, for `mayContain` of the modules that import them. */
export async function findAliases(parsed: ParsedModule, host: CompilerHost): Promise<string[]> {
  const aliases: string[] = []
  for (const [name, { typeOnly }] of parsed.exports) {
    if (typeOnly || packageWords.has(name)) continue
    const target = await followExport(parsed, name, { host, files: new Set(), visited: new Set() })
    if (isOurs(target)) aliases.push(name)
  }
  return aliases
}

export function isOurs(target: Target | null): target is Extract<Target, { kind: 'outside' }> {
  return target?.kind === 'outside' && target.source === packageName && packageWords.has(target.name)
}
