import type { CallableFact, ParamFact } from '@flash/protocol'
import type { Class, ClassElement, Expression, MethodDefinition } from 'oxc-parser'
import type { Detection } from './detect.ts'
import { followPath, type Target } from './follow.ts'
import { type ParsedModule, peel } from './parse.ts'
import { readParams } from './params.ts'
import { memberPath, propertyName } from './references.ts'
import { addProblem, type Refusal, refuse, type Source } from './refuse.ts'

export interface ClassShape {
  callables: CallableFact[]
  constructorParams: ParamFact[] | null
}

/** A class and the module it is written in. */
export interface FoundClass {
  module: ParsedModule
  node: Class
}

/** Public methods, own first, then inherited ones as far as the superclass can be followed. */
export async function readClass(detection: Detection, found: FoundClass): Promise<ClassShape> {
  const callables = new Map<string, CallableFact>()
  const taken = new Set<string>()
  const visited = new Set<Class>()
  let constructorParams: ParamFact[] | null | undefined
  let current: FoundClass | null = found
  while (current && !visited.has(current.node)) {
    visited.add(current.node)
    for (const method of readMethods(detection, current, taken)) callables.set(method.name, method)
    constructorParams ??= readConstructor(current.node)
    const parent: FoundClass | null | 'unknown' = await readParent(detection, current)
    if (parent === 'unknown') {
      detection.findings.warnings.push(methodsUnknown(detection, current))
      constructorParams ??= null
    }
    current = parent === 'unknown' ? null : parent
  }
  return {
    callables: [...callables.values()],
    constructorParams: constructorParams === undefined ? [] : constructorParams,
  }
}

function readConstructor({ body }: Class): ParamFact[] | undefined {
  const own = body.body.find(
    (member): member is MethodDefinition =>
      member.type === 'MethodDefinition' && member.kind === 'constructor' && member.value.body !== null,
  )
  return own && readParams(own.value.params)
}

/** `taken`: names that a subclass has already given to something else, be it a method, a field or an accessor. */
function readMethods(detection: Detection, { module, node }: FoundClass, taken: Set<string>): CallableFact[] {
  const own: string[] = []
  const methods = node.body.body.flatMap((member): CallableFact[] => {
    const name = memberName(member)
    if (name === null) return []
    const inherited = taken.has(name)
    if (!isOverload(member)) own.push(name)
    if (inherited || !isPublicMethod(member, name)) return []
    checkName(detection, module, member, name)
    const kind = member.value.generator ? 'generator' : 'function'
    return [{ name, kind, params: readParams(member.value.params) }]
  })
  for (const name of own) taken.add(name)
  return methods
}

/** Instance members with a name that reading can tell. */
function memberName(member: ClassElement): string | null {
  if (!('key' in member) || member.static) return null
  if (member.key.type === 'PrivateIdentifier') return null
  return propertyName(member.key, member.computed)
}

function isOverload(member: ClassElement): boolean {
  return member.type === 'MethodDefinition' && member.value.body === null
}

function isPublicMethod(member: ClassElement, name: string): member is MethodDefinition {
  return (
    member.type === 'MethodDefinition' &&
    member.kind === 'method' &&
    member.value.body !== null &&
    (member.accessibility ?? 'public') === 'public' &&
    !name.startsWith('_')
  )
}

const reserved = new Set(['then', 'toJSON', 'constructor'])

function checkName(
  { host, findings }: Detection,
  module: ParsedModule,
  member: MethodDefinition,
  name: string,
): void {
  const refusal = reserved.has(name) ? reservedName(name) : /[,*]/.test(name) ? unwritableName(name) : null
  if (!refusal) return
  const source: Source = { parsed: module, shown: host.locate(module.file).rootPath }
  addProblem(findings, source, member.key, refusal)
}

function reservedName(name: string): Refusal {
  const why =
    name === 'then'
      ? 'awaiting an instance would call it'
      : 'the language calls it on values it does not know'
  return {
    code: 'RESERVED_METHOD',
    message: `a remote class cannot have a method \`${name}\`: ${why}`,
    hint: `rename it, or begin its name with \`_\` to keep it on the worker`,
  }
}

function unwritableName(name: string): Refusal {
  return {
    code: 'RESERVED_METHOD',
    message: `a remote class cannot have a method named ${JSON.stringify(name)}`,
    hint: 'use a name without `,` and `*`',
  }
}

async function readParent(
  detection: Detection,
  { module, node }: FoundClass,
): Promise<FoundClass | null | 'unknown'> {
  if (!node.superClass) return null
  const parent = peel(node.superClass)
  if (parent.type === 'ClassExpression') return { module, node: parent }
  if (parent.type === 'Literal' && parent.value === null) return null
  return (await findClass(detection, module, parent)) ?? 'unknown'
}

async function findClass(
  { host, files }: Detection,
  module: ParsedModule,
  expression: Expression,
): Promise<FoundClass | null> {
  const path = memberPath(expression)
  if (!path) return null
  const target = await followPath(module, path, { host, files, visited: new Set() })
  return target && classOf(target)
}

/** The class that a followed name stands for. */
export function classOf(target: Target): FoundClass | null {
  const node = nodeOf(target)
  if (node?.type !== 'ClassDeclaration' && node?.type !== 'ClassExpression') return null
  return { module: (target as { module: ParsedModule }).module, node }
}

/** The expression or declaration that a followed name stands for, wrappers peeled off. */
export function nodeOf(target: Target) {
  if (target.kind === 'expression') return peel(target.node)
  if (target.kind !== 'declared') return null
  const { binding } = target
  if (binding.kind === 'const' && binding.init) return peel(binding.init)
  return binding.kind === 'function' || binding.kind === 'class' ? binding.node : null
}

function methodsUnknown({ host }: Detection, { module, node }: FoundClass) {
  const source: Source = { parsed: module, shown: host.locate(module.file).rootPath }
  return refuse(source, node.superClass!, {
    code: 'METHODS_UNKNOWN',
    message: 'the superclass cannot be followed, so the methods it gives cannot be called from outside',
    hint: 'declare the ones to be called in this class, each calling `super`',
  })
}
