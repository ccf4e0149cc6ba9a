import type { EndpointSpec, RunningEndpoint, WorkerView } from '../../endpoints/types.ts'
import type { EndpointRecord } from '../records.ts'
import type { AccountContext } from '../store.ts'

/** The workers of an endpoint, counted by their state. */
export function toWorkerList(endpoint: RunningEndpoint, now: number) {
  const { spec } = endpoint
  const workers = endpoint.workers()
  const count = (state: WorkerView['state']) => workers.filter((worker) => worker.state === state).length
  return {
    endpointVersion: spec.version,
    summary: {
      running: count('RUNNING'),
      idle: count('IDLE'),
      initializing: count('INITIALIZING'),
      throttled: count('THROTTLED'),
      unhealthy: count('UNHEALTHY'),
      total: workers.length,
    },
    workers: workers.map((worker) => toWorker(worker, spec, now)),
  }
}

function toWorker(worker: WorkerView, spec: EndpointSpec, now: number) {
  const isPlaced = worker.state !== 'THROTTLED'
  const isUp = isPlaced && worker.state !== 'INITIALIZING'
  return {
    id: worker.id,
    status: worker.state,
    isStale: worker.isStale,
    version: worker.version,
    gpuCount: spec.gpuCount,
    image: worker.image,
    uptimeSeconds: isUp ? Math.max(0, Math.floor((now - worker.startedAt) / 1_000)) : null,
    gpuTypeId: isPlaced ? spec.gpuTypeId : null,
    dataCenterId: isPlaced ? spec.dataCenterId : null,
    startedAt: isPlaced ? new Date(worker.startedAt).toISOString() : null,
  }
}

/** What changed with each version, and how far the newest has come. */
export function toReleaseList(ctx: AccountContext, { id, version, releases }: EndpointRecord) {
  const workers = ctx.endpoints.get(id)?.workers() ?? []
  const countOf = (wanted: number) => workers.filter((worker) => worker.version === wanted).length
  const onLatest = countOf(version)
  return {
    endpointVersion: version,
    rollout: {
      inProgress: onLatest < workers.length,
      workersOnLatest: onLatest,
      workersTotal: workers.length,
      percentOnLatest: workers.length === 0 ? 0 : Math.floor((onLatest / workers.length) * 100),
    },
    releases: releases.map((release) => ({
      id: release.id,
      version: release.version,
      source: 'MANUAL',
      buildId: null,
      createdByUserId: null,
      workerCount: countOf(release.version),
      createdAt: new Date(release.createdAt).toISOString(),
      diff: release.diff,
    })),
  }
}
