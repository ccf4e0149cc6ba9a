import { findCpus, findGpus } from '../catalog.ts'
import { parseCpuInstance } from '@flash/protocol'
import { notFound } from '../refuse.ts'
import { changeEndpoint, deleteEndpoint, getEndpoint } from '../resources/endpoints.ts'
import { changeRegistry, createRegistry, deleteRegistry } from '../resources/registries.ts'
import { createSecret, deleteSecret } from '../resources/secrets.ts'
import { deleteTemplate } from '../resources/templates.ts'
import { USER_EMAIL, USER_ID } from '../resources/user.ts'
import type { AccountContext } from '../store.ts'
import { saveEndpoint } from './save-endpoint.ts'
import { saveTemplate } from './save-template.ts'
import type { Arguments, Maybe, Resolvers } from './values.ts'
import { toApp, toEndpoint, toPod, toSecret, toTemplate, toVolume } from './views.ts'

export const endpointQueries: Resolvers = {
  myself: (_args, ctx) => toUser(ctx),
  podTemplate: ({ id }: Arguments<'id'>, { store }) => toTemplate(store.templates.get(id)),
  gpuTypes: ({ input }: { input?: { id?: string | null; ids?: string[] | null } | null }) => {
    const ids = input?.ids ?? (input?.id ? [input.id] : undefined)
    return findGpus(ids).map(toGpuType)
  },
  cpuFlavors: ({ input }: { input?: { id?: string | null } | null }) =>
    findCpus(input?.id ?? undefined).map(({ id, name, group }) => ({
      id,
      displayName: name,
      groupName: group,
      specifics: ({ input }: { input?: { instanceId?: string | null } | null }) => ({
        stockStatus: isOffered(input?.instanceId) ? 'HIGH' : null,
        securePrice: 0,
        slsPrice: 0,
      }),
    })),
}

export const endpointMutations: Resolvers = {
  saveEndpoint: ({ input }, ctx) => toEndpoint(ctx, saveEndpoint(ctx, input)),
  deleteEndpoint: ({ id }: Arguments<'id'>, ctx) => void deleteEndpoint(ctx, id),
  updateEndpointTemplate({ input }: { input?: { endpointId?: string; templateId?: string } | null }, ctx) {
    const endpoint = getEndpoint(ctx, input?.endpointId ?? '')
    return toEndpoint(ctx, changeEndpoint(ctx, endpoint, endpoint, { id: input?.templateId ?? '' }))
  },
  saveTemplate: ({ input }, ctx) => toTemplate(saveTemplate(ctx, input ?? {})),
  deleteTemplate({ templateName }: { templateName?: Maybe<string> }, ctx) {
    const template = [...ctx.store.templates.values()].find(({ name }) => name === templateName)
    if (!template) throw notFound('template', templateName ?? '')
    deleteTemplate(ctx, template.id)
  },
  saveRegistryAuth: ({ input }, ctx) =>
    createRegistry(ctx, {
      name: input?.name ?? '',
      username: input?.username ?? '',
      password: input?.password ?? '',
    }),
  updateRegistryAuth: ({ input }, ctx) =>
    changeRegistry(ctx, input?.id ?? '', {
      username: input?.username ?? '',
      password: input?.password ?? '',
    }),
  deleteRegistryAuth: ({ registryAuthId }: Arguments<'registryAuthId'>, ctx) =>
    void deleteRegistry(ctx, registryAuthId),
  secretCreate: ({ input }, ctx) =>
    toSecret(
      createSecret(ctx, {
        name: input.name ?? '',
        value: input.value ?? '',
        description: input.description ?? null,
      }),
    ),
  secretDelete: ({ id }: Arguments<'id'>, ctx) => void deleteSecret(ctx, id),
  updateUserSettings({ input }: { input?: { pubKey?: string | null } | null }, ctx) {
    const keys = (input?.pubKey ?? '').split('\n').map((key) => key.trim())
    ctx.store.sshKeys = keys.filter((key) => key !== '')
    return toUser(ctx)
  },
}

function toUser(ctx: AccountContext) {
  const { store } = ctx
  const all = <T>(records: ReadonlyMap<string, T>) => [...records.values()]
  return {
    id: USER_ID,
    email: USER_EMAIL,
    pubKey: store.sshKeys.join('\n'),
    endpoint({ id }: Arguments<'id'>) {
      const endpoint = store.endpoints.get(id)
      return endpoint ? toEndpoint(ctx, endpoint) : null
    },
    endpoints: () => all(store.endpoints).map((endpoint) => toEndpoint(ctx, endpoint)),
    podTemplates: () => all(store.templates).map(toTemplate),
    pods: () => all(store.pods).map(toPod),
    networkVolumes: () => all(store.networkVolumes).map(toVolume),
    secrets: () => all(store.secrets).map(toSecret),
    containerRegistryCreds: () => all(store.registries),
    flashApps: () => all(store.apps).map((app) => toApp(ctx, app)),
    serverlessDiscount: null,
  }
}

function toGpuType({ id, name, memoryGb }: ReturnType<typeof findGpus>[number]) {
  return {
    id,
    displayName: name,
    manufacturer: 'NVIDIA',
    memoryInGb: memoryGb,
    maxGpuCount: 8,
    secureCloud: true,
    communityCloud: false,
    securePrice: 0,
    communityPrice: 0,
    lowestPrice: { stockStatus: 'HIGH', minimumBidPrice: 0, uninterruptablePrice: 0 },
  }
}

/** Any size of a flavour that there is; without an instance, the flavour is what is asked about. */
function isOffered(instanceId: string | null | undefined): boolean {
  if (!instanceId) return true
  const shape = parseCpuInstance(instanceId)
  return shape !== null && findCpus(shape.flavor).length > 0
}
