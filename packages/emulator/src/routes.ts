import type { RunningEndpoint } from './endpoints/types.ts'
import { type Answer, refusal } from './http/answer.ts'
import type { HostName, Target } from './http/target.ts'
import type { EndpointNames } from './control/types.ts'
import { isWorkerOperation } from './worker/plane.ts'

/** Where a request goes. */
export type Place =
  | { kind: 'data' | 'worker'; endpoint: RunningEndpoint; target: Target }
  | { kind: 'balanced'; endpoint: RunningEndpoint; path: string }
  | { kind: 'own'; target: Target }
  /** The account knows whether it has something there. */
  | { kind: 'control' }
  | { kind: 'refused'; answer: Answer }

export interface RouteHost {
  get(id: string): RunningEndpoint | undefined
  lookUp(names: EndpointNames): string | undefined
}

export type Header = (name: string) => string | undefined

const noEndpoint: Place = { kind: 'refused', answer: refusal(404, 'endpoint not found') }

/** By the name that was asked for, then by the path. */
export function findPlace(host: RouteHost, { label }: HostName, target: Target, header: Header): Place {
  if (label !== null) {
    const endpoint = findEndpoint(host, label, header)
    if (endpoint) return { kind: 'balanced', endpoint, path: target.url }
    if (label === 'flash') return noEndpoint
  }
  const [first, second = ''] = target.segments
  switch (first) {
    case 'v2':
      return findQueue(host, target, header)
    case 'lb': {
      const endpoint = findEndpoint(host, second, header)
      return endpoint ? { kind: 'balanced', endpoint, path: below(target, 2).url } : noEndpoint
    }
    case '_emulator':
      return { kind: 'own', target: below(target, 1) }
    default:
      return { kind: 'control' }
  }
}

/** `/v2/{id}/…`; the account's own resources are below `/v2` too. */
function findQueue(host: RouteHost, target: Target, header: Header): Place {
  const id = target.segments[1] ?? ''
  const endpoint = findEndpoint(host, id, header)
  if (!endpoint) return id === 'flash' ? noEndpoint : { kind: 'control' }
  const inner = below(target, 2)
  return { kind: isWorkerOperation(inner.segments[0]) ? 'worker' : 'data', endpoint, target: inner }
}

/** By its id; with the id `flash`, by the names in the headers. */
function findEndpoint(host: RouteHost, id: string, header: Header): RunningEndpoint | undefined {
  if (id !== 'flash') return host.get(id)
  const [app, environment, endpoint] = ['app', 'environment', 'endpoint'].map((name) =>
    header(`x-flash-${name}`),
  )
  if (!app || !environment || !endpoint) return undefined
  const found = host.lookUp({ app, environment, endpoint })
  return found === undefined ? undefined : host.get(found)
}

/** The target without its first segments; the rest of the path stays as it was written. */
function below({ url, segments, query }: Target, count: number): Target {
  let at = 0
  for (let left = count; left > 0 && at !== -1; left--) at = url.indexOf('/', at + 1)
  const mark = url.indexOf('?')
  const isShort = at === -1 || (mark !== -1 && at > mark)
  const rest = isShort ? `/${mark === -1 ? '' : url.slice(mark)}` : url.slice(at)
  return { url: rest, segments: segments.slice(count), query }
}
