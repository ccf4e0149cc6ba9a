import type { EndpointRecord, EndpointSettings, FlashBootType, ScalerType } from '../records.ts'
import { invalid, refused } from '../refuse.ts'
import { endpointDefaults, pickSettings } from '../resources/endpoint-defaults.ts'
import {
  changeEndpoint,
  createEndpoint,
  getEndpoint,
  ownTemplate,
  type TemplateChoice,
} from '../resources/endpoints.ts'
import type { AccountContext } from '../store.ts'
import { mergeTemplate, ownTemplateDefaults, type TemplateInput } from './save-template.ts'
import { defined, type Maybe } from './values.ts'

interface EndpointInput {
  id?: Maybe<string>
  name?: Maybe<string>
  type?: Maybe<string>
  templateId?: Maybe<string>
  template?: Maybe<TemplateInput>
  gpuIds?: Maybe<string>
  gpuCount?: Maybe<number>
  allowedCudaVersions?: Maybe<string>
  minCudaVersion?: Maybe<string>
  instanceIds?: Maybe<Maybe<string>[]>
  locations?: Maybe<string>
  networkVolumeId?: Maybe<string>
  networkVolumeIds?: Maybe<Maybe<{ networkVolumeId?: Maybe<string> }>[]>
  volumes?: Maybe<Maybe<{ volumeId?: Maybe<string>; volumeType?: Maybe<string> }>[]>
  flashEnvironmentId?: Maybe<string>
  modelReferences?: Maybe<Maybe<string>[]>
  scalerType?: Maybe<string>
  scalerValue?: Maybe<number>
  workersMin?: Maybe<number>
  workersMax?: Maybe<number>
  workersStandby?: Maybe<number>
  workersPFBTarget?: Maybe<number>
  idleTimeout?: Maybe<number>
  executionTimeoutMs?: Maybe<number>
  flashBootType?: Maybe<FlashBootType>
}

/** Makes an endpoint, or changes the one with the id; fields that are left out stay as they are. */
export function saveEndpoint(ctx: AccountContext, input: EndpointInput): EndpointRecord {
  if (input.template && input.templateId)
    throw refused('template and templateId cannot be given together', 'send one of them')
  if (input.id) {
    const endpoint = getEndpoint(ctx, input.id)
    const settings = mergeSettings(endpoint, input)
    return changeEndpoint(ctx, endpoint, settings, chooseTemplate(ctx, input, endpoint))
  }
  const choice = chooseTemplate(ctx, input)
  if (!choice) throw refused('an endpoint needs a template or a templateId')
  return createEndpoint(ctx, newSettings(input), choice)
}

function newSettings(input: EndpointInput): EndpointSettings {
  const type = parseType(input.type) ?? 'QB'
  const scalerType: ScalerType = type === 'LB' ? 'REQUEST_COUNT' : 'QUEUE_DELAY'
  return mergeSettings({ ...endpointDefaults, type, scalerType }, input)
}

function mergeSettings(before: EndpointSettings, input: EndpointInput): EndpointSettings {
  return {
    ...pickSettings(before),
    ...setScalars(input),
    ...setCompute(before, input),
    ...setVolumes(input),
  }
}

/** Fields that are taken over as they are; `null` says nothing about those that cannot be null. */
function setScalars(input: EndpointInput): Partial<EndpointSettings> {
  return defined({
    name: input.name ?? undefined,
    type: parseType(input.type),
    scalerType: parseScaler(input.scalerType),
    scalerValue: input.scalerValue ?? undefined,
    workersMin: input.workersMin ?? undefined,
    workersMax: input.workersMax ?? undefined,
    workersStandby: input.workersStandby ?? undefined,
    workersPFBTarget: input.workersPFBTarget ?? undefined,
    idleTimeout: input.idleTimeout ?? undefined,
    executionTimeoutMs: input.executionTimeoutMs ?? undefined,
    locations: input.locations,
    flashEnvironmentId: input.flashEnvironmentId,
    flashBootType: input.flashBootType,
    modelReferences: input.modelReferences?.filter((reference) => reference !== null) as string[] | undefined,
  })
}

/** Instances without GPUs make a CPU endpoint of it, and the other way round. */
function setCompute(before: EndpointSettings, input: EndpointInput): Partial<EndpointSettings> {
  const instances = input.instanceIds?.filter((id): id is string => Boolean(id))
  if (instances?.length && !input.gpuIds) return { ...withoutGpus, instanceIds: instances }
  const onGpus = input.gpuIds ? { instanceIds: instances ?? null, gpuCount: before.gpuCount ?? 1 } : {}
  return {
    ...onGpus,
    ...defined({
      gpuIds: input.gpuIds,
      gpuCount: input.gpuCount ?? undefined,
      allowedCudaVersions: input.allowedCudaVersions,
      // An empty text would break clients that read the answer: no version is null.
      minCudaVersion: input.minCudaVersion === '' ? null : input.minCudaVersion,
    }),
  }
}

const withoutGpus = { gpuIds: null, gpuCount: null, allowedCudaVersions: null, minCudaVersion: null }

/** A list replaces the one volume, and the one volume a list. */
function setVolumes(input: EndpointInput): Partial<EndpointSettings> {
  const listed = input.networkVolumeIds?.flatMap((one) =>
    one?.networkVolumeId ? [{ networkVolumeId: one.networkVolumeId }] : [],
  )
  const volumes = input.volumes?.flatMap((one) =>
    one?.volumeId ? [{ volumeId: one.volumeId, volumeType: one.volumeType ?? null }] : [],
  )
  const isOne = input.networkVolumeId !== undefined
  return defined({
    networkVolumeId: isOne ? input.networkVolumeId : listed && null,
    networkVolumeIds: listed ?? (isOne ? [] : undefined),
    volumes,
  })
}

function chooseTemplate(
  ctx: AccountContext,
  input: EndpointInput,
  endpoint?: EndpointRecord,
): TemplateChoice | undefined {
  if (input.templateId) return { id: input.templateId }
  if (!input.template) return undefined
  const before = endpoint && ownTemplate(ctx, endpoint)
  return { own: mergeTemplate(before ?? ownTemplateDefaults, input.template) }
}

function parseType(type: Maybe<string> | undefined): 'QB' | 'LB' | undefined {
  if (type === undefined || type === null) return undefined
  if (type === 'QB' || type === 'LB') return type
  throw invalid([`type: "${type.slice(0, 40)}" is not QB or LB`])
}

function parseScaler(type: Maybe<string> | undefined): ScalerType | undefined {
  if (type === undefined || type === null) return undefined
  if (type === 'QUEUE_DELAY' || type === 'REQUEST_COUNT') return type
  throw invalid([`scalerType: "${type.slice(0, 40)}" is not QUEUE_DELAY or REQUEST_COUNT`])
}
