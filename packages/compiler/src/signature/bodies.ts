import type { ArrowFunctionExpression, Class, Function, MethodDefinition } from 'oxc-parser'
import { classOf, type FoundClass, nodeOf } from '../class.ts'
import { followPath, type Target } from '../follow.ts'
import { type ParsedModule, peel } from '../parse.ts'
import { isFunction, memberPath, propertyName } from '../references.ts'
import type { CompilerHost, FoundFunction } from '../types.ts'

export type AnyFunction = Function | ArrowFunctionExpression

/** A function and the module it is written in. */
export interface FoundBody {
  module: ParsedModule
  node: AnyFunction
  /** Of a method: its class. */
  owner?: Class
}

/** The function or class that is run; `null` when reading does not lead to it. */
export async function findBody(
  host: CompilerHost,
  module: ParsedModule,
  { body }: Pick<FoundFunction, 'body'>,
): Promise<FoundBody | FoundClass | null> {
  if (body.type === 'ArrowFunctionExpression' || body.type === 'FunctionExpression')
    return { module, node: body }
  if (body.type === 'ClassExpression') return { module, node: body }
  const path = memberPath(body)
  const target = path && (await followPath(module, path, { host, files: new Set(), visited: new Set() }))
  return target ? bodyOf(target) : null
}

function bodyOf(target: Target): FoundBody | FoundClass | null {
  const found = classOf(target)
  if (found) return found
  const node = nodeOf(target)
  if (!node || !isFunction(node) || !('module' in target)) return null
  return { module: target.module, node: node as AnyFunction }
}

/** A method of a class, of its own or inherited; `constructor` is one. */
export async function findMethod(
  host: CompilerHost,
  found: FoundClass,
  name: string,
): Promise<FoundBody | null> {
  const visited = new Set<Class>()
  let current: FoundClass | null = found
  while (current && !visited.has(current.node)) {
    const { node, module }: FoundClass = current
    visited.add(node)
    const method = node.body.body.find((member): member is MethodDefinition => isMethod(member, name))
    if (method) return { module, node: method.value, owner: node }
    current = await findParent(host, current)
  }
  return null
}

function isMethod(member: Class['body']['body'][number], name: string): boolean {
  if (member.type !== 'MethodDefinition' || member.static || member.value.body === null) return false
  return member.key.type !== 'PrivateIdentifier' && propertyName(member.key, member.computed) === name
}

async function findParent(host: CompilerHost, { module, node }: FoundClass): Promise<FoundClass | null> {
  const parent = node.superClass && peel(node.superClass)
  if (parent?.type === 'ClassExpression') return { module, node: parent }
  const path = parent && memberPath(parent)
  const target = path && (await followPath(module, path, { host, files: new Set(), visited: new Set() }))
  return target ? classOf(target) : null
}
