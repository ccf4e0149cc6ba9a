import type { TemplateFields, TemplateRecord } from '../records.ts'
import { invalid } from '../refuse.ts'
import { syncEndpoint } from '../resources/endpoints.ts'
import {
  checkTemplate,
  createTemplate,
  endpointsOfTemplate,
  getTemplate,
  templateDefaults,
} from '../resources/templates.ts'
import type { AccountContext } from '../store.ts'
import { defined, type Maybe } from './values.ts'
import { parseVariables, type VariablesInput } from './variables.ts'

export interface TemplateInput {
  name?: Maybe<string>
  imageName?: Maybe<string>
  dockerArgs?: Maybe<string>
  containerDiskInGb?: Maybe<number>
  env?: Maybe<VariablesInput>
  ports?: Maybe<string>
  startScript?: Maybe<string>
  advancedStart?: Maybe<boolean>
  config?: unknown
  containerRegistryAuthId?: Maybe<string>
  volumeInGb?: Maybe<number>
  volumeMountPath?: Maybe<string>
  isServerless?: Maybe<boolean>
  isPublic?: Maybe<boolean>
  readme?: Maybe<string>
  startSsh?: Maybe<boolean>
  startJupyter?: Maybe<boolean>
  category?: Maybe<string>
}

/** Of a template that is sent inside of an endpoint. */
export const ownTemplateDefaults: TemplateFields = {
  ...templateDefaults,
  name: '',
  imageName: '',
  containerDiskInGb: 64,
  isServerless: true,
}

/** Makes a template, or changes the one with the id; workers of endpoints that use it are replaced. */
export function saveTemplate(
  ctx: AccountContext,
  input: TemplateInput & { id?: Maybe<string> },
): TemplateRecord {
  if (!input.id)
    return createTemplate(ctx, mergeTemplate({ ...ownTemplateDefaults, isServerless: false }, input))
  const template = getTemplate(ctx, input.id)
  const fields = mergeTemplate(template, input)
  checkTemplate(ctx, fields, { self: template.id, environmentId: environmentOf(ctx, template) })
  Object.assign(template, fields)
  for (const endpoint of endpointsOfTemplate(ctx, template.id)) syncEndpoint(ctx, endpoint)
  return template
}

function environmentOf({ store }: AccountContext, { boundTo }: TemplateRecord): string | null {
  return store.endpoints.get(boundTo ?? '')?.flashEnvironmentId ?? null
}

/** The fields of a template with those that were sent; the variables are replaced as a whole. */
export function mergeTemplate(before: TemplateFields, input: TemplateInput): TemplateFields {
  const { id: _id, boundTo: _boundTo, ...fields } = before as TemplateRecord
  const { env, category, config, containerRegistryAuthId, ...plain } = input
  const merged: TemplateFields = {
    ...fields,
    ...pickKnown(plain),
    ...defined({
      env: env ? parseVariables(env) : undefined,
      category: parseCategory(category),
      config: config ?? undefined,
      containerRegistryAuthId,
    }),
  }
  checkSizes(merged)
  return merged
}

const plainFields = [
  'name',
  'imageName',
  'dockerArgs',
  'containerDiskInGb',
  'ports',
  'startScript',
  'advancedStart',
  'volumeInGb',
  'volumeMountPath',
  'isServerless',
  'isPublic',
  'readme',
  'startSsh',
  'startJupyter',
] as const

function pickKnown(input: TemplateInput): Partial<TemplateFields> {
  const given = plainFields.filter((field) => input[field] !== undefined && input[field] !== null)
  return Object.fromEntries(given.map((field) => [field, input[field]]))
}

function parseCategory(category: Maybe<string> | undefined): TemplateFields['category'] | undefined {
  return category === 'NVIDIA' || category === 'AMD' || category === 'CPU' ? category : undefined
}

function checkSizes({ containerDiskInGb, volumeInGb }: TemplateFields): void {
  const issues: string[] = []
  if (containerDiskInGb < 1) issues.push(`containerDiskInGb: ${containerDiskInGb} is less than 1`)
  if (volumeInGb < 0) issues.push(`volumeInGb: ${volumeInGb} is less than 0`)
  if (issues.length > 0) throw invalid(issues)
}
