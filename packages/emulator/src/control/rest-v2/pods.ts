import { parseCpuInstance } from '@flash/protocol'
import { findCpus } from '../catalog.ts'
import { streamLog } from '../logs/stream.ts'
import type { PodRecord } from '../records.ts'
import { invalid, refused } from '../refuse.ts'
import { changePod, createPod, deletePod, getPod, setPodState } from '../resources/pods.ts'
import { getTemplate } from '../resources/templates.ts'
import { noContent, toJson, toList } from './answers.ts'
import { type ContainerInput, containerShapes, fromTemplate, toEnv, toVariables } from './container.ts'
import type { Routes, Visit } from './router.ts'
import { choice, flag, integer, list, object, text } from './shape.ts'

interface PodInput extends ContainerInput {
  name?: string
  cloud?: PodRecord['cloud']
  cpu?: { id: string; vcpuCount: number }
  gpu?: { id: string; count?: number }
  dataCenterIds?: string[]
  mounts?: PodRecord['mounts']
  templateId?: string
  locked?: boolean
}

const filled = text({ min: 1 })

const sharedShapes = {
  ...containerShapes,
  name: filled,
  globalNetworking: flag,
  templateId: filled,
  mounts: object({
    persistent: object({ size: integer({ min: 10 }), path: text() }, ['size', 'path']),
    network: list(object({ volumeId: filled, path: filled }, ['volumeId', 'path']), { max: 1 }),
  }),
}

const cuda = text({ pattern: /^\d+\.\d+$/ })

const createShape = object(
  {
    ...sharedShapes,
    cloud: choice('SECURE', 'COMMUNITY'),
    cpu: object({ id: filled, vcpuCount: integer({ min: 2 }) }, ['id', 'vcpuCount']),
    gpu: object(
      { id: filled, count: integer({ min: 1 }), allowedCudaVersions: list(cuda), minCudaVersion: cuda },
      ['id'],
    ),
    dataCenterIds: list(filled),
    startJupyter: flag,
    startSsh: flag,
  },
  ['name'],
)

const patchShape = object({ ...sharedShapes, locked: flag })

async function create({ ctx, body }: Visit): Promise<Response> {
  const sent = await body<PodInput>(createShape)
  if (Boolean(sent.gpu) === Boolean(sent.cpu)) throw refused('exactly one of gpu and cpu must be given')
  const template = sent.templateId === undefined ? undefined : getTemplate(ctx, sent.templateId)
  const input = template ? { ...sent, ...fromTemplate(template, sent) } : sent
  if (!input.image) throw invalid(['image: is missing, and there is no templateId'])
  checkMounts(input.mounts)
  const pod = createPod(ctx, {
    name: input.name!,
    ...toFields({ args: '', disk: 20, env: {}, ports: [], registry: null, ...input }),
    ...toPlace(input),
    templateId: template?.id ?? null,
  })
  return toJson(toPod(pod), 201)
}

/** Where a pod is, and what it has there. */
function toPlace({ gpu, cpu, dataCenterIds, cloud = 'SECURE', mounts = {} }: PodInput) {
  return {
    gpu: gpu ? { typeId: gpu.id, count: gpu.count ?? 1 } : null,
    instanceId: cpu ? toInstanceId(cpu) : null,
    dataCenterId: dataCenterIds?.[0] ?? null,
    cloud,
    mounts,
  }
}

async function change({ ctx, ids, body }: Visit): Promise<Response> {
  getPod(ctx, ids[0]!)
  const sent = await body<PodInput>(patchShape)
  const input = sent.templateId ? { ...sent, ...fromTemplate(getTemplate(ctx, sent.templateId), sent) } : sent
  checkMounts(input.mounts)
  const given = Object.entries({
    ...toFields(input),
    name: input.name,
    mounts: input.mounts,
    isLocked: input.locked,
  }).filter(([, value]) => value !== undefined)
  return toJson(toPod(changePod(ctx, ids[0]!, Object.fromEntries(given))))
}

/** The container of a request as a record has it; what the request leaves out is `undefined`. */
function toFields<T extends ContainerInput>(input: T) {
  return {
    imageName: input.image!,
    dockerArgs: input.args!,
    containerDiskInGb: input.disk!,
    env: (input.env && toVariables(input.env))!,
    ports: input.ports!,
    registryId: input.registry as string | null,
  }
}

function toInstanceId({ id, vcpuCount }: { id: string; vcpuCount: number }): string {
  const [flavor] = findCpus(id)
  if (!flavor) throw invalid([`cpu.id: "${id}" is no CPU flavor; see GET /v2/catalog/cpus`])
  return `${id}-${vcpuCount}-${vcpuCount * flavor.ramGbPerVcpu}`
}

function checkMounts(mounts: PodRecord['mounts'] = {}): void {
  if (mounts.persistent && mounts.network?.length)
    throw refused('mounts.persistent and mounts.network exclude each other')
}

async function act({ ctx, ids, body }: Visit): Promise<Response> {
  const shape = object({ action: choice('start', 'stop', 'restart', 'terminate') }, ['action'])
  getPod(ctx, ids[0]!)
  const { action } = await body<{ action: string }>(shape)
  if (action !== 'terminate')
    return toJson(toPod(setPodState(ctx, ids[0]!, action === 'stop' ? 'EXITED' : 'RUNNING')))
  deletePod(ctx, ids[0]!)
  return noContent()
}

function toPod(pod: PodRecord) {
  const isRunning = pod.state === 'RUNNING'
  const startedAt = new Date(pod.createdAt).toISOString()
  return {
    id: pod.id,
    name: pod.name,
    image: pod.imageName,
    args: pod.dockerArgs,
    disk: pod.containerDiskInGb,
    ports: pod.ports,
    env: toEnv(pod.env),
    registry: pod.registryId,
    status: pod.state,
    actions: isRunning ? ['stop', 'restart', 'terminate'] : ['start', 'terminate'],
    mounts: pod.mounts,
    ...(pod.gpu && { gpu: { id: pod.gpu.typeId, count: pod.gpu.count } }),
    ...(pod.instanceId && { cpu: toCpu(pod.instanceId) }),
    cloud: pod.cloud,
    dataCenterId: pod.dataCenterId,
    cudaVersion: null,
    ssh: { proxy: null, direct: null },
    template: pod.templateId,
    cost: 0,
    locked: pod.isLocked,
    globalNetworking: { enabled: false },
    runtime: null,
    createdAt: startedAt,
    startedAt: isRunning ? startedAt : null,
  }
}

function toCpu(instanceId: string) {
  const { flavor = instanceId, vcpus = 2, ramGb = 4 } = parseCpuInstance(instanceId) ?? {}
  return { id: flavor, vcpuCount: vcpus, memory: ramGb }
}

export const podRoutes: Routes = {
  'GET /pods': ({ ctx }) => toList('pods', [...ctx.store.pods.values()].map(toPod)),
  'POST /pods': create,
  'GET /pods/{id}': ({ ctx, ids }) => toJson(toPod(getPod(ctx, ids[0]!))),
  'PATCH /pods/{id}': change,
  'DELETE /pods/{id}'({ ctx, ids }) {
    deletePod(ctx, ids[0]!)
    return noContent()
  },
  'POST /pods/{id}/action': act,
  'GET /pods/{id}/logs'({ ctx, ids, request }) {
    getPod(ctx, ids[0]!)
    return streamLog(ctx, request, null)
  },
}
