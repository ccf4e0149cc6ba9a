import { AppError, type CallableFact, type FunctionFact, type RouteSegment } from '@flash/protocol'
import {
  addressKey,
  type BalancedRoute,
  findBalancedRoutes,
  markShadowed,
  segmentsOf,
} from './balanced-table.ts'
import { queueVerbs } from './verbs.ts'

/** One thing with a queue that answers below the prefix: a function, or one method of a class. */
export interface Route {
  /** Without leading slash, as written in the source: `src` files lose their folder, classes add the method. */
  path: string
  fact: FunctionFact
  callable: CallableFact
  /** Exists beside the long form, while the file holds nothing else. */
  short?: true
}

export interface RouteTable {
  routes: Route[]
  /** Routes of load-balanced endpoints: what says more comes first. */
  balanced: BalancedRoute[]
  find(path: string): Route | undefined
  problems: AppError[]
}

/** First segments that belong to the server itself. */
const reserved: ReadonlySet<string> = new Set(['rpc', 'docs', 'console', 'openapi.json', 'ping'])

export function isReserved(first: string): boolean {
  return reserved.has(first)
}

/**
 * The addresses of all functions.
 *
 * The long form always exists: `{file_prefix}/{export}`, `{file_prefix}/{Class}/{method}`; the short one beside it when the file holds
 * nothing else. Routes of load-balanced endpoints have one: `{file_prefix}/{path}` where nothing else is in the file, else
 * `{file_prefix}/{export}/{path}`.
 */
export function createRouteTable(facts: readonly FunctionFact[]): RouteTable {
  const problems: AppError[] = []
  const byPath = addQueueRoutes(facts, problems)
  const routes = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  const balanced = addBalancedRoutes(facts, routes, problems)
  return { routes, balanced, find: (path) => byPath.get(path), problems }
}

function addQueueRoutes(facts: readonly FunctionFact[], problems: AppError[]): Map<string, Route> {
  const byPath = new Map<string, Route>()
  const add = (route: Route) => {
    const other = byPath.get(route.path)
    const first = route.path.split('/', 1)[0]!
    if (isReserved(first)) problems.push(reservedRoute(route, first))
    else if (other && other.fact.id !== route.fact.id) problems.push(duplicateRoute(route, other))
    else if (!other) byPath.set(route.path, route)
  }
  const files = new Map<string, FunctionFact[]>()
  for (const fact of facts) files.set(fact.prefix, [...(files.get(fact.prefix) ?? []), fact])
  for (const inFile of files.values()) {
    for (const fact of inFile) for (const route of longForms(fact)) add(route)
  }
  for (const inFile of files.values()) {
    if (inFile.length === 1) for (const route of shortForms(inFile[0]!)) add(route)
  }
  return byPath
}

function addBalancedRoutes(
  facts: readonly FunctionFact[],
  queues: readonly Route[],
  problems: AppError[],
): BalancedRoute[] {
  const taken = new Map<string, Pick<Route, 'fact'>>()
  for (const route of queues)
    for (const { method, segments } of addressesOf(route)) taken.set(addressKey(method, segments), route)
  const kept = findBalancedRoutes(facts, (problem) => problems.push(problem)).filter((route) => {
    const key = addressKey(route.method, segmentsOf(route))
    const other = taken.get(key)
    const isOurs = isReserved(route.base[0]!)
    if (isOurs) problems.push(reservedRoute(route, route.base[0]!))
    else if (other) problems.push(duplicateRoute(route, other))
    else taken.set(key, route)
    return !isOurs && !other
  })
  const shown = queues.map(({ path }) => ({ method: 'POST', path: `${encodePath(path)}/run_sync` }))
  markShadowed(kept, shown)
  return kept
}

function addressesOf({ path }: Route): { method: string; segments: RouteSegment[] }[] {
  const base = path.split('/').map((text) => ({ kind: 'text', text }) as const)
  return Object.entries(queueVerbs).map(([verb, { method, takesId }]) => ({
    method,
    segments: [
      ...base,
      { kind: 'text', text: verb },
      ...(takesId ? [{ kind: 'param', name: 'id' } as const] : []),
    ],
  }))
}

function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/')
}

function longForms(fact: FunctionFact): Route[] {
  const base = `${fact.prefix}/${fact.exportPath}`
  return fact.callables.map((callable) => ({
    path: fact.kind === 'class' ? `${base}/${callable.name}` : base,
    fact,
    callable,
  }))
}

function shortForms(fact: FunctionFact): Route[] {
  return fact.callables.map((callable) => {
    const path = fact.kind === 'class' ? `${fact.prefix}/${callable.name}` : fact.prefix
    return { path, fact, callable, short: true }
  })
}

type Placed = Pick<Route, 'path' | 'fact'>

function reservedRoute({ fact, path }: Placed, first: string): AppError {
  return new AppError('RESERVED_PATH', {
    message: `the route /${path} begins with "${first}", which belongs to the server itself`,
    hint: `move or rename ${fact.at.file}`,
    at: fact.at,
  })
}

function duplicateRoute({ fact, path }: Placed, other: Pick<Route, 'fact'>): AppError {
  const place = ({ at }: FunctionFact) => `${at.file}:${at.line}`
  return new AppError('DUPLICATE_ROUTE', {
    message: `the route /${path} is both ${place(other.fact)} and ${place(fact)}`,
    hint: fact.route
      ? 'give one of the two another path or method'
      : 'rename one of the two files or exports',
    at: fact.at,
  })
}
