import { readJson } from '../body.ts'
import { invalid } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import type { Shape } from './shape.ts'

/** A request at a route: what stands in the path, and ways to get at the rest. */
export interface Visit {
  ctx: AccountContext
  request: Request
  /** Of the path's `{…}`, in their order. */
  ids: string[]
  query: URLSearchParams
  /** The body, checked; throws `BAD_REQUEST`, `PAYLOAD_TOO_LARGE`, and `BAD_INPUT` with every field that is wrong. */
  body<T>(shape: Shape): Promise<T>
}

export type Handler = (visit: Visit) => Response | Promise<Response>

/** `'GET /serverless/{id}'` → who answers it; paths are below `/v2`. */
export type Routes = Record<string, Handler>

interface Route {
  method: string
  pattern: RegExp
  handler: Handler
}

export interface Found {
  handler?: Handler
  ids: string[]
  /** Methods that the path has, when it exists. */
  allowed: string[]
}

/** Finds the handler of a request; `createFinder` reads the routes once. */
export function createFinder(routes: Routes): (method: string, path: string) => Found {
  const table = Object.entries(routes).map(([key, handler]): Route => {
    const [method, path] = key.split(' ') as [string, string]
    return { method, pattern: new RegExp(`^${path.replaceAll(/\{\w+\}/g, '([^/]+)')}$`), handler }
  })
  return (method, path) => {
    const there = table.filter(({ pattern }) => pattern.test(path))
    const route = there.find((candidate) => candidate.method === method)
    const ids = route?.pattern.exec(path)?.slice(1).map(decode) ?? []
    return { handler: route?.handler, ids, allowed: [...new Set(there.map((one) => one.method))] }
  }
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function createVisit(ctx: AccountContext, request: Request, ids: string[]): Visit {
  return {
    ctx,
    request,
    ids,
    query: new URL(request.url).searchParams,
    async body<T>(shape: Shape) {
      const value = await readJson(request)
      const issues: string[] = []
      shape(value, '', issues)
      if (issues.length > 0) throw invalid(issues.slice(0, MAX_ISSUES))
      return value as T
    },
  }
}

const MAX_ISSUES = 20
