import { createId } from '../ids.ts'
import type { RegistryRecord } from '../records.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import { syncEndpoint } from './endpoints.ts'
import { endpointsOfTemplate } from './templates.ts'

export function getRegistry({ store }: AccountContext, id: string): RegistryRecord {
  const registry = store.registries.get(id)
  if (!registry) throw notFound('registry credential', id)
  return registry
}

/** Throws `BAD_INPUT` for an empty field, `BAD_REQUEST` for a name that is taken. */
export function createRegistry(ctx: AccountContext, fields: Omit<RegistryRecord, 'id'>): RegistryRecord {
  checkFilled(fields)
  if ([...ctx.store.registries.values()].some(({ name }) => name === fields.name))
    throw refused(`a registry credential with the name "${fields.name}" already exists; it must be unique`)
  const registry = { ...fields, id: createId(ctx.store.registries) }
  ctx.store.registries.set(registry.id, registry)
  return registry
}

/** Workers that start from now on use the new values. */
export function changeRegistry(
  ctx: AccountContext,
  id: string,
  fields: Pick<RegistryRecord, 'username' | 'password'>,
): RegistryRecord {
  const registry = getRegistry(ctx, id)
  checkFilled(fields)
  Object.assign(registry, fields)
  for (const template of templatesWith(ctx, id))
    for (const endpoint of endpointsOfTemplate(ctx, template.id)) syncEndpoint(ctx, endpoint)
  return registry
}

/** Templates that use it lose it; a pod that does forbids it. */
export function deleteRegistry(ctx: AccountContext, id: string): void {
  const registry = getRegistry(ctx, id)
  const pod = [...ctx.store.pods.values()].find(({ registryId }) => registryId === id)
  if (pod) throw refused(`the pod ${pod.id} uses the credential "${registry.name}"`, 'delete the pod first')
  ctx.store.registries.delete(id)
  for (const template of templatesWith(ctx, id)) {
    template.containerRegistryAuthId = null
    for (const endpoint of endpointsOfTemplate(ctx, template.id)) syncEndpoint(ctx, endpoint)
  }
}

function templatesWith({ store }: AccountContext, registryId: string) {
  return [...store.templates.values()].filter((template) => template.containerRegistryAuthId === registryId)
}

function checkFilled(fields: Partial<RegistryRecord>): void {
  const empty = Object.entries(fields).filter(([, value]) => value === '')
  if (empty.length > 0) throw invalid(empty.map(([field]) => `${field}: is empty`))
}
