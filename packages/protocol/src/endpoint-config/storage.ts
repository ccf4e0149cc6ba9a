import { dataCenterRule } from './compute.ts'
import type { Path, Problems } from './problems.ts'
import { type Reader, readObject, type TextRule } from './reader.ts'
import type { CpuCompute, GpuCompute, ResolvedEndpointConfig, ResolvedVolume } from './types.ts'

type NetworkVolume = Extract<ResolvedVolume, { kind: 'network' }>

const what = 'a NetworkVolume, a GlobalVolume or a list of NetworkVolumes'
const keysOf = {
  network: ['kind', 'id', 'name', 'sizeGb', 'dataCenter', 'create'],
  global: ['kind', 'id', 'name', 'create'],
} as const
const aliases = {
  size: 'sizeGb',
  datacenter: 'dataCenter',
  datacenterid: 'dataCenter',
  location: 'dataCenter',
}
const nameRule: TextRule = { what: 'a name' }

interface Placed {
  volume: ResolvedVolume
  path: Path
}

export function parseVolumes(
  problems: Problems,
  reader: Reader,
  context: { compute: GpuCompute | CpuCompute; dataCenters: string[] },
): ResolvedVolume[] {
  const value = reader.raw('volumes')
  if (value === undefined) return []
  const path = [...reader.path, 'volumes']
  const placed = Array.isArray(value)
    ? value.flatMap((entry, index) => parseVolume(problems, entry, [...path, String(index)], value.length))
    : parseVolume(problems, value, path, 1)
  const volumes = placed.map(({ volume }) => volume)
  if (context.compute.kind === 'cpu' && volumes.some(({ kind }) => kind === 'global')) {
    reader.refuse('volumes', 'has a global volume, which needs a GPU; use a NetworkVolume with cpu', {
      hide: true,
    })
  }
  checkPlaces(problems, placed, context.dataCenters)
  return volumes
}

function parseVolume(problems: Problems, value: unknown, path: Path, siblings: number): Placed[] {
  const kind = kindOf(value)
  if (kind === undefined) {
    problems.add(path, `is not allowed; ${what} is, and each has kind: "network" or "global"`, { value })
    return []
  }
  const reader = readObject(problems, value, path, { what, keys: keysOf[kind], aliases })
  if (!reader) return []
  if (!reader.has('id') && !reader.has('name'))
    reader.refuse('name', 'is missing; a volume has a name or an id')
  const common = {
    id: reader.text('id', { what: 'the id of a volume' }, null),
    name: reader.text('name', nameRule, null),
    create: reader.flag('create', true),
  }
  if (kind === 'network') return [{ path, volume: parseNetworkVolume(reader, common, siblings) }]
  if (siblings > 1)
    problems.add(path, 'is a global volume; an endpoint has one of these and nothing beside it')
  return [{ path, volume: { kind, ...common } }]
}

function kindOf(value: unknown): ResolvedVolume['kind'] | undefined {
  const kind = typeof value === 'object' && value !== null && 'kind' in value ? value.kind : undefined
  return kind === 'network' || kind === 'global' ? kind : undefined
}

function parseNetworkVolume(
  reader: Reader,
  common: { id: string | null; name: string | null; create: boolean },
  siblings: number,
): NetworkVolume {
  const dataCenter = reader.text('dataCenter', dataCenterRule, null)
  if (siblings > 1 && common.id === null && !reader.has('dataCenter')) {
    reader.refuse('dataCenter', 'is missing; each of several volumes says where it is')
  }
  return {
    kind: 'network',
    ...common,
    sizeGb: reader.whole('sizeGb', { min: 10, max: 4096 }, 100),
    dataCenter,
  }
}

function checkPlaces(problems: Problems, placed: Placed[], dataCenters: string[]): void {
  const taken = new Set<string>()
  for (const { volume, path } of placed) {
    if (volume.kind !== 'network' || volume.dataCenter === null) continue
    const add = (message: string) =>
      problems.add([...path, 'dataCenter'], message, { value: volume.dataCenter })
    if (taken.has(volume.dataCenter))
      add('has a volume already; one network volume in each data center is allowed')
    else if (dataCenters.length > 0 && !dataCenters.includes(volume.dataCenter)) {
      add(`is not among the dataCenters of the endpoint (${dataCenters.join(', ')})`)
    }
    taken.add(volume.dataCenter)
  }
}

const modelPattern = /^(?<owner>\w[\w.-]{0,95})\/(?<name>\w[\w.-]{0,95})(?::(?<revision>\w[\w./-]{0,199}))?$/

export function parseModel(reader: Reader): ResolvedEndpointConfig['model'] {
  const allowed = '"owner/name" or "owner/name:revision" of a Hugging Face model'
  const text = reader.text(
    'model',
    { what: allowed, check: (value) => (splitModel(value) ? undefined : `is not allowed; ${allowed} is`) },
    null,
  )
  return text === null ? null : splitModel(text)
}

function splitModel(text: string): NonNullable<ResolvedEndpointConfig['model']> | null {
  const { owner, name, revision } = modelPattern.exec(text)?.groups ?? {}
  if (owner === undefined || name === undefined) return null
  // Owner and name become the folder `models--owner--name` of the cache.
  if (`${owner}/${name}`.includes('--') || /\.\.|\/\/|\/$/.test(text)) return null
  return { owner, name, revision: revision ?? null }
}
