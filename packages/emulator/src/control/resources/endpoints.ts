import { createId, createToken } from '../ids.ts'
import type { EndpointRecord, EndpointSettings, TemplateFields, TemplateRecord } from '../records.ts'
import { notFound } from '../refuse.ts'
import type { AccountContext } from '../store.ts'
import { checkEndpoint } from './check-endpoint.ts'
import { createRelease, findDifferences, toConfiguration } from './configuration.ts'
import { resolveEndpoint } from './resolve.ts'
import { checkTemplate, endpointsOfTemplate, getTemplate, insertTemplate } from './templates.ts'

/** What an endpoint starts from: a template of its own, or one that exists. */
export type TemplateChoice = { own: TemplateFields } | { id: string }

export function getEndpoint({ store }: AccountContext, id: string): EndpointRecord {
  const endpoint = store.endpoints.get(id)
  if (!endpoint) throw notFound('endpoint', id)
  return endpoint
}

/**
 * Makes an endpoint; nothing is changed when it is refused.
 *
 * - throws `BAD_INPUT`, `BAD_REQUEST` for a template name that is taken, `NOT_FOUND` for what it refers to.
 */
export function createEndpoint(
  ctx: AccountContext,
  settings: EndpointSettings,
  choice: TemplateChoice,
): EndpointRecord {
  checkEndpoint(ctx, settings)
  checkChoice(ctx, settings, choice)
  const id = createId(ctx.store.endpoints, 14)
  const template = 'own' in choice ? insertTemplate(ctx, choice.own, id) : getTemplate(ctx, choice.id)
  if (settings.type === 'LB') giveWorkersPort(ctx, template)
  const createdAt = ctx.clock.now()
  const endpoint: EndpointRecord = {
    ...settings,
    id,
    templateId: template.id,
    aiKey: createToken(),
    createdAt,
    version: 1,
    configuration: toConfiguration(settings, template),
    releases: [createRelease(1, createdAt, [])],
  }
  ctx.store.endpoints.set(id, endpoint)
  ctx.endpoints.save(resolveEndpoint(ctx, endpoint))
  return endpoint
}

/** The same for one that exists; what is left out of `choice` stays. */
export function changeEndpoint(
  ctx: AccountContext,
  endpoint: EndpointRecord,
  settings: EndpointSettings,
  choice?: TemplateChoice,
): EndpointRecord {
  checkEndpoint(ctx, settings)
  if (choice) checkChoice(ctx, settings, choice, endpoint)
  Object.assign(endpoint, settings)
  if (choice) applyChoice(ctx, endpoint, choice)
  syncEndpoint(ctx, endpoint)
  return endpoint
}

/**
 * Hands an endpoint to those who run it, after something that it is made of has changed.
 * Its version rises when containers are made of that; then its workers are replaced.
 */
export function syncEndpoint(ctx: AccountContext, endpoint: EndpointRecord): void {
  const configuration = toConfiguration(endpoint, getTemplate(ctx, endpoint.templateId))
  const diff = findDifferences(endpoint.configuration, configuration)
  if (diff.length > 0) {
    endpoint.version += 1
    endpoint.configuration = configuration
    endpoint.releases.unshift(createRelease(endpoint.version, ctx.clock.now(), diff))
    endpoint.releases.length = Math.min(endpoint.releases.length, KEPT_RELEASES)
  }
  ctx.endpoints.save(resolveEndpoint(ctx, endpoint))
}

const KEPT_RELEASES = 1_000

/** Its workers are stopped, its jobs forgotten, and the template that was made with it leaves too. */
export function deleteEndpoint(ctx: AccountContext, id: string): void {
  const endpoint = getEndpoint(ctx, id)
  ctx.store.endpoints.delete(id)
  const template = ctx.store.templates.get(endpoint.templateId)
  if (template?.boundTo === id) ctx.store.templates.delete(template.id)
  ctx.background(ctx.endpoints.remove(id))
}

/** The template that an endpoint has for itself; `undefined` when it shares one. */
export function ownTemplate({ store }: AccountContext, endpoint: EndpointRecord): TemplateRecord | undefined {
  const template = store.templates.get(endpoint.templateId)
  return template?.boundTo === endpoint.id ? template : undefined
}

function checkChoice(
  ctx: AccountContext,
  settings: EndpointSettings,
  choice: TemplateChoice,
  endpoint?: EndpointRecord,
): void {
  if ('id' in choice) return void getTemplate(ctx, choice.id)
  const self = endpoint && ownTemplate(ctx, endpoint)?.id
  checkTemplate(ctx, choice.own, { self, environmentId: settings.flashEnvironmentId })
}

function applyChoice(ctx: AccountContext, endpoint: EndpointRecord, choice: TemplateChoice): void {
  const own = ownTemplate(ctx, endpoint)
  if ('own' in choice) {
    if (own) Object.assign(own, choice.own)
    else endpoint.templateId = insertTemplate(ctx, choice.own, endpoint.id).id
    return
  }
  if (own && own.id !== choice.id) ctx.store.templates.delete(own.id)
  endpoint.templateId = choice.id
}

/** Workers of a load-balanced endpoint are told their port in its template, once, when it is made. */
function giveWorkersPort(ctx: AccountContext, template: TemplateRecord): void {
  const missing = ['PORT', 'PORT_HEALTH'].filter((name) => !template.env.some(({ key }) => key === name))
  if (missing.length === 0) return
  template.env = [...template.env, ...missing.map((key) => ({ key, value: '80' }))]
  for (const endpoint of endpointsOfTemplate(ctx, template.id)) syncEndpoint(ctx, endpoint)
}
