import type { RouteMethod } from '@flash/protocol'
import type { Node } from 'oxc-parser'
import { peel } from '../parse.ts'

const methods = new Map<string, RouteMethod>([
  ['get', 'GET'],
  ['post', 'POST'],
  ['put', 'PUT'],
  ['patch', 'PATCH'],
  ['delete', 'DELETE'],
  ['head', 'HEAD'],
  ['options', 'OPTIONS'],
  ['ws', 'WS'],
])

/** What `api.get` makes routes of; nothing for other members. */
export function methodOf(member: string): RouteMethod | undefined {
  return methods.get(member)
}

/** The identifier that a chain of members begins with. */
export function rootOf(callee: Node): Node {
  let node: Node = peel(callee)
  while (node.type === 'MemberExpression') node = peel(node.object)
  return node
}
