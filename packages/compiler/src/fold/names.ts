import type { Node } from 'oxc-parser'
import type { DeclaredBinding } from '../bindings.ts'
import { followExport, followPath, packageName, type Target } from '../follow.ts'
import { type ParsedModule, parseModule, peel } from '../parse.ts'
import { memberPath, propertyName } from '../references.ts'
import { findChange } from './changes.ts'
import { findInJson } from './json.ts'
import { ownData, ownHelpers } from './known.ts'
import type { Step } from './step.ts'
import { type Folded, fromData, nothing, unknown } from './values.ts'

/** What a name of the module is. */
export async function readName(step: Step, name: string): Promise<Folded> {
  const { module } = step.place
  const binding = module.bindings.get(name)
  if (!binding || binding.kind === 'type') return readGlobal(step, name)
  return readChange(step, module, name) ?? readTarget(step, name, await targetOf(step, [name]))
}

/** Where a name, or a member of a namespace, leads through imports, barrels and aliases. */
export function targetOf({ folder, place }: Step, path: string[]): Promise<Target | null> {
  return followPath(place.module, path, { ...folder, visited: new Set() })
}

function readChange(step: Step, module: ParsedModule, name: string): Folded | undefined {
  const change = findChange(module, name)
  if (!change) return undefined
  const { line } = module.position(change.start)
  const hint = 'make it a constant that nothing changes'
  return unknown(step.place, `is changed in line ${line} of its module`, 'never', hint)
}

async function readTarget(step: Step, name: string, target: Target | null): Promise<Folded> {
  switch (target?.kind) {
    case 'declared':
      return readDeclared(step, target)
    case 'expression':
      return step.fold({ ...step, place: target, name: 'default' })
    case 'namespace':
      return namespaceOf(step, (key) =>
        followExport(target.module, key, { ...step.folder, visited: new Set() }),
      )
    case 'outside':
      return target.source === packageName ? readOwn(step, target) : readOutside(step, name, target)
    default:
      return readMissing(step, name)
  }
}

/** A module without any export is CommonJS, whose exports only show when it runs. */
async function readMissing(step: Step, name: string): Promise<Folded> {
  const { module } = step.place
  const { host } = step.folder
  const binding = module.bindings.get(name)
  const file = binding?.kind === 'import' ? await host.resolve(binding.source, module.file) : null
  const code = file && (await host.load(file))
  const isCommonJs = file !== null && typeof code === 'string' && exportsNothing(parseModule(code, file))
  const hint = 'export it where it is imported from'
  return unknown(step.place, `is "${name}", which no module exports`, isCommonJs ? 'run' : 'never', hint)
}

function exportsNothing({ exports, exportAlls }: ParsedModule): boolean {
  return exports.size === 0 && exportAlls.length === 0
}

function namespaceOf(step: Step, find: (key: string) => Promise<Target | null>): Folded {
  return { kind: 'namespace', member: async (key) => readTarget(step, key, await find(key)) }
}

type Outside = Extract<Target, { kind: 'outside' }>

function readOwn(step: Step, { source, name }: Outside): Folded {
  if (name === '*') return namespaceOf(step, async (key) => ({ kind: 'outside', source, name: key }))
  if (Object.hasOwn(ownData, name)) return fromData(ownData[name], step.place)
  if (Object.hasOwn(ownHelpers, name)) return { kind: 'helper', makes: ownHelpers[name] as string }
  return unknown(step.place, `is "${name}" of ${packageName}, which is no value for a config`, 'never')
}

/** A package, or a file that is no module; JSON can be read. */
async function readOutside(step: Step, name: string, { source, name: imported }: Outside): Promise<Folded> {
  const { module } = step.place
  const { host, files } = step.folder
  const binding = module.bindings.get(name)
  // Through a barrel the specifier is relative to another file.
  const isDirect = binding?.kind === 'import' && binding.source === source
  const file = isDirect ? await host.resolve(source, module.file) : null
  const code = file && (await host.load(file))
  if (!file || typeof code !== 'string') return unknown(step.place, `comes from "${source}"`, 'run')
  files.add(file)
  // What can be parsed was followed, so this throws, with the position of the error.
  const shown = host.locate(file).rootPath
  if (/\.[cm]?[jt]sx?$/.test(file)) parseModule(code, file, shown)
  if (!file.endsWith('.json')) return unknown(step.place, `comes from "${source}"`, 'run')
  const place = findInJson(code, file, shown, imported)
  if (!place) return unknown(step.place, `is not in ${source}`, 'never', `use a key that ${source} has`)
  return step.fold({ ...step, place, name: null })
}

async function readDeclared(
  step: Step,
  { module, binding }: Extract<Target, { kind: 'declared' }>,
): Promise<Folded> {
  const { kind, name, init, destructured } = binding
  if (kind === 'function' || kind === 'class') return { kind: 'code' }
  const changed = readChange(step, module, name)
  if (changed) return changed
  if (step.active.includes(binding)) return unknown(step.place, 'refers to itself', 'never')
  if (init) {
    const active: DeclaredBinding[] = [...step.active, binding]
    return step.fold({ ...step, place: { module, node: init }, name, active })
  }
  const isUnset = (kind === 'let' || kind === 'var') && !destructured
  return isUnset
    ? nothing
    : unknown(step.place, `is declared by ${destructured ? 'destructuring' : kind}`, 'run')
}

const globals: Record<string, undefined | number> = {
  undefined: undefined,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
}

function readGlobal(step: Step, name: string): Folded {
  if (Object.hasOwn(globals, name)) return { kind: 'plain', value: globals[name] }
  if (name in globalThis) return unknown(step.place, `uses the global "${name}"`, 'run')
  return unknown(step.place, 'is not declared', 'never', `declare or import ${name}, or add it to \`define\``)
}

/** What the build says about a name that the module does not declare: `define`, `import.meta.env`, `process.env`. */
export async function readKnown(step: Step, node: Node): Promise<Folded | undefined> {
  const dotted = dottedName(node)
  if (dotted === null) return undefined
  const [root] = dotted.split('.', 1)
  const known = step.place.module.bindings.has(root!) ? undefined : step.folder.known.find(dotted)
  if (known?.kind === 'data') return fromData(known.data, step.place)
  if (known?.kind === 'expression') return readDefined(step, dotted, known.code)
  if (known?.kind === 'unlisted') {
    const hint = `add ${JSON.stringify(known.name)} to the plugin option \`configEnv\``
    return unknown(step.place, 'is a variable that configs may not read', 'never', hint)
  }
  return undefined
}

/** The text of a `define` entry that is no JSON. */
async function readDefined(step: Step, dotted: string, code: string): Promise<Folded> {
  const module = parseModule(`export default (${code})`, `define:${dotted}.ts`)
  const exported = module.exports.get('default') as { expression: Node }
  const value = await step.fold({ ...step, place: { module, node: exported.expression }, name: null })
  return value.kind === 'unknown' ? { ...value, place: step.place } : value
}

/** `a.b.c`, `a['b'].c` and `import.meta.env.X` as text; `null` for anything else. */
export function dottedName(node: Node): string | null {
  const inner = peel(node) as Node
  if (inner.type === 'MetaProperty') return `${inner.meta.name}.${inner.property.name}`
  if (inner.type !== 'MemberExpression') return memberPath(inner)?.[0] ?? null
  const owner = dottedName(inner.object)
  const key = propertyName(inner.property, inner.computed)
  return owner === null || key === null ? null : `${owner}.${key}`
}
