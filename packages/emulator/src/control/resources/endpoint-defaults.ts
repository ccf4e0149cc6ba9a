import type { EndpointSettings } from '../records.ts'

/** Of a new endpoint, where a request says nothing. */
export const endpointDefaults: EndpointSettings = {
  name: '',
  type: 'QB',
  gpuIds: null,
  gpuCount: null,
  allowedCudaVersions: null,
  minCudaVersion: null,
  instanceIds: null,
  locations: null,
  networkVolumeId: null,
  networkVolumeIds: [],
  volumes: [],
  modelReferences: [],
  flashEnvironmentId: null,
  scalerType: 'QUEUE_DELAY',
  scalerValue: 4,
  workersMin: 0,
  workersMax: 3,
  workersStandby: 0,
  workersPFBTarget: 0,
  idleTimeout: 5,
  executionTimeoutMs: 0,
  flashBootType: null,
}

/** What can be set of an endpoint, without the rest of its record. */
export function pickSettings(endpoint: EndpointSettings): EndpointSettings {
  const fields = Object.keys(endpointDefaults) as (keyof EndpointSettings)[]
  return Object.fromEntries(fields.map((field) => [field, endpoint[field]])) as unknown as EndpointSettings
}
