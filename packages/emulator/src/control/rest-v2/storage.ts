import type { NetworkVolumeRecord, RegistryRecord } from '../records.ts'
import { invalid } from '../refuse.ts'
import { createRegistry, deleteRegistry, getRegistry } from '../resources/registries.ts'
import {
  changeNetworkVolume,
  createGlobalVolume,
  createNetworkVolume,
  deleteGlobalVolume,
  deleteNetworkVolume,
  getGlobalVolume,
  getNetworkVolume,
} from '../resources/volumes.ts'
import { noContent, toJson, toList } from './answers.ts'
import type { Routes } from './router.ts'
import { choice, integer, object, text } from './shape.ts'

const size = integer({ min: 10, max: 4_096 })
const name = text({ min: 1 })

const createVolumeShape = object(
  { name, size, dataCenter: text({ min: 1 }), type: choice('STANDARD', 'HIGH_PERFORMANCE') },
  ['name', 'size', 'dataCenter'],
)

const patchVolumeShape = object({ name, size })

interface VolumeInput {
  name: string
  size: number
  dataCenter: string
  type?: NetworkVolumeRecord['type']
}

export const networkVolumeRoutes: Routes = {
  'GET /network-volumes': ({ ctx }) =>
    toList('networkVolumes', [...ctx.store.networkVolumes.values()].map(toVolume)),
  async 'POST /network-volumes'({ ctx, body }) {
    const { name, size: sizeGb, dataCenter, type = 'STANDARD' } = await body<VolumeInput>(createVolumeShape)
    const volume = await createNetworkVolume(ctx, { name, sizeGb, dataCenterId: dataCenter, type })
    return toJson(toVolume(volume), 201)
  },
  'GET /network-volumes/{id}': ({ ctx, ids }) => toJson(toVolume(getNetworkVolume(ctx, ids[0]!))),
  async 'PATCH /network-volumes/{id}'({ ctx, ids, body }) {
    getNetworkVolume(ctx, ids[0]!)
    const input = await body<Partial<VolumeInput>>(patchVolumeShape)
    if (Object.keys(input).length === 0) throw invalid(['body: must have at least one field'])
    return toJson(toVolume(changeNetworkVolume(ctx, ids[0]!, { name: input.name, sizeGb: input.size })))
  },
  async 'DELETE /network-volumes/{id}'({ ctx, ids }) {
    await deleteNetworkVolume(ctx, ids[0]!)
    return noContent()
  },
}

function toVolume({ id, name, sizeGb, dataCenterId, type }: NetworkVolumeRecord) {
  return { id, name, size: sizeGb, dataCenter: dataCenterId, type }
}

export const globalVolumeRoutes: Routes = {
  'GET /global-volumes': ({ ctx }) => toList('globalVolumes', [...ctx.store.globalVolumes.values()]),
  async 'POST /global-volumes'({ ctx, body }) {
    const { name: wanted } = await body<{ name: string }>(object({ name }, ['name']))
    return toJson(await createGlobalVolume(ctx, wanted), 201)
  },
  'GET /global-volumes/{id}': ({ ctx, ids }) => toJson(getGlobalVolume(ctx, ids[0]!)),
  async 'DELETE /global-volumes/{id}'({ ctx, ids }) {
    await deleteGlobalVolume(ctx, ids[0]!)
    return noContent()
  },
}

const registryShape = object({ name, username: text({ min: 1 }), password: text({ min: 1 }) }, [
  'name',
  'username',
  'password',
])

export const registryRoutes: Routes = {
  'GET /registries': ({ ctx }) => toList('registries', [...ctx.store.registries.values()].map(toRegistry)),
  async 'POST /registries'({ ctx, body }) {
    return toJson(toRegistry(createRegistry(ctx, await body<Omit<RegistryRecord, 'id'>>(registryShape))), 201)
  },
  'GET /registries/{id}': ({ ctx, ids }) => toJson(toRegistry(getRegistry(ctx, ids[0]!))),
  'DELETE /registries/{id}'({ ctx, ids }) {
    deleteRegistry(ctx, ids[0]!)
    return noContent()
  },
}

/** What it is opened with is never told. */
function toRegistry({ id, name }: RegistryRecord) {
  return { id, name }
}
