import { mkdir, rm } from 'node:fs/promises'
import { createId } from '../ids.ts'
import type { GlobalVolumeRecord, NetworkVolumeRecord } from '../records.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import { volumeIdsOf } from './configuration.ts'
import { volumeFolder } from './resolve.ts'

export function getNetworkVolume({ store }: AccountContext, id: string): NetworkVolumeRecord {
  const volume = store.networkVolumes.get(id)
  if (!volume) throw notFound('network volume', id)
  return volume
}

/** Throws `BAD_INPUT`. Its files lie in a folder of this machine. */
export async function createNetworkVolume(
  ctx: AccountContext,
  fields: Omit<NetworkVolumeRecord, 'id'>,
): Promise<NetworkVolumeRecord> {
  checkName(fields.name)
  checkSize(fields.sizeGb)
  if (fields.dataCenterId === '') throw invalid(['dataCenterId: is empty'])
  const id = createId(ctx.store.networkVolumes)
  await mkdir(volumeFolder(ctx, id), { recursive: true })
  const volume = { ...fields, id }
  ctx.store.networkVolumes.set(id, volume)
  return volume
}

/** Throws `BAD_REQUEST` for a smaller size. */
export function changeNetworkVolume(
  ctx: AccountContext,
  id: string,
  fields: { name?: string; sizeGb?: number },
): NetworkVolumeRecord {
  const volume = getNetworkVolume(ctx, id)
  const { name = volume.name, sizeGb = volume.sizeGb } = fields
  checkName(name)
  checkSize(sizeGb)
  if (sizeGb < volume.sizeGb)
    throw refused(`the volume "${volume.name}" has ${volume.sizeGb} GB and can only grow, ${sizeGb} is less`)
  return Object.assign(volume, { name, sizeGb })
}

/** Throws `BAD_REQUEST` while an endpoint or a pod has it. */
export async function deleteNetworkVolume(ctx: AccountContext, id: string): Promise<void> {
  const volume = getNetworkVolume(ctx, id)
  checkUnused(ctx, id, volume.name)
  ctx.store.networkVolumes.delete(id)
  await rm(volumeFolder(ctx, id), { recursive: true, force: true })
}

export function getGlobalVolume({ store }: AccountContext, id: string): GlobalVolumeRecord {
  const volume = store.globalVolumes.get(id)
  if (!volume) throw notFound('global volume', id)
  return volume
}

export async function createGlobalVolume(ctx: AccountContext, name: string): Promise<GlobalVolumeRecord> {
  checkName(name)
  const id = createId(ctx.store.globalVolumes)
  await mkdir(volumeFolder(ctx, id), { recursive: true })
  const volume = { id, name }
  ctx.store.globalVolumes.set(id, volume)
  return volume
}

export async function deleteGlobalVolume(ctx: AccountContext, id: string): Promise<void> {
  const volume = getGlobalVolume(ctx, id)
  checkUnused(ctx, id, volume.name)
  ctx.store.globalVolumes.delete(id)
  await rm(volumeFolder(ctx, id), { recursive: true, force: true })
}

function checkUnused({ store }: AccountContext, id: string, name: string): void {
  const endpoint = [...store.endpoints.values()].find(
    (one) => volumeIdsOf(one).includes(id) || one.volumes.some((volume) => volume.volumeId === id),
  )
  if (endpoint)
    throw refused(`the endpoint ${endpoint.id} has the volume "${name}"`, 'delete the endpoint first')
  const pod = [...store.pods.values()].find((one) =>
    one.mounts.network?.some(({ volumeId }) => volumeId === id),
  )
  if (pod) throw refused(`the pod ${pod.id} has the volume "${name}"`, 'delete the pod first')
}

function checkName(name: string): void {
  if (name.trim() === '') throw invalid(['name: is empty'])
}

function checkSize(sizeGb: number): void {
  if (!Number.isInteger(sizeGb) || sizeGb < 0 || sizeGb > 4_096)
    throw invalid([`size: ${sizeGb} is no number of GB from 0 to 4096`])
}
