import type { RouteFact } from '@flash/protocol'
import type { Argument, Node, ObjectExpression } from 'oxc-parser'
import type { Detection } from '../detect.ts'
import { peel } from '../parse.ts'
import { propertyName } from '../references.ts'
import { addProblem, type Refusal } from '../refuse.ts'

const schemas: RouteFact['schemas'] = ['params', 'query', 'body', 'response']

/** Which parts of a route its third argument has schemas for; refuses what reading cannot tell, and what nobody would check. */
export function readOptions(
  detection: Detection,
  argument: Argument | undefined,
  method: RouteFact['method'],
): RouteFact['schemas'] {
  const { findings, source } = detection
  const node = argument && (peel(argument) as Node)
  if (!node) return []
  if (node.type !== 'ObjectExpression') {
    addProblem(findings, source, node, unreadable)
    return []
  }
  if (method === 'WS') {
    addProblem(findings, source, node, ofSocket)
    return []
  }
  const names = new Set(node.properties.map((property) => readOption(detection, property)))
  if (names.has('body') && (method === 'GET' || method === 'HEAD'))
    addProblem(findings, source, node, noBody(method))
  return schemas.filter((name) => names.has(name))
}

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
    const isOff = value.type === 'Literal' && value.value === false
    if (!isOff) addProblem(findings, source, property, noLocal)
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

const noLocal: Refusal = {
  code: 'NOT_AVAILABLE',
  message: '`local: true`: routes that run in the server of the app are not available in this version',
  hint: 'leave it out: the route runs in a worker; or write the route in the server of the app itself',
}

function unknownOption(name: string): Refusal {
  return {
    code: 'BAD_ROUTE',
    message: `a route has no option ${JSON.stringify(name)}`,
    hint: 'its options are params, query, body and response',
  }
}
