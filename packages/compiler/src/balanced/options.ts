import type { RouteFact } from '@flash/protocol'
import type { Argument, Node, ObjectExpression } from 'oxc-parser'
import type { Detection } from '../detect.ts'
import { peel } from '../parse.ts'
import { propertyName } from '../references.ts'
import { addProblem, type Refusal } from '../refuse.ts'

const schemas: RouteFact['schemas'] = ['params', 'query', 'body', 'response']

/** Which parts of a route its third argument has schemas for; refuses what reading cannot tell. */
export function readOptions(detection: Detection, argument: Argument | undefined): RouteFact['schemas'] {
  const { findings, source } = detection
  const node = argument && (peel(argument) as Node)
  if (!node) return []
  if (node.type !== 'ObjectExpression') {
    addProblem(findings, source, node, unreadable)
    return []
  }
  const names = new Set(node.properties.map((property) => readOption(detection, property)))
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
