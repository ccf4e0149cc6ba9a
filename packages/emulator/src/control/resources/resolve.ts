import { join } from 'node:path'
import { toLimits } from '../../cpu-limits.ts'
import type { EndpointSpec } from '../../endpoints/types.ts'
import { artifactPath } from '../artifacts/paths.ts'
import type { EndpointRecord, TemplateRecord } from '../records.ts'
import type { AccountContext, Store } from '../store.ts'
import { volumeIdsOf } from './configuration.ts'
import { cardsOf } from './gpu-ids.ts'

/** Where a worker finds the artifact of its app, unless a variable of it says otherwise. */
const ARTIFACT_TARGET = '/root/.runpod/artifact.tar.gz'

const VOLUME_TARGET = '/runpod-volume'

const PLATFORM_TIMEOUT_MS = 600_000

/** An endpoint as it is run: references followed, secrets filled in, defaults decided. */
export function resolveEndpoint(ctx: AccountContext, endpoint: EndpointRecord): EndpointSpec {
  const template = ctx.store.templates.get(endpoint.templateId)!
  const env = resolveEnv(ctx.store, template)
  return {
    id: endpoint.id,
    name: endpoint.name,
    kind: endpoint.type === 'LB' ? 'balanced' : 'queue',
    version: endpoint.version,
    image: template.imageName,
    args: template.dockerArgs,
    env,
    mounts: resolveMounts(ctx, endpoint, env),
    registryAuth: resolveRegistry(ctx.store, template),
    limits: toLimits(endpoint.gpuIds ? [] : (endpoint.instanceIds ?? [])),
    workersMin: endpoint.workersMin,
    workersMax: endpoint.workersMax,
    workersStandby: endpoint.workersStandby,
    idleTimeoutSeconds: endpoint.idleTimeout,
    executionTimeoutMs: endpoint.executionTimeoutMs || PLATFORM_TIMEOUT_MS,
    scaling:
      endpoint.scalerType === 'QUEUE_DELAY'
        ? { by: 'queueDelay', seconds: endpoint.scalerValue }
        : { by: 'requestCount', requests: endpoint.scalerValue },
    gpuTypeId: cardsOf(endpoint.gpuIds ?? '')[0] ?? null,
    gpuCount: endpoint.gpuIds ? (endpoint.gpuCount ?? 1) : 0,
    dataCenterId: resolveDataCenter(ctx.store, endpoint),
    environmentId: endpoint.flashEnvironmentId,
  }
}

/** The last of several values of a name counts; a reference to a secret that is not there stays as it is. */
function resolveEnv(store: Store, { env }: TemplateRecord): Record<string, string> {
  const secrets = new Map([...store.secrets.values()].map(({ name, value }) => [name, value]))
  const fill = (text: string) =>
    text.replace(
      /\{\{\s*RUNPOD_SECRET_([\w.-]+)\s*\}\}/g,
      (reference, name: string) => secrets.get(name) ?? reference,
    )
  return Object.fromEntries(env.map(({ key, value }) => [key, fill(value)]))
}

function resolveMounts(ctx: AccountContext, endpoint: EndpointRecord, env: Record<string, string>) {
  const mounts: EndpointSpec['mounts'] = []
  const environment = ctx.store.environments.get(endpoint.flashEnvironmentId ?? '')
  const build = ctx.store.builds.get(environment?.activeBuildId ?? '')
  if (build)
    mounts.push({
      source: artifactPath(ctx.folder, build.objectKey),
      target: env.FLASH_BUILD_ARTIFACT_PATH || ARTIFACT_TARGET,
    })
  const volumeId = volumeIdsOf(endpoint)[0] ?? endpoint.volumes[0]?.volumeId
  if (volumeId) mounts.push({ source: volumeFolder(ctx, volumeId), target: VOLUME_TARGET, writable: true })
  return mounts
}

/** Where the files of a volume lie on this machine. */
export function volumeFolder({ folder }: AccountContext, volumeId: string): string {
  return join(folder, 'volumes', volumeId)
}

function resolveRegistry(store: Store, template: TemplateRecord): EndpointSpec['registryAuth'] {
  const registry = store.registries.get(template.containerRegistryAuthId ?? '')
  return registry && { username: registry.username, password: registry.password }
}

/** Workers are where their volume is. */
function resolveDataCenter(store: Store, endpoint: EndpointRecord): string {
  const volume = store.networkVolumes.get(volumeIdsOf(endpoint)[0] ?? '')
  return volume?.dataCenterId ?? ((endpoint.locations || '').split(',')[0]!.trim() || 'EU-RO-1')
}
