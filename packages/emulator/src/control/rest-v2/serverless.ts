import type { RunningEndpoint } from '../../endpoints/types.ts'
import type { EndpointSettings, TemplateFields } from '../records.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import { endpointDefaults, pickSettings } from '../resources/endpoint-defaults.ts'
import {
  changeEndpoint,
  createEndpoint,
  deleteEndpoint,
  getEndpoint,
  ownTemplate,
} from '../resources/endpoints.ts'
import { getTemplate, templateDefaults } from '../resources/templates.ts'
import { streamLog } from '../logs/stream.ts'
import type { AccountContext } from '../store.ts'
import { noContent, toJson, toList } from './answers.ts'
import { fromTemplate, hasContainer, mergeContainer } from './container.ts'
import { createShape, type EndpointInput, mergeSettings, patchShape } from './endpoint-input.ts'
import { toEndpoint } from './endpoint-view.ts'
import type { Handler, Routes, Visit } from './router.ts'
import { toReleaseList, toWorkerList } from './worker-view.ts'

const list: Handler = ({ ctx }) =>
  toList(
    'endpoints',
    [...ctx.store.endpoints.values()].map((endpoint) => toEndpoint(ctx, endpoint)),
  )

const show: Handler = ({ ctx, ids }) => toJson(toEndpoint(ctx, getEndpoint(ctx, ids[0]!)))

/** REST has other defaults than GraphQL. */
const defaults = {
  ...endpointDefaults,
  idleTimeout: 10,
  executionTimeoutMs: 300_000,
  flashBootType: 'OFF',
} as const

const containerDefaults: TemplateFields = {
  ...templateDefaults,
  name: '',
  imageName: '',
  containerDiskInGb: 20,
  isServerless: true,
}

async function create(visit: Visit): Promise<Response> {
  const { ctx } = visit
  const sent = await visit.body<EndpointInput>(createShape)
  if (Boolean(sent.gpu) === Boolean(sent.cpu)) throw refused('exactly one of gpu and cpu must be given')
  const input = withTemplate(visit, sent)
  if (!input.image) throw invalid(['image: is missing, and there is no templateId'])
  const type = input.type === 'LOAD_BALANCER' ? 'LB' : 'QB'
  const settings = mergeSettings({ ...defaults, type }, input)
  const own = mergeContainer({ ...containerDefaults, name: freeName(visit, input.name!) }, input)
  return toJson(toEndpoint(ctx, createEndpoint(ctx, settings, { own })), 201)
}

async function change(visit: Visit): Promise<Response> {
  const { ctx, ids } = visit
  const endpoint = getEndpoint(ctx, ids[0]!)
  const input = withTemplate(visit, await visit.body<EndpointInput>(patchShape))
  // It may have been deleted while the body came.
  getEndpoint(ctx, endpoint.id)
  checkCompute(endpoint, input)
  const settings = mergeSettings(pickSettings(endpoint), input)
  if (!hasContainer(input)) return toJson(toEndpoint(ctx, changeEndpoint(ctx, endpoint, settings)))
  // One that shares a template gets a copy, so that the others keep theirs.
  const own = ownTemplate(ctx, endpoint)
  const before = own ?? getTemplate(ctx, endpoint.templateId)
  const { id: _id, boundTo: _boundTo, ...fields } = before
  const name = own ? own.name : freeName(visit, endpoint.name)
  const choice = { own: mergeContainer({ ...fields, name }, input) }
  return toJson(toEndpoint(ctx, changeEndpoint(ctx, endpoint, settings, choice)))
}

/** The container of a template that the request names is taken over once; no link to it stays. */
function withTemplate({ ctx }: Visit, input: EndpointInput): EndpointInput {
  if (input.templateId === undefined) return input
  const template = getTemplate(ctx, input.templateId)
  const allowed = template.allowedCudaVersions
  const isSeeded =
    input.gpu && !input.gpu.allowedCudaVersions && !input.gpu.minCudaVersion && allowed.length > 0
  const gpu = isSeeded ? { ...input.gpu, allowedCudaVersions: allowed } : input.gpu
  return { ...input, ...fromTemplate(template, input), ...(gpu && { gpu }) }
}

function checkCompute({ gpuIds }: EndpointSettings, { gpu, cpu }: EndpointInput): void {
  if (gpu && cpu) throw refused('gpu and cpu exclude each other')
  if (gpu && !gpuIds) throw refused('gpu: the endpoint is on CPUs, and that cannot change')
  if (cpu && gpuIds) throw refused('cpu: the endpoint is on GPUs, and that cannot change')
}

/** A name for the template of an endpoint; those of endpoints need not be unique, those of templates must be. */
function freeName({ ctx }: Visit, name: string): string {
  const taken = new Set([...ctx.store.templates.values()].map((template) => template.name))
  const base = `${name}__template`
  for (let count = 1; ; count++) {
    const candidate = count === 1 ? base : `${base}-${count}`
    if (!taken.has(candidate)) return candidate
  }
}

const remove: Handler = ({ ctx, ids }) => {
  deleteEndpoint(ctx, ids[0]!)
  return noContent()
}

const workers: Handler = ({ ctx, ids }) => toJson(toWorkerList(getRunning(ctx, ids[0]!), ctx.clock.now()))

const releases: Handler = ({ ctx, ids }) => toJson(toReleaseList(ctx, getEndpoint(ctx, ids[0]!)))

const workerLogs: Handler = ({ ctx, ids: [id, workerId], request }) => {
  getRunning(ctx, id!)
  const find = () => ctx.endpoints.get(id!)?.log(workerId!)
  if (!find()) throw notFound('worker', workerId!)
  return streamLog(ctx, request, find)
}

/** Also one that was made without asking the account. */
function getRunning({ endpoints }: AccountContext, id: string): RunningEndpoint {
  const endpoint = endpoints.get(id)
  if (!endpoint) throw notFound('endpoint', id)
  return endpoint
}

export const serverlessRoutes: Routes = {
  'GET /serverless': list,
  'POST /serverless': create,
  'GET /serverless/{id}': show,
  'PATCH /serverless/{id}': change,
  'DELETE /serverless/{id}': remove,
  'GET /serverless/{id}/workers': workers,
  'GET /serverless/{id}/releases': releases,
  'GET /serverless/{id}/workers/{workerId}/logs': workerLogs,
}
