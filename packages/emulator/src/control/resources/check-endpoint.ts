import { parseCpuInstance } from '@flash/protocol'
import type { EndpointSettings } from '../records.ts'
import { invalid, notFound } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import { refuseGpuIds } from './gpu-ids.ts'

/**
 * Whether an account may have an endpoint with these settings.
 *
 * - throws `BAD_INPUT` with every value that is not allowed, `NOT_FOUND` for things it refers to that are not there.
 */
export function checkEndpoint(ctx: AccountContext, settings: EndpointSettings): void {
  const issues = [...findNumberIssues(settings), ...findComputeIssues(settings)]
  if (settings.name.trim() === '') issues.push('name: is empty')
  if (settings.name.length > 191) issues.push('name: has more than 191 characters')
  if (settings.type === 'LB' && settings.scalerType !== 'REQUEST_COUNT')
    issues.push('scalerType: a load-balanced endpoint scales by REQUEST_COUNT')
  if (issues.length > 0) throw invalid(issues)
  checkReferences(ctx, settings)
}

const ranges: [field: keyof EndpointSettings, min: number, max: number][] = [
  ['workersMin', 0, 1_000],
  ['workersMax', 0, 1_000],
  ['workersStandby', 0, 1_000],
  ['idleTimeout', 1, 3_600],
  ['scalerValue', 0.5, 1_000_000],
  ['executionTimeoutMs', 0, 604_800_000],
]

function findNumberIssues(settings: EndpointSettings): string[] {
  const issues = ranges.flatMap(([field, min, max]) => {
    const value = settings[field] as number
    return value >= min && value <= max ? [] : [`${field}: ${value} is not from ${min} to ${max}`]
  })
  const { workersMin, workersMax, scalerType, scalerValue } = settings
  if (workersMin > workersMax)
    issues.push(`workersMin: ${workersMin} is more than workersMax, which is ${workersMax}`)
  if (scalerType === 'REQUEST_COUNT' && !Number.isInteger(scalerValue))
    issues.push(`scalerValue: ${scalerValue} is no whole number of requests`)
  return issues
}

const version = /^\d+\.\d+$/

function findComputeIssues(settings: EndpointSettings): string[] {
  const { gpuIds, gpuCount, instanceIds } = settings
  const issues = findCudaIssues(settings)
  const gpuIssue = gpuIds === null ? undefined : refuseGpuIds(gpuIds)
  if (gpuIssue) issues.push(`gpuIds: ${gpuIssue}`)
  if (gpuCount !== null && (gpuCount < 1 || gpuCount > 16))
    issues.push(`gpuCount: ${gpuCount} is not from 1 to 16`)
  const odd = instanceIds?.find((id) => parseCpuInstance(id) === null)
  if (odd !== undefined) issues.push(`instanceIds: "${odd}" is no instance; one is cpu3c-2-4`)
  return issues
}

function findCudaIssues({ allowedCudaVersions, minCudaVersion }: EndpointSettings): string[] {
  const issues: string[] = []
  const allowed = (allowedCudaVersions ?? '').split(',').filter((one) => one.trim() !== '')
  const odd = allowed.find((one) => !version.test(one.trim()))
  if (odd !== undefined) issues.push(`allowedCudaVersions: "${odd}" is no version`)
  if (minCudaVersion !== null && !version.test(minCudaVersion))
    issues.push(`minCudaVersion: "${minCudaVersion}" is no version`)
  return issues
}

function checkReferences({ store }: AccountContext, settings: EndpointSettings): void {
  const { flashEnvironmentId, networkVolumeId, networkVolumeIds, volumes } = settings
  if (flashEnvironmentId && !store.environments.has(flashEnvironmentId))
    throw notFound('flash environment', flashEnvironmentId)
  const wanted = [networkVolumeId, ...networkVolumeIds.map((volume) => volume.networkVolumeId)]
  for (const id of wanted) if (id && !store.networkVolumes.has(id)) throw notFound('network volume', id)
  for (const { volumeId } of volumes)
    if (!store.globalVolumes.has(volumeId) && !store.networkVolumes.has(volumeId))
      throw notFound('volume', volumeId)
}
