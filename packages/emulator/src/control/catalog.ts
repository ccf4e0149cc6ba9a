import { DataCenter, GpuGroup, GpuType, gpuTypesOfGroup } from '@flash/protocol'

/** What can be rented, as far as clients look: everything is there, and nothing costs anything. */
export interface CatalogGpu {
  id: string
  name: string
  pool: GpuGroup | null
  memoryGb: number
}

const memoryGb: Record<GpuGroup, number> = {
  ADA_24: 24,
  ADA_32_PRO: 32,
  ADA_48_PRO: 48,
  ADA_80_PRO: 80,
  AMPERE_16: 16,
  AMPERE_24: 24,
  AMPERE_48: 48,
  AMPERE_80: 80,
  BLACKWELL_96: 96,
  BLACKWELL_180: 180,
  HOPPER_141: 141,
}

const gpus: CatalogGpu[] = Object.values(GpuType).map((id) => {
  const pool = Object.values(GpuGroup).find((group) => gpuTypesOfGroup[group].includes(id)) ?? null
  return { id, name: id.replace(/^NVIDIA (?:GeForce )?/, ''), pool, memoryGb: pool ? memoryGb[pool] : 24 }
})

/** All cards, or those that an id names: of one card, or of all in a pool. */
export function findGpus(ids?: readonly string[]): CatalogGpu[] {
  return gpus.filter(({ id, pool }) => !ids || ids.includes(id) || (pool !== null && ids.includes(pool)))
}

export interface CatalogCpu {
  id: string
  name: string
  group: string
  ramGbPerVcpu: number
  maxVcpus: number
}

const cpus: CatalogCpu[] = [
  { id: 'cpu3c', name: 'Compute-Optimized', group: 'Gen 3', ramGbPerVcpu: 2, maxVcpus: 32 },
  { id: 'cpu3g', name: 'General Purpose', group: 'Gen 3', ramGbPerVcpu: 4, maxVcpus: 32 },
  { id: 'cpu5c', name: 'Compute-Optimized', group: 'Gen 5', ramGbPerVcpu: 2, maxVcpus: 32 },
  { id: 'cpu5g', name: 'General Purpose', group: 'Gen 5', ramGbPerVcpu: 4, maxVcpus: 32 },
]

/** All CPU flavours, or those that an id names. */
export function findCpus(id?: string): CatalogCpu[] {
  return cpus.filter((cpu) => id === undefined || cpu.id === id)
}

export interface CatalogDataCenter {
  id: string
  name: string
  region: 'NORTH_AMERICA' | 'EUROPE' | 'MIDDLE_EAST'
}

/** `US-KS-2` → `US Kansas 2` on the platform; the id says enough here. */
export const dataCenters: CatalogDataCenter[] = Object.values(DataCenter).map((id) => ({
  id,
  name: id.replaceAll('-', ' '),
  region: id.startsWith('US-') ? 'NORTH_AMERICA' : 'EUROPE',
}))
