import { CudaVersion } from '@flash/protocol'
import {
  type CatalogCpu,
  type CatalogDataCenter,
  type CatalogGpu,
  dataCenters,
  findCpus,
  findGpus,
} from '../catalog.ts'
import { invalid, notFound, refused } from '../refuse.ts'
import { toJson, toList } from './answers.ts'
import type { Routes } from './router.ts'

/** There is always enough of everything. */
const availability = 'HIGH'

const places = dataCenters.map(({ id, name }) => ({ id, name, availability }))

export const catalogRoutes: Routes = {
  'GET /catalog/gpus'({ query }) {
    const isCounted = wantsAvailability(query, ['POD', 'CLUSTER', 'SERVERLESS'])
    return toList(
      'gpus',
      findGpus().map((gpu) => toGpu(gpu, isCounted)),
    )
  },
  'GET /catalog/gpus/{id}'({ query, ids }) {
    const gpu = findGpus([ids[0]!]).find(({ id }) => id === ids[0])
    if (!gpu) throw notFound('GPU type', ids[0]!)
    return toJson(toGpu(gpu, wantsAvailability(query, ['POD', 'CLUSTER', 'SERVERLESS'])))
  },
  'GET /catalog/cpus'({ query }) {
    const isCounted = wantsAvailability(query, ['POD', 'SERVERLESS'])
    return toList(
      'cpus',
      findCpus().map((cpu) => toCpu(cpu, isCounted)),
    )
  },
  'GET /catalog/cpus/{id}'({ query, ids }) {
    const [cpu] = findCpus(ids[0])
    if (!cpu) throw notFound('CPU flavor', ids[0]!)
    return toJson(toCpu(cpu, wantsAvailability(query, ['POD', 'SERVERLESS'])))
  },
  'GET /catalog/datacenters'({ query }) {
    const regions = parseNames(query.get('regions'))
    const wanted = dataCenters.filter(({ region }) => regions.length === 0 || regions.includes(region))
    return toList(
      'dataCenters',
      wanted.map((one) => toDataCenter(one, query)),
    )
  },
  'GET /catalog/datacenters/{id}'({ query, ids }) {
    const found = dataCenters.find(({ id }) => id === ids[0])
    if (!found) throw notFound('data center', ids[0]!)
    return toJson(toDataCenter(found, query))
  },
}

/** Availability is different for each product, so both are asked for together, or neither. */
function wantsAvailability(query: URLSearchParams, products: string[]): boolean {
  const include = parseNames(query.get('include'))
  const product = parseNames(query.get('product'))
  if (include.some((name) => name !== 'AVAILABILITY')) throw invalid(['include: must be AVAILABILITY'])
  if (product.some((name) => !products.includes(name)))
    throw invalid([`product: must be one of ${products.join(', ')}`])
  if (include.length > 0 !== product.length > 0)
    throw refused('include=AVAILABILITY and product are given together, or neither of them')
  return include.length > 0
}

function toGpu({ id, name, pool, memoryGb }: CatalogGpu, isCounted: boolean) {
  return {
    id,
    name,
    pool,
    manufacturer: 'NVIDIA',
    memory: memoryGb,
    secure: true,
    community: false,
    price: { secure: 0, community: 0, serverless: 0 },
    maxCount: { secure: 8, community: 0 },
    ...(isCounted && {
      availability,
      dataCenters: places,
      cudaVersions: Object.values(CudaVersion).map((version) => ({ version, available: true })),
    }),
  }
}

function toCpu({ id, name, group, ramGbPerVcpu, maxVcpus }: CatalogCpu, isCounted: boolean) {
  return {
    id,
    name,
    group,
    vcpu: { min: 2, max: maxVcpus },
    ramGbPerVcpu,
    price: { securePerVcpu: 0, serverlessPerVcpu: 0 },
    ...(isCounted && { availability, dataCenters: places }),
  }
}

function toDataCenter({ id, name, region }: CatalogDataCenter, query: URLSearchParams) {
  const include = parseNames(query.get('include'))
  if (include.some((one) => one !== 'GPU_AVAILABILITY' && one !== 'CPU_AVAILABILITY'))
    throw invalid(['include: must be GPU_AVAILABILITY or CPU_AVAILABILITY'])
  const count = (entries: { id: string; name: string }[]) =>
    entries.map((entry) => ({ id: entry.id, name: entry.name, availability }))
  return {
    id,
    name,
    region,
    globalNetwork: true,
    networkVolumeTypes: ['STANDARD'],
    compliance: [],
    ...(include.includes('GPU_AVAILABILITY') && { gpuAvailability: count(findGpus()) }),
    ...(include.includes('CPU_AVAILABILITY') && { cpuAvailability: count(findCpus()) }),
  }
}

function parseNames(list: string | null): string[] {
  return (list ?? '').split(',').filter((name) => name !== '')
}
