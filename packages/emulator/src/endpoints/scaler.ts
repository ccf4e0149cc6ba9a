import type { EndpointSpec } from './types.ts'

/** Work that waits and runs; requests of a balanced endpoint count as jobs do. */
export interface Demand {
  /** Waiting jobs that ask for a worker. */
  wanting: number
  /** Those of them that have waited longer than the scaling allows. */
  overdue: number
  running: number
  /** Workers that have work. */
  busy: number
}

export type Scaling = Pick<EndpointSpec, 'workersMin' | 'workersMax' | 'workersStandby' | 'scaling'>

/**
 * How many workers an endpoint should have.
 *
 * - queue delay: one for the first waiting job, and one more for each job that has waited too long.
 * - request count: one for each so many waiting and running jobs.
 *
 * Source: Runpod docs, Serverless, Endpoint configurations, Auto-scaling type.
 */
export function wantedWorkers(settings: Scaling, demand: Demand): number {
  const { workersMin, workersMax, workersStandby } = settings
  return Math.min(workersMax, Math.max(workersMin, neededWorkers(settings.scaling, demand)) + workersStandby)
}

function neededWorkers(scaling: Scaling['scaling'], { wanting, overdue, running, busy }: Demand): number {
  if (scaling.by === 'requestCount') return Math.ceil((wanting + running) / scaling.requests)
  return Math.max(busy + overdue, wanting > 0 ? 1 : 0)
}
