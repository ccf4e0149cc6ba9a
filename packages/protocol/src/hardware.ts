/**
 * Names of hardware, for types and for work without a network. The lists are those of Runpod's SDKs in November 2026;
 * an account may know newer ones, so every type built on them stays open and the catalogue decides when something is made.
 */

/** Lets a union of literals complete in an editor and still take any other string. */
export type Open<T extends string> = T | (string & {})

/** Pools of similar cards; a worker starts on whichever card of the pool is free. */
export const GpuGroup = {
  ADA_24: 'ADA_24',
  ADA_32_PRO: 'ADA_32_PRO',
  ADA_48_PRO: 'ADA_48_PRO',
  ADA_80_PRO: 'ADA_80_PRO',
  AMPERE_16: 'AMPERE_16',
  AMPERE_24: 'AMPERE_24',
  AMPERE_48: 'AMPERE_48',
  AMPERE_80: 'AMPERE_80',
  BLACKWELL_96: 'BLACKWELL_96',
  BLACKWELL_180: 'BLACKWELL_180',
  HOPPER_141: 'HOPPER_141',
} as const
export type GpuGroup = (typeof GpuGroup)[keyof typeof GpuGroup]

/** One exact card, by Runpod's id. */
export const GpuType = {
  NVIDIA_A40: 'NVIDIA A40',
  NVIDIA_A100_80GB_PCIE: 'NVIDIA A100 80GB PCIe',
  NVIDIA_A100_SXM4_80GB: 'NVIDIA A100-SXM4-80GB',
  NVIDIA_B200: 'NVIDIA B200',
  NVIDIA_GEFORCE_RTX_3090: 'NVIDIA GeForce RTX 3090',
  NVIDIA_GEFORCE_RTX_4090: 'NVIDIA GeForce RTX 4090',
  NVIDIA_GEFORCE_RTX_5090: 'NVIDIA GeForce RTX 5090',
  NVIDIA_H100_80GB_HBM3: 'NVIDIA H100 80GB HBM3',
  NVIDIA_H200: 'NVIDIA H200',
  NVIDIA_L4: 'NVIDIA L4',
  NVIDIA_RTX_2000_ADA_GENERATION: 'NVIDIA RTX 2000 Ada Generation',
  NVIDIA_RTX_4000_ADA_GENERATION: 'NVIDIA RTX 4000 Ada Generation',
  NVIDIA_RTX_6000_ADA_GENERATION: 'NVIDIA RTX 6000 Ada Generation',
  NVIDIA_RTX_A4000: 'NVIDIA RTX A4000',
  NVIDIA_RTX_A4500: 'NVIDIA RTX A4500',
  NVIDIA_RTX_A5000: 'NVIDIA RTX A5000',
  NVIDIA_RTX_A6000: 'NVIDIA RTX A6000',
  NVIDIA_RTX_PRO_6000_BLACKWELL_MAX_Q_WORKSTATION_EDITION:
    'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
  NVIDIA_RTX_PRO_6000_BLACKWELL_SERVER_EDITION: 'NVIDIA RTX PRO 6000 Blackwell Server Edition',
  NVIDIA_RTX_PRO_6000_BLACKWELL_WORKSTATION_EDITION: 'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
} as const
export type GpuType = (typeof GpuType)[keyof typeof GpuType]

/** Which cards each pool has. */
export const gpuTypesOfGroup: Readonly<Record<GpuGroup, readonly GpuType[]>> = {
  ADA_24: ['NVIDIA GeForce RTX 4090'],
  ADA_32_PRO: ['NVIDIA GeForce RTX 5090'],
  ADA_48_PRO: ['NVIDIA RTX 6000 Ada Generation'],
  ADA_80_PRO: ['NVIDIA H100 80GB HBM3'],
  AMPERE_16: [
    'NVIDIA RTX A4000',
    'NVIDIA RTX A4500',
    'NVIDIA RTX 4000 Ada Generation',
    'NVIDIA RTX 2000 Ada Generation',
  ],
  AMPERE_24: ['NVIDIA RTX A5000', 'NVIDIA L4', 'NVIDIA GeForce RTX 3090'],
  AMPERE_48: ['NVIDIA A40', 'NVIDIA RTX A6000'],
  AMPERE_80: ['NVIDIA A100 80GB PCIe', 'NVIDIA A100-SXM4-80GB'],
  BLACKWELL_96: [
    'NVIDIA RTX PRO 6000 Blackwell Server Edition',
    'NVIDIA RTX PRO 6000 Blackwell Workstation Edition',
    'NVIDIA RTX PRO 6000 Blackwell Max-Q Workstation Edition',
  ],
  BLACKWELL_180: ['NVIDIA B200'],
  HOPPER_141: ['NVIDIA H200'],
}

/** `{flavour}-{vCPUs}-{RAM in GB}`. The sizes with one vCPU are left out: REST v2 cannot make them. */
export const CpuInstance = {
  CPU3C_2_4: 'cpu3c-2-4',
  CPU3C_4_8: 'cpu3c-4-8',
  CPU3C_8_16: 'cpu3c-8-16',
  CPU3G_2_8: 'cpu3g-2-8',
  CPU3G_4_16: 'cpu3g-4-16',
  CPU3G_8_32: 'cpu3g-8-32',
  CPU5C_2_4: 'cpu5c-2-4',
  CPU5C_4_8: 'cpu5c-4-8',
  CPU5C_8_16: 'cpu5c-8-16',
} as const
export type CpuInstance = (typeof CpuInstance)[keyof typeof CpuInstance]

export const CudaVersion = {
  V11_8: '11.8',
  V12_0: '12.0',
  V12_1: '12.1',
  V12_2: '12.2',
  V12_3: '12.3',
  V12_4: '12.4',
  V12_5: '12.5',
  V12_6: '12.6',
  V12_7: '12.7',
  V12_8: '12.8',
  V12_9: '12.9',
  V13_0: '13.0',
} as const
export type CudaVersion = (typeof CudaVersion)[keyof typeof CudaVersion]

export const DataCenter = {
  EU_CZ_1: 'EU-CZ-1',
  EU_RO_1: 'EU-RO-1',
  EUR_NO_1: 'EUR-NO-1',
  US_CA_2: 'US-CA-2',
  US_IL_1: 'US-IL-1',
  US_KS_2: 'US-KS-2',
  US_MO_1: 'US-MO-1',
  US_MO_2: 'US-MO-2',
  US_NC_2: 'US-NC-2',
  US_NE_1: 'US-NE-1',
  US_WA_1: 'US-WA-1',
} as const
export type DataCenter = (typeof DataCenter)[keyof typeof DataCenter]

/** What the name of a CPU instance says. */
export interface CpuShape {
  flavor: string
  vcpus: number
  ramGb: number
}

/** `null` when the text is not of the form `{flavour}-{vCPUs}-{RAM in GB}`. */
export function parseCpuInstance(instance: string): CpuShape | null {
  const match = /^(cpu\d+[a-z]+)-([1-9]\d{0,3})-([1-9]\d{0,4})$/.exec(instance)
  return match ? { flavor: match[1]!, vcpus: Number(match[2]), ramGb: Number(match[3]) } : null
}

/** The container disk a CPU worker may have: 10 GB for each vCPU, 15 GB from the fifth generation on. */
export function cpuDiskLimitGb({ flavor, vcpus }: CpuShape): number {
  return vcpus * (Number(/\d+/.exec(flavor)?.[0]) >= 5 ? 15 : 10)
}
