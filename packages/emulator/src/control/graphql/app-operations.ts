import { rm } from 'node:fs/promises'
import { artifactPath } from '../artifacts/paths.ts'
import { finalizeUpload, prepareUpload } from '../artifacts/uploads.ts'
import { notFound } from '../refuse.ts'
import { createAuthRequest, pollAuthRequest } from '../resources/auth-requests.ts'
import {
  activateBuild,
  createApp,
  createEnvironment,
  deleteApp,
  deleteEnvironment,
  findApp,
  findEnvironment,
  getApp,
  getBuild,
  getEnvironment,
} from '../resources/flash-apps.ts'
import { type Arguments, type Resolvers, toIso } from './values.ts'
import { toApp, toAuthRequest, toBuild, toEnvironment } from './views.ts'

export const appQueries: Resolvers = {
  flashApp: ({ flashAppId }: Arguments<'flashAppId'>, ctx) => toApp(ctx, getApp(ctx, flashAppId)),
  flashAppByName({ flashAppName }: Arguments<'flashAppName'>, ctx) {
    const app = findApp(ctx, flashAppName)
    // Clients tell a missing app by this text.
    if (!app) throw notFound('App', flashAppName)
    return toApp(ctx, app)
  },
  flashEnvironment: ({ flashEnvironmentId }: Arguments<'flashEnvironmentId'>, ctx) =>
    toEnvironment(ctx, getEnvironment(ctx, flashEnvironmentId)),
  flashEnvironmentByName({ input }, ctx) {
    const environment = findEnvironment(ctx, input.flashAppId ?? '', input.name ?? '')
    return environment ? toEnvironment(ctx, environment) : null
  },
  flashBuild: ({ flashBuildId }: Arguments<'flashBuildId'>, ctx) => toBuild(getBuild(ctx, flashBuildId)),
  flashAuthRequestStatus({ flashAuthRequestId }: Arguments<'flashAuthRequestId'>, ctx) {
    const { request, apiKey } = pollAuthRequest(ctx, flashAuthRequestId)
    return { ...toAuthRequest(request), apiKey }
  },
}

export const appMutations: Resolvers = {
  createFlashApp: ({ input }, ctx) => toApp(ctx, createApp(ctx, input.name ?? '')),
  deleteFlashApp({ flashAppId }: Arguments<'flashAppId'>, ctx) {
    for (const { objectKey } of deleteApp(ctx, flashAppId))
      ctx.background(rm(artifactPath(ctx.folder, objectKey), { force: true }))
  },
  createFlashEnvironment: ({ input }, ctx) =>
    toEnvironment(ctx, createEnvironment(ctx, input.flashAppId ?? '', input.name ?? '')),
  deleteFlashEnvironment: ({ flashEnvironmentId }: Arguments<'flashEnvironmentId'>, ctx) =>
    void deleteEnvironment(ctx, flashEnvironmentId),
  prepareFlashArtifactUpload({ input }, ctx) {
    const upload = prepareUpload(ctx, input.flashAppId ?? '', input.tarballSize ?? 0)
    const { token, objectKey, expiresAt } = upload
    return { uploadUrl: `${ctx.url()}/upload/${token}`, objectKey, expiresAt: toIso(expiresAt) }
  },
  async finalizeFlashArtifactUpload({ input }, ctx) {
    const { flashAppId, objectKey, manifest } = input
    const upload = { appId: flashAppId ?? '', objectKey: objectKey ?? '', manifest: manifest ?? null }
    return toBuild(await finalizeUpload(ctx, upload))
  },
  updateFlashBuildManifest({ input }, ctx) {
    const build = getBuild(ctx, input.flashBuildId ?? '')
    build.manifest = input.manifest ?? null
    return toBuild(build)
  },
  deployBuildToEnvironment: ({ input }, ctx) =>
    toEnvironment(ctx, activateBuild(ctx, input.flashEnvironmentId ?? '', input.flashBuildId ?? '')),
  createFlashAuthRequest: (_args, ctx) => toAuthRequest(createAuthRequest(ctx)),
}
