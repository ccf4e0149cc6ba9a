import { CpuInstance, cpuDiskLimitGb, DataCenter, GpuGroup, GpuType, parseCpuInstance } from '../hardware.ts'
import { listOf, matching, type Reader, type TextRule } from './reader.ts'
import { findSameName } from './spelling.ts'
import type { CpuCompute, GpuCompute } from './types.ts'

const gpuNames = [...Object.values(GpuGroup), ...Object.values(GpuType)]
const gpuFields = ['gpu', 'gpuCount', 'minCudaVersion', 'allowedCudaVersions'] as const

/** New hardware needs no release, so an unknown name passes, unless it is a known one in another spelling. */
function openName(what: string, known: readonly string[], pattern: RegExp): TextRule {
  return {
    what,
    check(text) {
      if (known.includes(text)) return undefined
      const meant = findSameName(text, known)
      if (meant) return `is not known; did you mean ${JSON.stringify(meant)}?`
      return pattern.test(text) ? undefined : `is not allowed; ${what} is`
    },
  }
}

const gpuRule = openName('the name of a GPU or of a group of GPUs', gpuNames, /^\w[\w .()/-]*$/)
const cudaRule = matching('a CUDA version such as "12.8"', /^\d+\.\d+$/)
export const dataCenterRule = openName(
  'the id of a data center such as "EU-RO-1"',
  Object.values(DataCenter),
  /^[A-Z]+(?:-[A-Z0-9]+)+$/,
)

const cpuRule: TextRule = {
  what: 'a CPU instance such as "cpu3g-2-8"',
  check(text) {
    const shape = parseCpuInstance(text)
    if (!shape) {
      const meant = findSameName(text, Object.values(CpuInstance))
      return meant
        ? `is not known; did you mean ${JSON.stringify(meant)}?`
        : `is not allowed; ${this.what} is`
    }
    if (shape.vcpus === 1)
      return `has one vCPU, which cannot be made any more; the nearest is ${JSON.stringify(twice(text, shape))}`
    return isPowerOfTwo(shape.vcpus) ? undefined : `has ${shape.vcpus} vCPUs; a power of two is allowed`
  },
}

const isPowerOfTwo = (value: number) => Number.isInteger(Math.log2(value))
const twice = (text: string, { flavor, ramGb }: { flavor: string; ramGb: number }) =>
  Object.values(CpuInstance).find((known) => known.startsWith(`${flavor}-2-`)) ??
  text.replace(/-.*/, `-2-${ramGb * 2}`)

export function parseCompute(reader: Reader): GpuCompute | CpuCompute {
  return reader.has('cpu') ? parseCpu(reader) : parseGpu(reader)
}

function parseCpu(reader: Reader): CpuCompute {
  for (const field of gpuFields) {
    if (reader.has(field)) reader.refuse(field, `cannot be together with cpu; leave out one of the two`)
  }
  return { kind: 'cpu', instances: reader.texts('cpu', cpuRule, { single: true, atLeast: 1 }) ?? [] }
}

function parseGpu(reader: Reader): GpuCompute {
  const min = reader.text('minCudaVersion', cudaRule, null)
  const allowed = reader.texts('allowedCudaVersions', cudaRule) ?? []
  if (reader.has('minCudaVersion') && allowed.length > 0) {
    reader.refuse('allowedCudaVersions', 'cannot be together with minCudaVersion; leave out one of the two')
  }
  return {
    kind: 'gpu',
    names: parseGpuNames(reader),
    count: reader.whole('gpuCount', { min: 1 }, 1),
    minCudaVersion: min,
    allowedCudaVersions: allowed,
  }
}

function parseGpuNames(reader: Reader): string[] {
  const value = reader.raw('gpu')
  if (value === undefined || value === 'any') return ['any']
  const names = reader.texts('gpu', gpuRule, { single: true, atLeast: 1 }) ?? []
  if (names.includes('any'))
    reader.refuse('gpu', 'has "any" in a list; write gpu: "any", or leave it out of the list')
  return names
}

/** The container disk: what is asked for, else 64 GB, on CPU the most that all of its instances can have. */
export function parseDisk(
  reader: Reader,
  compute: GpuCompute | CpuCompute,
  options: { template: number | null; open: boolean },
): number | null {
  const asked = reader.whole('diskGb', { min: 1 }, options.template)
  const limits = compute.kind === 'cpu' ? compute.instances.flatMap(diskLimit) : []
  if (limits.length === 0) return asked ?? (options.open ? null : 64)
  const most = Math.min(...limits.map(({ limitGb }) => limitGb))
  if (asked !== null && asked > most) {
    const each = listOf(
      limits.map(({ instance, limitGb }) => `${instance}: ${limitGb}`),
      'and',
    )
    reader.refuse(
      'diskGb',
      `is more than its CPU instances can have (${each} GB); a whole number from 1 to ${most} is allowed`,
    )
  }
  return asked ?? (options.open ? null : most)
}

function diskLimit(instance: string): { instance: string; limitGb: number }[] {
  const shape = parseCpuInstance(instance)
  return shape ? [{ instance, limitGb: cpuDiskLimitGb(shape) }] : []
}
