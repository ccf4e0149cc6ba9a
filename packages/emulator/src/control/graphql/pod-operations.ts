import { invalid } from '../refuse.ts'
import { createPod, deletePod } from '../resources/pods.ts'
import type { AccountContext } from '../store.ts'
import type { Maybe, Resolvers } from './values.ts'
import { parseVariables, type VariablesInput } from './variables.ts'
import { toPod } from './views.ts'

export const podQueries: Resolvers = {
  pod({ input }: { input?: { podId?: Maybe<string> } | null }, { store }) {
    const pod = store.pods.get(input?.podId ?? '')
    return pod ? toPod(pod) : null
  },
}

export const podMutations: Resolvers = {
  deployCpuPod({ input }: { input: PodInput }, ctx) {
    if (!input.instanceId) throw invalid(['instanceId: is missing'])
    return deploy(ctx, input)
  },
  podFindAndDeployOnDemand({ input }: { input?: PodInput | null }, ctx) {
    const typeId = input?.gpuTypeIdList?.[0] ?? input?.gpuTypeId
    if (!input || !typeId) throw invalid(['gpuTypeId: is missing'])
    return deploy(ctx, input, { typeId, count: input.gpuCount ?? 1 })
  },
  podTerminate: ({ input }: { input: { podId?: Maybe<string> } }, ctx) =>
    void deletePod(ctx, input.podId ?? ''),
}

interface PodInput {
  name?: Maybe<string>
  imageName?: Maybe<string>
  dockerArgs?: Maybe<string>
  ports?: Maybe<string>
  containerDiskInGb?: Maybe<number>
  env?: Maybe<VariablesInput>
  dataCenterId?: Maybe<string>
  dataCenterIds?: Maybe<Maybe<string>[]>
  volumeMounts?: Maybe<Maybe<{ volumeId?: Maybe<string>; mountPath?: Maybe<string> }>[]>
  instanceId?: Maybe<string>
  gpuTypeId?: Maybe<string>
  gpuTypeIdList?: Maybe<Maybe<string>[]>
  gpuCount?: Maybe<number>
  containerRegistryAuthId?: Maybe<string>
}

function deploy(ctx: AccountContext, input: PodInput, gpu: { typeId: string; count: number } | null = null) {
  const network = (input.volumeMounts ?? []).flatMap((one) =>
    one?.volumeId ? [{ volumeId: one.volumeId, path: one.mountPath ?? '/workspace' }] : [],
  )
  return toPod(
    createPod(ctx, {
      ...toContainer(input),
      gpu,
      instanceId: gpu ? null : (input.instanceId ?? null),
      dataCenterId: input.dataCenterId || input.dataCenterIds?.[0] || null,
      cloud: 'SECURE',
      templateId: null,
      mounts: network.length > 0 ? { network } : {},
    }),
  )
}

function toContainer(input: PodInput) {
  return {
    name: input.name ?? '',
    imageName: input.imageName ?? '',
    dockerArgs: input.dockerArgs ?? '',
    containerDiskInGb: input.containerDiskInGb ?? 10,
    env: parseVariables(input.env ?? []),
    ports: (input.ports ?? '').split(',').filter((port) => port !== ''),
    registryId: input.containerRegistryAuthId || null,
  }
}
