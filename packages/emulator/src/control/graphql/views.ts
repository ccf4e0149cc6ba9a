import { toIso } from './values.ts'
import type {
  AuthRequestRecord,
  EndpointRecord,
  FlashAppRecord,
  FlashBuildRecord,
  FlashEnvironmentRecord,
  NetworkVolumeRecord,
  PodRecord,
  SecretRecord,
  TemplateRecord,
} from '../records.ts'
import { downloadLink } from '../artifacts/links.ts'
import { volumeIdsOf } from '../resources/configuration.ts'
import { buildsOfApp, endpointsOfEnvironment, environmentsOfApp } from '../resources/flash-apps.ts'
import { USER_ID } from '../resources/user.ts'
import type { AccountContext } from '../store.ts'

/** Answers as the schema has them; what takes a look at other records is a function, asked only when it is selected. */
export function toEndpoint(ctx: AccountContext, endpoint: EndpointRecord) {
  const {
    configuration: _configuration,
    releases: _releases,
    createdAt,
    networkVolumeIds,
    ...fields
  } = endpoint
  const template = () => ctx.store.templates.get(endpoint.templateId)
  return {
    ...fields,
    userId: USER_ID,
    createdAt: toIso(createdAt),
    computeType: endpoint.instanceIds?.length ? 'CPU' : 'GPU',
    networkVolumeIds: networkVolumeIds.map(({ networkVolumeId }) => ({
      networkVolumeId,
      dataCenterId: ctx.store.networkVolumes.get(networkVolumeId)?.dataCenterId ?? null,
    })),
    networkVolume: () => toVolume(ctx.store.networkVolumes.get(volumeIdsOf(endpoint)[0] ?? '')),
    env: () => template()?.env,
    template: () => toTemplate(template()),
    pods: () =>
      (ctx.endpoints.get(endpoint.id)?.workers() ?? []).map(({ id }) => ({ id, desiredStatus: 'RUNNING' })),
  }
}

export function toTemplate(template: TemplateRecord | undefined) {
  return template ?? null
}

export function toVolume(volume: NetworkVolumeRecord | undefined) {
  return volume ? { ...volume, size: volume.sizeGb } : null
}

export function toSecret({ id, name, description, createdAt }: SecretRecord) {
  return { id, name, description, createdAt: toIso(createdAt) }
}

export function toApp(ctx: AccountContext, { id, name }: FlashAppRecord) {
  return {
    id,
    name,
    flashEnvironments: () => environmentsOfApp(ctx, id).map((environment) => toEnvironment(ctx, environment)),
    flashBuilds: () => buildsOfApp(ctx, id).map(toBuild),
  }
}

export function toEnvironment(ctx: AccountContext, environment: FlashEnvironmentRecord) {
  const { id, name, activeBuildId, createdAt } = environment
  const endpoints = () => endpointsOfEnvironment(ctx, id)
  return {
    id,
    name,
    activeBuildId,
    createdAt: toIso(createdAt),
    state: activeBuildId ? 'HEALTHY' : 'PENDING',
    endpoints: () => endpoints().map((endpoint) => toEndpoint(ctx, endpoint)),
    networkVolumes: () =>
      [...new Set(endpoints().flatMap(volumeIdsOf))].map((volumeId) =>
        toVolume(ctx.store.networkVolumes.get(volumeId)),
      ),
    activeArtifact: () => toArtifact(ctx, ctx.store.builds.get(activeBuildId ?? '')),
  }
}

function toArtifact(ctx: AccountContext, build: FlashBuildRecord | undefined) {
  if (!build) return null
  const { url, expiresAt } = downloadLink(ctx, build.objectKey)
  return { objectKey: build.objectKey, downloadUrl: url, expiresAt: toIso(expiresAt) }
}

export function toBuild({ id, objectKey, createdAt, manifest }: FlashBuildRecord) {
  return { id, objectKey, createdAt: toIso(createdAt), manifest }
}

export function toAuthRequest({ id, state, expiresAt }: AuthRequestRecord) {
  return { id, status: state, expiresAt: toIso(expiresAt) }
}

export function toPod(pod: PodRecord) {
  return {
    id: pod.id,
    name: pod.name,
    desiredStatus: pod.state,
    imageName: pod.imageName,
    env: pod.env.map(({ key, value }) => `${key}=${value}`),
    dockerArgs: pod.dockerArgs,
    containerDiskInGb: pod.containerDiskInGb,
    volumeInGb: pod.mounts.persistent?.size ?? 0,
    volumeMountPath: pod.mounts.persistent?.path ?? null,
    ports: pod.ports.join(','),
    gpuCount: pod.gpu?.count ?? 0,
    costPerHr: 0,
    machine: { gpuDisplayName: pod.gpu?.typeId ?? null },
    podType: 'RESERVED',
    lastStatusChange: toIso(pod.createdAt),
  }
}
