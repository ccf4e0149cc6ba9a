import type { TemplateFields, TemplateRecord } from '../records.ts'
import { invalid } from '../refuse.ts'
import { syncEndpoint } from '../resources/endpoints.ts'
import {
  checkTemplate,
  createTemplate,
  deleteTemplate,
  endpointsOfTemplate,
  getTemplate,
  templateDefaults,
} from '../resources/templates.ts'
import { noContent, toJson, toList } from './answers.ts'
import { type ContainerInput, containerShapes, mergeContainer, toContainer } from './container.ts'
import type { Handler, Routes, Visit } from './router.ts'
import { choice, flag, integer, list, object, text } from './shape.ts'

interface TemplateInput extends ContainerInput {
  name?: string
  category?: TemplateFields['category']
  mounts?: { persistent?: { size: number; path: string } }
  public?: boolean
  serverless?: boolean
  startJupyter?: boolean
  startSsh?: boolean
  allowedCudaVersions?: string[]
}

const shapes = {
  ...containerShapes,
  name: text({ min: 1 }),
  allowedCudaVersions: list(text({ pattern: /^\d+\.\d+$/ })),
  category: choice('CPU', 'NVIDIA', 'AMD'),
  mounts: object({ persistent: object({ size: integer({ min: 10 }), path: text() }, ['size', 'path']) }),
  public: flag,
  serverless: flag,
  startJupyter: flag,
  startSsh: flag,
}

async function create({ ctx, body }: Visit): Promise<Response> {
  const input = await body<TemplateInput>(object(shapes, ['name']))
  if (!input.image) throw invalid(['image: is missing'])
  const fields = merge({ ...templateDefaults, name: '', imageName: '' }, input)
  return toJson(toTemplate(createTemplate(ctx, fields)), 201)
}

async function change({ ctx, ids, body }: Visit): Promise<Response> {
  getTemplate(ctx, ids[0]!)
  const input = await body<TemplateInput>(object(shapes))
  const template = getTemplate(ctx, ids[0]!)
  const fields = merge(template, input)
  checkTemplate(ctx, fields, { self: template.id })
  Object.assign(template, fields)
  for (const endpoint of endpointsOfTemplate(ctx, template.id)) syncEndpoint(ctx, endpoint)
  return toJson(toTemplate(template))
}

function merge<T extends TemplateFields>(before: T, input: TemplateInput): T {
  const { persistent } = input.mounts ?? {}
  return {
    ...mergeContainer(before, input),
    ...(input.name !== undefined && { name: input.name }),
    ...(input.category && { category: input.category }),
    ...(persistent && { volumeInGb: persistent.size, volumeMountPath: persistent.path }),
    ...(input.public !== undefined && { isPublic: input.public }),
    ...(input.serverless !== undefined && { isServerless: input.serverless }),
    ...(input.startJupyter !== undefined && { startJupyter: input.startJupyter }),
    ...(input.startSsh !== undefined && { startSsh: input.startSsh }),
    ...(input.allowedCudaVersions && { allowedCudaVersions: input.allowedCudaVersions }),
  }
}

function toTemplate(template: TemplateRecord) {
  const { volumeInGb: size, volumeMountPath: path } = template
  return {
    id: template.id,
    name: template.name,
    ...toContainer(template),
    mounts: size > 0 ? { persistent: { size, path } } : {},
    serverless: template.isServerless,
    public: template.isPublic,
    category: template.category,
    startSsh: template.startSsh,
    startJupyter: template.startJupyter,
    allowedCudaVersions: template.allowedCudaVersions,
  }
}

const remove: Handler = ({ ctx, ids }) => {
  deleteTemplate(ctx, ids[0]!)
  return noContent()
}

export const templateRoutes: Routes = {
  'GET /templates': ({ ctx }) => toList('templates', [...ctx.store.templates.values()].map(toTemplate)),
  'POST /templates': create,
  'GET /templates/{id}': ({ ctx, ids }) => toJson(toTemplate(getTemplate(ctx, ids[0]!))),
  'PATCH /templates/{id}': change,
  'DELETE /templates/{id}': remove,
  'GET /catalog/templates': () => toList('templates', []),
}
