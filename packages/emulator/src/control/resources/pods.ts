import { createId } from '../ids.ts'
import type { PodRecord } from '../records.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'

export function getPod({ store }: AccountContext, id: string): PodRecord {
  const pod = store.pods.get(id)
  if (!pod) throw notFound('pod', id)
  return pod
}

/** Only the record is made: nothing runs for it. Throws `BAD_INPUT`, `NOT_FOUND` for what it refers to. */
export function createPod(
  ctx: AccountContext,
  fields: Omit<PodRecord, 'id' | 'state' | 'createdAt' | 'isLocked'>,
): PodRecord {
  checkPod(ctx, fields)
  const pod: PodRecord = {
    ...fields,
    id: createId(ctx.store.pods, 14),
    state: 'RUNNING',
    isLocked: false,
    createdAt: ctx.clock.now(),
  }
  ctx.store.pods.set(pod.id, pod)
  return pod
}

export function changePod(ctx: AccountContext, id: string, fields: Partial<PodRecord>): PodRecord {
  const pod = getPod(ctx, id)
  checkPod(ctx, { ...pod, ...fields })
  return Object.assign(pod, fields)
}

/** Throws `BAD_REQUEST` for a pod that is locked. */
export function setPodState(ctx: AccountContext, id: string, state: PodRecord['state']): PodRecord {
  const pod = getPod(ctx, id)
  if (pod.isLocked && state === 'EXITED') throw refused(`the pod ${id} is locked`, 'unlock it first')
  return Object.assign(pod, { state })
}

export function deletePod(ctx: AccountContext, id: string): void {
  getPod(ctx, id)
  ctx.store.pods.delete(id)
}

function checkPod(
  { store }: AccountContext,
  pod: Omit<PodRecord, 'id' | 'state' | 'createdAt' | 'isLocked'>,
): void {
  if (pod.imageName.trim() === '') throw invalid(['image: is empty'])
  if (pod.name.trim() === '') throw invalid(['name: is empty'])
  if (pod.registryId && !store.registries.has(pod.registryId))
    throw notFound('registry credential', pod.registryId)
  for (const { volumeId } of pod.mounts.network ?? [])
    if (!store.networkVolumes.has(volumeId) && !store.globalVolumes.has(volumeId))
      throw notFound('network volume', volumeId)
}
