import { parseCpuInstance } from '@flash/protocol'
import type { EndpointRecord } from '../records.ts'
import { volumeIdsOf } from '../resources/configuration.ts'
import { parseGpuIds } from '../resources/gpu-ids.ts'
import type { AccountContext } from '../store.ts'
import { toContainer } from './container.ts'

/** An endpoint as REST shows it. */
export function toEndpoint(ctx: AccountContext, endpoint: EndpointRecord) {
  const template = ctx.store.templates.get(endpoint.templateId)!
  return {
    id: endpoint.id,
    name: endpoint.name,
    type: endpoint.type === 'LB' ? 'LOAD_BALANCER' : 'QUEUE',
    requestUrls: toRequestUrls(ctx, endpoint),
    ...toContainer(template),
    ...toCompute(endpoint),
    workers: toWorkers(endpoint),
    scaling:
      endpoint.scalerType === 'QUEUE_DELAY'
        ? { type: 'QUEUE_DELAY', queueDelay: endpoint.scalerValue }
        : { type: 'REQUEST_COUNT', requestCount: endpoint.scalerValue },
    dataCenterIds: toNames(endpoint.locations),
    networkVolumes: volumeIdsOf(endpoint),
    timeout: endpoint.executionTimeoutMs,
    flashboot: endpoint.flashBootType ?? 'OFF',
    createdAt: new Date(endpoint.createdAt).toISOString(),
  }
}

function toRequestUrls(ctx: AccountContext, { id, type }: EndpointRecord) {
  if (type === 'LB') {
    const base = ctx.balancedUrl(id)
    return { base, health: `${base}/ping` }
  }
  const base = `${ctx.url()}/v2/${id}`
  return {
    run: `${base}/run`,
    runSync: `${base}/runsync`,
    status: `${base}/status/{job_id}`,
    stream: `${base}/stream/{job_id}`,
    cancel: `${base}/cancel/{job_id}`,
    retry: `${base}/retry/{job_id}`,
    purgeQueue: `${base}/purge-queue`,
    health: `${base}/health`,
  }
}

function toCompute(endpoint: EndpointRecord) {
  if (!endpoint.gpuIds) {
    const shapes = (endpoint.instanceIds ?? []).flatMap((id) => parseCpuInstance(id) ?? [])
    const cpu = shapes.map(({ flavor, vcpus, ramGb }) => ({ id: flavor, vcpuCount: vcpus, memory: ramGb }))
    return cpu.length > 0 ? { gpu: null, cpu } : { gpu: null }
  }
  const { chosen, excluded } = parseGpuIds(endpoint.gpuIds)
  return {
    gpu: {
      pools: chosen,
      ...(excluded.length > 0 && { excludedTypes: excluded }),
      count: endpoint.gpuCount ?? 1,
      allowedCudaVersions: toNames(endpoint.allowedCudaVersions),
      minCudaVersion: endpoint.minCudaVersion,
    },
  }
}

/** With a queue that is scaled by its requests, there is no idle time. */
function toWorkers({ type, scalerType, workersMin, workersMax, idleTimeout }: EndpointRecord) {
  const isTimed = type === 'LB' || scalerType === 'QUEUE_DELAY'
  return { min: workersMin, max: workersMax, ...(isTimed && { idleTimeout }) }
}

function toNames(list: string | null): string[] {
  return (list ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}
