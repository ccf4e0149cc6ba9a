import { randomUUID } from 'node:crypto'
import { createId } from '../ids.ts'
import type { EndpointRecord, FlashAppRecord, FlashBuildRecord, FlashEnvironmentRecord } from '../records.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import { syncEndpoint } from './endpoints.ts'

export function getApp({ store }: AccountContext, id: string): FlashAppRecord {
  const app = store.apps.get(id)
  if (!app) throw notFound('App', id)
  return app
}

export function findApp({ store }: AccountContext, name: string): FlashAppRecord | undefined {
  return [...store.apps.values()].find((app) => app.name === name)
}

export function getEnvironment({ store }: AccountContext, id: string): FlashEnvironmentRecord {
  const environment = store.environments.get(id)
  if (!environment) throw notFound('flash environment', id)
  return environment
}

export function findEnvironment(
  ctx: AccountContext,
  appId: string,
  name: string,
): FlashEnvironmentRecord | undefined {
  return environmentsOfApp(ctx, appId).find((environment) => environment.name === name)
}

export function getBuild({ store }: AccountContext, id: string): FlashBuildRecord {
  const build = store.builds.get(id)
  if (!build) throw notFound('flash build', id)
  return build
}

export function environmentsOfApp({ store }: AccountContext, appId: string): FlashEnvironmentRecord[] {
  return [...store.environments.values()].filter((environment) => environment.appId === appId)
}

/** Newest first. */
export function buildsOfApp({ store }: AccountContext, appId: string): FlashBuildRecord[] {
  return [...store.builds.values()].filter((build) => build.appId === appId).reverse()
}

export function endpointsOfEnvironment({ store }: AccountContext, environmentId: string): EndpointRecord[] {
  return [...store.endpoints.values()].filter((endpoint) => endpoint.flashEnvironmentId === environmentId)
}

export function createApp(ctx: AccountContext, name: string): FlashAppRecord {
  if (name.trim() === '') throw invalid(['name: is empty'])
  if (findApp(ctx, name)) throw refused(`an app with the name "${name}" already exists; it must be unique`)
  const app = { id: createId(ctx.store.apps), name }
  ctx.store.apps.set(app.id, app)
  return app
}

export function createEnvironment(ctx: AccountContext, appId: string, name: string): FlashEnvironmentRecord {
  const app = getApp(ctx, appId)
  if (name.trim() === '') throw invalid(['name: is empty'])
  if (findEnvironment(ctx, appId, name))
    throw refused(
      `the app "${app.name}" already has an environment with the name "${name}"; it must be unique`,
    )
  const environment: FlashEnvironmentRecord = {
    id: createId(ctx.store.environments),
    appId,
    name,
    createdAt: ctx.clock.now(),
    activeBuildId: null,
  }
  ctx.store.environments.set(environment.id, environment)
  return environment
}

/** Endpoints are never left behind: they are deleted first, by whoever wants that. */
export function deleteEnvironment(ctx: AccountContext, id: string): void {
  const environment = getEnvironment(ctx, id)
  checkEmpty(ctx, environment)
  ctx.store.environments.delete(environment.id)
}

/** Its environments and builds leave too. */
export function deleteApp(ctx: AccountContext, id: string): FlashBuildRecord[] {
  getApp(ctx, id)
  const environments = environmentsOfApp(ctx, id)
  for (const environment of environments) checkEmpty(ctx, environment)
  for (const environment of environments) ctx.store.environments.delete(environment.id)
  const builds = buildsOfApp(ctx, id)
  for (const build of builds) ctx.store.builds.delete(build.id)
  ctx.store.apps.delete(id)
  return builds
}

function checkEmpty(ctx: AccountContext, { id, name }: FlashEnvironmentRecord): void {
  const count = endpointsOfEnvironment(ctx, id).length
  if (count > 0)
    throw refused(`the environment "${name}" still has ${count} endpoints`, 'delete these endpoints first')
}

export function createBuild(
  ctx: AccountContext,
  fields: Pick<FlashBuildRecord, 'appId' | 'objectKey' | 'manifest'>,
): FlashBuildRecord {
  const build = { ...fields, id: randomUUID(), createdAt: ctx.clock.now() }
  ctx.store.builds.set(build.id, build)
  return build
}

/** Workers that start from now on get the artifact of the build; those that run keep theirs. */
export function activateBuild(
  ctx: AccountContext,
  environmentId: string,
  buildId: string,
): FlashEnvironmentRecord {
  const environment = getEnvironment(ctx, environmentId)
  const build = getBuild(ctx, buildId)
  if (build.appId !== environment.appId)
    throw refused(`the build ${build.id} belongs to another app than the environment "${environment.name}"`)
  environment.activeBuildId = build.id
  for (const endpoint of endpointsOfEnvironment(ctx, environment.id)) syncEndpoint(ctx, endpoint)
  return environment
}
