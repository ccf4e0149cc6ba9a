import { createId } from '../ids.ts'
import type { EndpointRecord, EndpointSettings, ReleaseRecord, TemplateRecord } from '../records.ts'

type Configuration = EndpointRecord['configuration']

/** What containers of an endpoint are made of: workers roll when any of it changes. */
export function toConfiguration(settings: EndpointSettings, template: TemplateRecord): Configuration {
  return {
    type: settings.type,
    gpuIds: settings.gpuIds,
    gpuCount: settings.gpuCount,
    allowedCudaVersions: settings.allowedCudaVersions || null,
    minCudaVersion: settings.minCudaVersion,
    instanceIds: settings.instanceIds,
    locations: settings.locations || null,
    networkVolumeIds: volumeIdsOf(settings),
    volumes: settings.volumes.map((volume) => volume.volumeId),
    modelReferences: settings.modelReferences,
    flashEnvironmentId: settings.flashEnvironmentId,
    'template.imageName': template.imageName,
    'template.env': toSortedRecord(template.env),
    'template.dockerArgs': template.dockerArgs,
    'template.containerDiskInGb': template.containerDiskInGb,
    'template.ports': template.ports,
    'template.containerRegistryAuthId': template.containerRegistryAuthId || null,
  }
}

/** One volume comes alone, several in a list. */
export function volumeIdsOf({ networkVolumeId, networkVolumeIds }: EndpointSettings): string[] {
  const listed = networkVolumeIds.map((volume) => volume.networkVolumeId)
  return [...new Set([...(networkVolumeId ? [networkVolumeId] : []), ...listed])]
}

function toSortedRecord(env: TemplateRecord['env']): Record<string, string> {
  return Object.fromEntries(
    env.map(({ key, value }) => [key, value] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
  )
}

/** Fields that differ; of a first release there are none. */
export function findDifferences(before: Configuration, after: Configuration): ReleaseRecord['diff'] {
  return Object.keys(after)
    .filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
    .map((field) => ({ field, old: before[field] ?? null, new: after[field] ?? null }))
}

export function createRelease(
  version: number,
  createdAt: number,
  diff: ReleaseRecord['diff'],
): ReleaseRecord {
  return { id: createId(new Map()), version, createdAt, diff }
}
