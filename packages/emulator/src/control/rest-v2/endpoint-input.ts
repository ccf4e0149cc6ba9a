import type { EndpointSettings, FlashBootType } from '../records.ts'
import { findCpus } from '../catalog.ts'
import { invalid, refused } from '../refuse.ts'
import { parseGpuIds } from '../resources/gpu-ids.ts'
import { type ContainerInput, containerShapes } from './container.ts'
import { choice, integer, list, number, object, oneOf, text } from './shape.ts'

export interface GpuInput {
  pools?: string[]
  excludedTypes?: string[]
  count?: number
  allowedCudaVersions?: string[]
  minCudaVersion?: string
}

type Scaling = { type: 'QUEUE_DELAY'; queueDelay: number } | { type: 'REQUEST_COUNT'; requestCount: number }

/** Body of a create and of a patch, checked. */
export interface EndpointInput extends ContainerInput {
  name?: string
  type?: 'QUEUE' | 'LOAD_BALANCER'
  gpu?: GpuInput
  cpu?: { id: string; vcpuCount: number }[]
  scaling?: Scaling
  workers?: { min?: number; max?: number; idleTimeout?: number }
  timeout?: number
  flashboot?: FlashBootType
  dataCenterIds?: string[]
  networkVolumes?: string[]
  templateId?: string
}

const cudaVersion = text({ pattern: /^\d+\.\d+$/ })

const gpuShapes = {
  pools: list(text({ min: 1 }), { min: 1 }),
  excludedTypes: list(text({ pattern: /^\s*[^-\s]/ }), { isUnique: true }),
  count: integer({ min: 1 }),
  allowedCudaVersions: list(cudaVersion),
}

const shapes = {
  ...containerShapes,
  name: text({ min: 1 }),
  cpu: list(object({ id: text({ min: 1 }), vcpuCount: integer({ min: 2 }) }, ['id', 'vcpuCount']), {
    min: 1,
    isUnique: true,
  }),
  scaling: oneOf('type', {
    QUEUE_DELAY: object({ type: text(), queueDelay: number({ min: 0.5 }) }, ['queueDelay']),
    REQUEST_COUNT: object({ type: text(), requestCount: integer({ min: 1 }) }, ['requestCount']),
  }),
  workers: object({
    min: integer({ min: 0 }),
    max: integer({ min: 0 }),
    idleTimeout: integer({ min: 1, max: 3_600 }),
  }),
  timeout: integer({ min: 0 }),
  flashboot: choice('OFF', 'FLASHBOOT', 'PRIORITY_FLASHBOOT'),
  dataCenterIds: list(text({ pattern: /^[^,]+$/ })),
  networkVolumes: list(text({ min: 1 })),
  templateId: text({ min: 1 }),
}

export const createShape = object(
  {
    ...shapes,
    type: choice('QUEUE', 'LOAD_BALANCER'),
    gpu: object({ ...gpuShapes, minCudaVersion: cudaVersion }, ['pools']),
  },
  ['name', 'scaling', 'type'],
)

export const patchShape = object({
  ...shapes,
  gpu: object({ ...gpuShapes, minCudaVersion: text({ pattern: /^$|^\d+\.\d+$/ }) }),
})

/** Settings with those of the request in their place. Throws `BAD_REQUEST` for fields that exclude each other. */
export function mergeSettings(before: EndpointSettings, input: EndpointInput): EndpointSettings {
  const settings: EndpointSettings = {
    ...before,
    ...(input.name !== undefined && { name: input.name }),
    ...(input.timeout !== undefined && { executionTimeoutMs: input.timeout }),
    ...(input.flashboot && { flashBootType: input.flashboot }),
    ...(input.gpu && mergeGpu(before, input.gpu)),
    ...(input.cpu && { instanceIds: input.cpu.map(toInstanceId) }),
    ...mergePlaces(input),
    ...mergeScaling(before, input),
  }
  checkScaling(settings, input)
  return settings
}

function mergePlaces({ dataCenterIds, networkVolumes }: EndpointInput): Partial<EndpointSettings> {
  return {
    ...(dataCenterIds && { locations: dataCenterIds.join(',') || null }),
    ...(networkVolumes && {
      networkVolumeId: null,
      networkVolumeIds: networkVolumes.map((networkVolumeId) => ({ networkVolumeId })),
    }),
  }
}

function mergeScaling(
  before: EndpointSettings,
  { scaling, workers = {} }: EndpointInput,
): Partial<EndpointSettings> {
  return {
    ...(scaling && { scalerType: scaling.type, scalerValue: toScalerValue(scaling) }),
    workersMin: workers.min ?? before.workersMin,
    workersMax: workers.max ?? before.workersMax,
    idleTimeout: workers.idleTimeout ?? before.idleTimeout,
  }
}

function mergeGpu(before: EndpointSettings, gpu: GpuInput): Partial<EndpointSettings> {
  const selection = parseGpuIds(before.gpuIds ?? '')
  // Other pools bring other cards, so what was excluded of the old ones says nothing about them.
  const excluded = gpu.excludedTypes ?? (gpu.pools ? [] : selection.excluded)
  const chosen = gpu.pools ?? selection.chosen
  return {
    gpuIds: [...chosen, ...excluded.map((card) => `-${card.trim()}`)].join(','),
    gpuCount: gpu.count ?? before.gpuCount ?? 1,
    ...mergeCuda(gpu),
  }
}

/** A list of versions and a floor exclude each other; an empty one of either clears it. */
function mergeCuda({
  allowedCudaVersions: allowed,
  minCudaVersion: floor,
}: GpuInput): Partial<EndpointSettings> {
  if (allowed?.length && floor)
    throw refused('gpu.allowedCudaVersions and gpu.minCudaVersion exclude each other', 'send one of them')
  if (allowed?.length) return { allowedCudaVersions: allowed.join(','), minCudaVersion: null }
  if (floor) return { allowedCudaVersions: '', minCudaVersion: floor }
  return { ...(allowed && { allowedCudaVersions: '' }), ...(floor === '' && { minCudaVersion: null }) }
}

function toInstanceId({ id, vcpuCount }: { id: string; vcpuCount: number }): string {
  const [flavor] = findCpus(id)
  if (!flavor) throw invalid([`cpu: "${id}" is no CPU flavor; see GET /v2/catalog/cpus`])
  if (!Number.isInteger(Math.log2(vcpuCount)) || vcpuCount > flavor.maxVcpus)
    throw invalid([`cpu: ${vcpuCount} vCPUs are not a power of two up to ${flavor.maxVcpus}`])
  return `${id}-${vcpuCount}-${vcpuCount * flavor.ramGbPerVcpu}`
}

function toScalerValue(scaling: Scaling): number {
  return scaling.type === 'QUEUE_DELAY' ? scaling.queueDelay : scaling.requestCount
}

function checkScaling(settings: EndpointSettings, { workers }: EndpointInput): void {
  const { type, scalerType } = settings
  if (type === 'LB' && scalerType === 'QUEUE_DELAY')
    throw refused('scaling: a load-balanced endpoint scales by REQUEST_COUNT')
  if (type === 'QB' && scalerType === 'REQUEST_COUNT' && workers?.idleTimeout !== undefined)
    throw refused('workers.idleTimeout: is not for an endpoint with a queue that scales by REQUEST_COUNT')
}
