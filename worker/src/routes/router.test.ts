import { compareRoutePaths, matchRoutePath, parseRoutePath, type RouteMethod } from '@flash/protocol'
import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type BalancedFunction, createRouter } from './router.ts'

const part = fc.constantFrom('a', 'b', 'items', 'ü', ':id', ':name')
const path = fc
  .tuple(fc.uniqueArray(part, { maxLength: 3 }), fc.constantFrom('', '**', '**:rest'))
  .map(([parts, rest]) => `/${[...parts, ...(rest ? [rest] : [])].join('/')}`)
const method = fc.constantFrom<RouteMethod>('GET', 'POST', 'HEAD', 'WS')
const asked = fc
  .array(fc.constantFrom('a', 'b', 'items', '%61', '%C3%BC', '%', '', 'x', '..', 'a%2Fb'), { maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)

/** One route after the other, as the rules say it. */
function findSlowly(functions: BalancedFunction[], wanted: string, pathname: string): unknown {
  const matching = functions
    .map((fn) => ({ fn, method: fn.route!.method, segments: parseRoutePath(fn.route!.path) }))
    .sort((one, other) => compareRoutePaths(one.segments, other.segments))
    .map((entry) => ({ ...entry, params: matchRoutePath(entry.segments, pathname) }))
    .filter(({ params }) => params !== null)
  const found =
    matching.find((entry) => entry.method === wanted) ??
    (wanted === 'HEAD' ? matching.find((entry) => entry.method === 'GET') : undefined)
  if (found) return { kind: 'route', fn: found.fn, params: found.params }
  const allow = new Set(matching.map((entry) => entry.method))
  return allow.size > 0 ? { kind: 'methods', allow: Array.from(allow) } : { kind: 'nothing' }
}

test('paths without parameters are found at once, and as one after the other would be', () => {
  const routes = fc.uniqueArray(fc.tuple(method, path), { maxLength: 8, selector: (one) => one.join(' ') })
  fc.assert(
    fc.property(routes, method, fc.oneof(asked, path), (routes, wanted, pathname) => {
      const functions = routes.map(
        ([method, path], index): BalancedFunction => ({
          id: `${index}`,
          kind: 'route',
          route: { method, path, schemas: [] },
        }),
      )
      const found = createRouter(functions)(wanted, { pathname, search: '' })
      expect(found).toEqual(findSlowly(functions, wanted, pathname))
    }),
    { numRuns: 2_000 },
  )
})

test('what a handler does to its parameters is not seen by the next request', () => {
  const functions: BalancedFunction[] = [
    { id: 'a', kind: 'route', route: { method: 'GET', path: '/a', schemas: [] } },
  ]
  const route = createRouter(functions)
  const [one, other] = [
    route('GET', { pathname: '/a', search: '' }),
    route('GET', { pathname: '/a', search: '' }),
  ]
  Object.assign((one as { params: object }).params, { changed: 'yes' })
  expect(other).toEqual({ kind: 'route', fn: functions[0], params: {} })
})
