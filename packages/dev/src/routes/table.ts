import { AppError, type CallableFact, type FunctionFact } from '@flash/protocol'

/** One thing that answers below the prefix: a function, or one method of a class. */
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
  /** Functions it was made of. */
  size: number
  find(path: string): Route | undefined
  problems: AppError[]
}

/** First segments that belong to the server itself. */
const reserved = new Set(['rpc', 'docs', 'console', 'openapi.json', 'ping'])

/**
 * The addresses of all functions.
 *
 * The long form always exists: `{file_prefix}/{export}`, `{file_prefix}/{Class}/{method}`; the short one beside it when the file holds nothing else.
 */
export function createRouteTable(facts: readonly FunctionFact[]): RouteTable {
  const byPath = new Map<string, Route>()
  const problems: AppError[] = []
  const add = (route: Route) => {
    const other = byPath.get(route.path)
    const first = route.path.split('/', 1)[0]!
    if (reserved.has(first)) problems.push(reservedRoute(route, first))
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
  const routes = [...byPath.values()].sort((a, b) => (a.path < b.path ? -1 : 1))
  return { routes, size: facts.length, find: (path) => byPath.get(path), problems }
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

function reservedRoute({ fact, path }: Route, first: string): AppError {
  return new AppError('RESERVED_PATH', {
    message: `the route /${path} begins with "${first}", which belongs to the server itself`,
    hint: `move or rename ${fact.at.file}`,
    at: fact.at,
  })
}

function duplicateRoute({ fact, path }: Route, other: Route): AppError {
  const place = ({ at }: FunctionFact) => `${at.file}:${at.line}`
  return new AppError('DUPLICATE_ROUTE', {
    message: `the route /${path} is both ${place(other.fact)} and ${place(fact)}`,
    hint: 'rename one of the two files or exports',
    at: fact.at,
  })
}
