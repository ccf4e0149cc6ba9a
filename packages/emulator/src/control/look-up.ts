import type { EndpointSpec } from '../endpoints/types.ts'
import { findApp, findEnvironment } from './resources/flash-apps.ts'
import type { AccountContext } from './store.ts'
import type { EndpointNames } from './types.ts'

/**
 * The id of an endpoint by its app, environment and name.
 *
 * Those that were deployed to an environment of the app come first, then those whose variables name both.
 */
export function lookUp(
  ctx: AccountContext,
  { app, environment, endpoint }: EndpointNames,
): string | undefined {
  const owner = findApp(ctx, app)
  const place = owner && findEnvironment(ctx, owner.id, environment)
  const specs = ctx.endpoints.list().map(({ spec }) => spec)
  const deployed = place ? specs.filter(({ environmentId }) => environmentId === place.id) : []
  const named = specs.filter(({ env }) => env.FLASH_APP === app && env.FLASH_ENV === environment)
  return findByName(deployed, endpoint)?.id ?? findByName(named, endpoint)?.id
}

function findByName(specs: EndpointSpec[], name: string): EndpointSpec | undefined {
  const bare = bareName(name)
  return (
    specs.find((spec) => spec.name === name) ??
    specs.find((spec) => bareName(spec.name) === bare) ??
    specs.find(({ env }) => env.FLASH_RESOURCE_NAME === bare)
  )
}

/** The name of a resource, without what older clients put around it. */
function bareName(name: string): string {
  return name.replace(/(?:-fb)+$/, '').replace(/^(?:live-)+/, '')
}
