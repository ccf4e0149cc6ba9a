import { endpointVariable } from '@flash/protocol'
import type { Endpoints, EndpointSpec } from './endpoints/index.ts'
import { type EndpointSettings, resolveSettings } from './settings.ts'

/** What a program needs to call an endpoint. */
export interface EndpointAddress {
  id: string
  /** Below which its routes are. */
  url: string
}

/** Endpoints that were made without asking the account. */
export interface AddedEndpoints {
  /** One with the same name is changed. */
  add(settings: EndpointSettings): EndpointAddress
  /** The variables by which apps find them. */
  env(): Record<string, string>
}

export function createAdded(endpoints: Endpoints, urlOf: (spec: EndpointSpec) => string): AddedEndpoints {
  const byName = new Map<string, EndpointSpec>()
  return {
    add(settings) {
      const former = byName.get(settings.name)
      const spec = resolveSettings({
        ...(former && { id: former.id, version: former.version + 1 }),
        ...settings,
      })
      endpoints.save(spec)
      byName.set(spec.name, spec)
      return { id: spec.id, url: urlOf(spec) }
    },
    env: () =>
      Object.fromEntries(
        Array.from(byName, ([name, { id }]): [string, string] => [endpointVariable(name), id]),
      ),
  }
}
