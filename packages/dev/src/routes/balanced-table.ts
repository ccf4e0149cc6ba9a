import {
  type AppError,
  compareRoutePaths,
  type FunctionFact,
  isBalanced,
  parseRoutePath,
  type RouteMethod,
  type RouteSegment,
} from '@flash/protocol'

/** One thing of a load-balanced endpoint that answers below the prefix: a route, a WebSocket, or a whole web app. */
export interface BalancedRoute {
  /** `ANY` for a web app. */
  method: RouteMethod | 'ANY'
  /** As it is shown, without leading slash: `images/resize/:w`, `site/*`. What is not a parameter is percent-encoded. */
  path: string
  fact: FunctionFact
  /** The first segments, decoded, which the endpoint itself does not get. */
  base: string[]
  /** Of the endpoint's own path; of a web app one that takes all. */
  own: RouteSegment[]
  /** Of a web app: what lies below it and is answered by others, such as `POST site/ask/run_sync`. */
  shadowed: string[]
}

/** The routes of balanced facts, by their addresses: what says more comes first. */
export function findBalancedRoutes(
  facts: readonly FunctionFact[],
  onProblem: (error: AppError) => void,
): BalancedRoute[] {
  const owners = new Map<string, Set<string>>()
  for (const fact of facts)
    owners.set(fact.prefix, (owners.get(fact.prefix) ?? new Set()).add(exportOf(fact)))
  const routes = facts.filter(isBalanced).flatMap((fact) => {
    const isAlone = owners.get(fact.prefix)!.size === 1
    const base = [...fact.prefix.split('/'), ...(isAlone ? [] : [exportOf(fact)])]
    try {
      return [toRoute(fact, base)]
    } catch (error) {
      onProblem(error as AppError)
      return []
    }
  })
  return routes.sort(compareRoutes)
}

/** The export that is the endpoint: `api` of `api.POST /items`. */
function exportOf({ exportPath, route }: FunctionFact): string {
  const end = route ? `.${route.method} ${route.path}` : ''
  return exportPath.endsWith(end) ? exportPath.slice(0, exportPath.length - end.length) : exportPath
}

function toRoute(fact: FunctionFact, base: string[]): BalancedRoute {
  const encoded = base.map(encodeURIComponent).join('/')
  const { route } = fact
  if (!route)
    return {
      method: 'ANY',
      path: `${encoded}/*`,
      fact,
      base,
      own: [{ kind: 'rest', name: null }],
      shadowed: [],
    }
  const path = route.path === '/' ? encoded : encoded + route.path
  return { method: route.method, path, fact, base, own: parseRoutePath(route.path), shadowed: [] }
}

/** Of the whole address below the prefix. */
export function segmentsOf({ base, own }: Pick<BalancedRoute, 'base' | 'own'>): RouteSegment[] {
  return [...base.map((text) => ({ kind: 'text', text }) as const), ...own]
}

function compareRoutes(one: BalancedRoute, other: BalancedRoute): number {
  const bySegments = compareRoutePaths(segmentsOf(one), segmentsOf(other))
  if (bySegments !== 0) return bySegments
  const byKind = Number(one.method === 'ANY') - Number(other.method === 'ANY')
  if (byKind !== 0) return byKind
  return `${one.path} ${one.method}` < `${other.path} ${other.method}` ? -1 : 1
}

/** The same for two addresses that take the same requests. */
export function addressKey(method: string, segments: readonly RouteSegment[]): string {
  const shape = segments.map((segment) => (segment.kind === 'text' ? `=${segment.text}` : segment.kind))
  return JSON.stringify([method, ...shape])
}

/** Marks what web apps cannot answer: whatever lies below them and says more than `*`. */
export function markShadowed(
  routes: readonly BalancedRoute[],
  others: readonly { method: string; path: string }[],
): void {
  for (const web of routes) {
    if (web.method !== 'ANY') continue
    const below = `${web.base.map(encodeURIComponent).join('/')}/`
    const lines = [...others, ...routes.filter((route) => route !== web)]
      .filter(({ path }) => `${path}/`.startsWith(below))
      .map(({ method, path }) => `${method} ${path}`)
    web.shadowed.push(...lines)
  }
}
