import type { RouteFact } from '@flash/protocol'
import type { Argument, Node, ObjectExpression } from 'oxc-parser'
import type { Detection } from '../detect.ts'
import { peel } from '../parse.ts'
import { propertyName } from '../references.ts'
import { addProblem, type Refusal } from '../refuse.ts'

const schemas: RouteFact['schemas'] = ['params', 'query', 'body', 'response']

type ReadOptions = Pick<RouteFact, 'schemas' | 'local'>

/**
 * Which parts of a route its third argument has schemas for, and whether the app's server runs it; refuses what reading cannot
 * tell, and what nobody would check.
 */
export function readOptions(
  detection: Detection,
  argument: Argument | undefined,
  method: RouteFact['method'],
): ReadOptions {
  const { findings, source } = detection
  const node = argument && (peel(argument) as Node)
  if (!node) return { schemas: [] }
  if (node.type !== 'ObjectExpression') {
    addProblem(findings, source, node, unreadable)
    return { schemas: [] }
  }
  if (method === 'WS') {
    addProblem(findings, source, node, ofSocket)
    return { schemas: [] }
  }
  const names = new Set(node.properties.map((property) => readOption(detection, property)))
  if (names.has('body') && (method === 'GET' || method === 'HEAD'))
    addProblem(findings, source, node, noBody(method))
  return { schemas: schemas.filter((name) => names.has(name)), ...(names.has('local') && { local: true }) }
}

/** The name of what is set; `local: false` sets nothing. */
function readOption(
  { findings, source }: Detection,
  property: ObjectExpression['properties'][number],
): string | null {
  const name = property.type === 'Property' ? propertyName(property.key, property.computed) : null
  if (property.type !== 'Property' || name === null) {
    addProblem(findings, source, property, unreadable)
    return null
  }
  if (name === 'local') {
    const value = peel(property.value) as Node
    if (value.type === 'Literal' && value.value === false) return null
    if (value.type !== 'Literal' || value.value !== true)
      addProblem(findings, source, property, localUnreadable)
  } else if (!schemas.some((known) => known === name)) {
    addProblem(findings, source, property, unknownOption(name))
  }
  return name
}

const unreadable: Refusal = {
  code: 'BAD_ROUTE',
  message: 'the third argument of the route is not an object that is written out here',
  hint: 'write it here, each schema under its name: `{ params, query, body, response }`',
}

const ofSocket: Refusal = {
  code: 'BAD_ROUTE',
  message: 'a WebSocket has no schemas, and nobody would check what this argument says',
  hint: 'leave it out, and check path and query in the hook `upgrade`',
}

function noBody(method: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `a ${method} request has no body, so no request could have what the schema \`body\` asks for`,
    hint: 'use `query`, or `api.post`',
  }
}

const localUnreadable: Refusal = {
  code: 'BAD_ROUTE',
  message: 'where the route runs is not written out here',
  hint: 'write `local: true` for the server of the app; leave it out, and the route runs in a worker',
}

function unknownOption(name: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `a route has no option ${JSON.stringify(name)}`,
    hint: 'its options are params, query, body, response and local',
  }
}
