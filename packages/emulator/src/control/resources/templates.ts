import { createId } from '../ids.ts'
import type { EndpointRecord, TemplateFields, TemplateRecord } from '../records.ts'
import { notFound, refused } from '../refuse.ts'
import type { AccountContext } from '../store.ts'

/** Of a template that stands alone; one that is made with an endpoint has no volume and is for serverless. */
export const templateDefaults: Omit<TemplateFields, 'name' | 'imageName'> = {
  dockerArgs: '',
  containerDiskInGb: 50,
  env: [],
  ports: '',
  containerRegistryAuthId: '',
  volumeInGb: 0,
  volumeMountPath: '/workspace',
  readme: '',
  isServerless: false,
  isPublic: false,
  startScript: '',
  advancedStart: false,
  config: {},
  category: 'NVIDIA',
  startSsh: true,
  startJupyter: true,
  allowedCudaVersions: [],
}

export function getTemplate({ store }: AccountContext, id: string): TemplateRecord {
  const template = store.templates.get(id)
  if (!template) throw notFound('template', id)
  return template
}

/**
 * Makes a template that belongs to nobody.
 *
 * - throws `BAD_REQUEST` for a name that is taken, `NOT_FOUND` for an unknown registry.
 */
export function createTemplate(ctx: AccountContext, fields: TemplateFields): TemplateRecord {
  checkTemplate(ctx, fields)
  return insertTemplate(ctx, fields, null)
}

/** Puts a template on the account that was checked before. */
export function insertTemplate(
  { store }: AccountContext,
  fields: TemplateFields,
  boundTo: string | null,
): TemplateRecord {
  const template = { ...fields, id: createId(store.templates), boundTo }
  store.templates.set(template.id, template)
  return template
}

/** Endpoints that start their workers from a template. */
export function endpointsOfTemplate({ store }: AccountContext, templateId: string): EndpointRecord[] {
  return [...store.endpoints.values()].filter((endpoint) => endpoint.templateId === templateId)
}

/**
 * Deletes a template.
 *
 * - throws `BAD_REQUEST` while an endpoint or a pod has it.
 */
export function deleteTemplate(ctx: AccountContext, id: string): void {
  const template = getTemplate(ctx, id)
  const [endpoint] = endpointsOfTemplate(ctx, id)
  if (endpoint)
    throw refused(
      `the template "${template.name}" is bound to the endpoint ${endpoint.id}`,
      'delete the endpoint first',
    )
  const pod = [...ctx.store.pods.values()].find((candidate) => candidate.templateId === id)
  if (pod)
    throw refused(`the template "${template.name}" is used by the pod ${pod.id}`, 'delete the pod first')
  ctx.store.templates.delete(id)
}

/**
 * Whether an account may have this template.
 *
 * - `self`: the id of the template that is changed.
 * - `environmentId`: of the app that its endpoint belongs to.
 * - throws `BAD_REQUEST` for a name that is taken, `NOT_FOUND` for an unknown registry.
 */
export function checkTemplate(
  ctx: AccountContext,
  fields: TemplateFields,
  { self, environmentId = null }: { self?: string; environmentId?: string | null } = {},
): void {
  if (fields.name.trim() === '') throw refused('a template needs a name')
  if (fields.imageName.trim() === '') throw refused(`the template "${fields.name}" needs an imageName`)
  const registry = fields.containerRegistryAuthId
  if (registry && !ctx.store.registries.has(registry)) throw notFound('registry credential', registry)
  const holder = [...ctx.store.templates.values()].find((one) => one.name === fields.name && one.id !== self)
  if (holder && !isOfOtherEnvironment(ctx, holder, environmentId))
    throw refused(
      `the template name "${fields.name}" is taken by ${holder.id}; it must be unique`,
      'use another name, or delete the other template',
    )
}

/** Python's SDK gives a resource's template the same name in every environment of an app. */
function isOfOtherEnvironment(
  { store }: AccountContext,
  holder: TemplateRecord,
  environmentId: string | null,
) {
  const other = holder.boundTo ? store.endpoints.get(holder.boundTo)?.flashEnvironmentId : null
  return Boolean(other && environmentId && other !== environmentId)
}
