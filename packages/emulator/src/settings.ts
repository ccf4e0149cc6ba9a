import { createId } from './control/ids.ts'
import type { EndpointSpec } from './endpoints/types.ts'

/** An endpoint that is made without the account; everything but its name has a default. */
export type EndpointSettings = Pick<EndpointSpec, 'name'> & Partial<EndpointSpec>

/** Fills in what a new endpoint of the platform has. */
export function resolveSettings(
  settings: EndpointSettings,
  taken: ReadonlyMap<string, unknown> = new Map(),
): EndpointSpec {
  const { kind = 'queue' } = settings
  return {
    id: createId(taken, 14),
    kind,
    version: 1,
    image: '',
    args: '',
    env: {},
    mounts: [],
    workersMin: 0,
    workersMax: 3,
    workersStandby: 0,
    idleTimeoutSeconds: 60,
    executionTimeoutMs: 600_000,
    scaling: kind === 'queue' ? { by: 'queueDelay', seconds: 4 } : { by: 'requestCount', requests: 4 },
    gpuTypeId: null,
    gpuCount: 0,
    dataCenterId: 'EU-RO-1',
    environmentId: null,
    ...settings,
  }
}
