import { type BalancedRoute, segmentsOf } from '../routes/balanced-table.ts'
import { responseRef } from './fixed-parts.ts'
import { toAnswers } from './route-answers.ts'
import { toRequestBody } from './route-body.ts'
import { partOf, type Resolve, type RoutePart, toPathParameters, toQueryParameters } from './route-values.ts'
import type { Operation, PathItem } from './types.ts'
import { toName, type Values } from './values.ts'

export interface GivenRoute {
  route: BalancedRoute
  values: Values
  resolve: Resolve
}

/** Adds routes to the paths of a document. Two that differ in nothing but names have one path there. */
export function createBalancedPaths(paths: Record<string, PathItem>): (given: GivenRoute) => void {
  const known = new Map<string, { path: string; names: string[] }>()
  return (given) => {
    const { route } = given
    const segments = segmentsOf(route)
    const shape = segments.map((one) => (one.kind === 'text' ? encodeURIComponent(one.text) : '{}')).join('/')
    const names = namesOf(route)
    const template = known.get(shape) ?? { path: `/${fill(shape, names)}`, names }
    known.set(shape, template)
    const item = (paths[template.path] ??= {})
    const key = route.method === 'ANY' || route.method === 'WS' ? 'get' : route.method.toLowerCase()
    // The document has one place for what the router can tell apart, such as `:id` and `**`.
    if (item[key]) item.description = `${item.description ?? 'Also'} ${route.method} /${route.path}`
    else item[key] = toOperation(given, template.names)
    if (route.method === 'ANY') item['x-flash-web'] = true
  }
}

function namesOf(route: BalancedRoute): string[] {
  return segmentsOf(route).flatMap((one) => {
    if (one.kind === 'text') return []
    return [one.name ?? (route.method === 'ANY' ? 'path' : 'rest')]
  })
}

function fill(shape: string, names: readonly string[]): string {
  let index = 0
  return shape.replaceAll('{}', () => `{${names[index++]}}`)
}

function toOperation(given: GivenRoute, names: readonly string[]): Operation {
  const { method } = given.route
  if (method === 'ANY') return toWeb(given, names)
  return method === 'WS' ? toSocket(given, names) : toRoute(given, names)
}

function toRoute(given: GivenRoute, names: readonly string[]): Operation {
  const { route, values, resolve } = given
  const part = (name: RoutePart) => partOf(values, name, resolve)
  const requestBody = toRequestBody(route.method, part('body'), given)
  const parameters = [...pathParameters(given, names), ...toQueryParameters(resolved(part('query'), resolve))]
  const note = values.note(['params', 'query', 'body', 'response'])
  return {
    ...base(given, `${route.method} ${route.fact.route!.path}`, note ? [`Not fully known: ${note}.`] : []),
    ...(parameters.length > 0 && { parameters }),
    ...(requestBody && { requestBody }),
    responses: {
      ...toAnswers(values, route.method),
      ...(isChecked(route) && { '422': responseRef('NotFitting') }),
      default: responseRef('HandlerFailed'),
    },
    ...(note && { 'x-flash-note': note }),
  }
}

/** Whether a request can fail to fit; a result that does not is no fault of it. */
function isChecked({ fact }: BalancedRoute): boolean {
  return fact.route!.schemas.some((name) => name !== 'response')
}

function toSocket(given: GivenRoute, names: readonly string[]): Operation {
  const about = 'A WebSocket: ask with `Upgrade: websocket`. This page cannot open one.'
  const parameters = pathParameters(given, names)
  return {
    ...base(given, `WebSocket ${given.route.fact.route!.path}`, [about]),
    ...(parameters.length > 0 && { parameters }),
    responses: { '101': { description: 'It is open.' }, default: responseRef('Failed') },
    'x-flash-websocket': true,
  }
}

function toWeb(given: GivenRoute, names: readonly string[]): Operation {
  const { shadowed } = given.route
  const others =
    shadowed.length > 0 ? [`Not answered by it: ${shadowed.map((one) => `\`${one}\``).join(', ')}.`] : []
  return {
    ...base(given, `Web app ${given.route.fact.exportPath}`, [
      'A whole web app answers every method and every path below this one; which it has, only the app knows.',
      ...others,
    ]),
    parameters: pathParameters(given, names),
    responses: {
      default: { description: 'What the app answers.', content: { '*/*': { schema: {} } } },
    },
  }
}

function pathParameters({ route, values, resolve }: GivenRoute, names: readonly string[]) {
  return toPathParameters(segmentsOf(route), names, resolved(partOf(values, 'params', resolve), resolve))
}

function resolved<T>(schema: T | null, resolve: (schema: T) => T): T | null {
  return schema && resolve(schema)
}

function base({ route: { fact, method }, values }: GivenRoute, summary: string, about: string[]) {
  const said = values.callable('handler')?.description
  return {
    operationId: `${toName(fact)}${fact.route ? '' : `_${method}`}`,
    tags: [fact.endpoint],
    summary,
    description: [...(said ? [said] : []), ...about, `Source: \`${fact.at.file}:${fact.at.line}\`.`].join(
      '\n\n',
    ),
  }
}
