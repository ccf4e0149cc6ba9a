import { createId } from '../ids.ts'
import type { SecretRecord } from '../records.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import { syncEndpoint } from './endpoints.ts'

/**
 * Makes a secret; workers that start from now on get it where `{{ RUNPOD_SECRET_name }}` stands.
 *
 * - throws `BAD_INPUT`, `BAD_REQUEST` for a name that is taken.
 */
export function createSecret(
  ctx: AccountContext,
  fields: Pick<SecretRecord, 'name' | 'value' | 'description'>,
): SecretRecord {
  if (!/^[\w.-]+$/.test(fields.name))
    throw invalid(['name: a secret has letters, digits, ".", "_" and "-" in its name'])
  if (fields.value === '' || fields.value.includes('\0'))
    throw invalid(['value: is empty, or has a zero byte'])
  if ([...ctx.store.secrets.values()].some(({ name }) => name === fields.name))
    throw refused(`a secret with the name "${fields.name}" already exists`, 'delete it first')
  const secret = { ...fields, id: createId(ctx.store.secrets), createdAt: ctx.clock.now() }
  ctx.store.secrets.set(secret.id, secret)
  syncUsers(ctx, secret.name)
  return secret
}

export function deleteSecret(ctx: AccountContext, id: string): void {
  const secret = ctx.store.secrets.get(id)
  if (!secret) throw notFound('secret', id)
  ctx.store.secrets.delete(id)
  syncUsers(ctx, secret.name)
}

function syncUsers(ctx: AccountContext, name: string): void {
  for (const endpoint of ctx.store.endpoints.values()) {
    const template = ctx.store.templates.get(endpoint.templateId)
    if (template?.env.some(({ value }) => value.includes(`RUNPOD_SECRET_${name}`)))
      syncEndpoint(ctx, endpoint)
  }
}
